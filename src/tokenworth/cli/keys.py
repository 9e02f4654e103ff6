"""`tokenworth keys`: API keys, shown once, stored as digests."""

import json
from contextlib import closing

import click

from tokenworth.book.model import RANKS
from tokenworth.cli.options import as_json, database
from tokenworth.core.instants import format_instant
from tokenworth.render.tables import Column, print_table
from tokenworth.store.sqlite.directory import ApiKey
from tokenworth.wiring.ledgers import Where, open_registry


@click.group()
def command() -> None:
    """Add, list and revoke API keys; works while a gateway serves."""


@command.command()
@click.argument("customer")
@click.option("--project", default="", help="What the customer uses it for; budgets can count each project.")
@click.option("--tier", type=click.Choice(list(RANKS)), help="Service tier of requests that name none.")
@database
@as_json
def add(*, customer: str, project: str, tier: str | None, db: Where, as_json: bool) -> None:
    """Make a key for a customer and print its secret, which is not kept."""
    with closing(open_registry(db, create=False)) as directory:
        made, secret = directory.add_key(customer, project, tier or "")
    if as_json:
        click.echo(json.dumps({"id": made.id, "customer": made.customer, "project": made.project, "tier": made.tier, "secret": secret}))
    else:
        click.echo(f"{made.id} of {made.customer}, shown once: {secret}")


@command.command(name="list")
@click.argument("customer", required=False)
@database
@as_json
def list_(*, customer: str | None, db: Where, as_json: bool) -> None:
    """List keys, revoked ones too, of one customer or of all."""
    with closing(open_registry(db, create=False)) as directory:
        if customer is not None:
            directory.customer(customer)
        found = list(directory.keys(customer))
    if as_json:
        click.echo(json.dumps([_data(key) for key in found], indent=2))
        return
    rows = [[k.id, k.customer, k.project, k.tier, format_instant(k.created)[:10], format_instant(k.revoked)[:10] if k.revoked else ""] for k in found]
    print_table("", [Column(title) for title in ("key", "customer", "project", "tier", "since", "revoked")], rows)


@command.command()
@click.argument("key")
@database
@as_json
def revoke(*, key: str, db: Where, as_json: bool) -> None:
    """Revoke a key by its id; requests with it are refused from now on."""
    with closing(open_registry(db, create=False)) as directory:
        revoked = directory.revoke_key(key)
    if as_json:
        click.echo(json.dumps(_data(revoked)))
    else:
        click.echo(f"{revoked.id} of {revoked.customer} is revoked since {format_instant(revoked.revoked)}")


def _data(key: ApiKey) -> dict[str, str | None]:
    revoked = format_instant(key.revoked) if key.revoked else None
    stated = {"id": key.id, "customer": key.customer, "project": key.project, "tier": key.tier}
    return {**stated, "created": format_instant(key.created), "revoked": revoked}
