"""`tokenworth keys`: API keys, shown once, stored as digests."""

import json
from dataclasses import asdict

import click

from tokenworth.cli.options import as_json, database
from tokenworth.core.instants import format_instant
from tokenworth.render.tables import Column, print_table
from tokenworth.wiring.ledgers import Where, open_registry


@click.group()
def command() -> None:
    """Add, list and revoke API keys; works while a gateway serves."""


@command.command()
@click.argument("customer")
@database
@as_json
def add(*, customer: str, db: Where, as_json: bool) -> None:
    """Make a key for a customer and print its secret, which is not kept."""
    directory = open_registry(db)
    try:
        made, secret = directory.add_key(customer)
    finally:
        directory.close()
    if as_json:
        click.echo(json.dumps({"id": made.id, "customer": made.customer, "secret": secret}))
    else:
        click.echo(f"{made.id} of {made.customer}, shown once: {secret}")


@command.command(name="list")
@click.argument("customer", required=False)
@database
@as_json
def list_(*, customer: str | None, db: Where, as_json: bool) -> None:
    """List keys, revoked ones too, of one customer or of all."""
    directory = open_registry(db)
    found = list(directory.keys(customer))
    directory.close()
    if as_json:
        click.echo(json.dumps([asdict(key) for key in found], indent=2))
        return
    rows = [[k.id, k.customer, format_instant(k.created)[:10], format_instant(k.revoked)[:10] if k.revoked else ""] for k in found]
    print_table("", [Column("key"), Column("customer"), Column("since"), Column("revoked")], rows)


@command.command()
@click.argument("key")
@database
@as_json
def revoke(*, key: str, db: Where, as_json: bool) -> None:
    """Revoke a key by its id; requests with it are refused from now on."""
    directory = open_registry(db)
    try:
        revoked = directory.revoke_key(key)
    finally:
        directory.close()
    if as_json:
        click.echo(json.dumps(asdict(revoked)))
    else:
        click.echo(f"{revoked.id} of {revoked.customer} is revoked since {format_instant(revoked.revoked)}")
