"""`tokenworth keys`: API keys, shown once, stored as digests."""

import json
from contextlib import closing

import click

from tokenworth.book.model import RANKS
from tokenworth.cli.options import as_json, database
from tokenworth.core.instants import format_instant
from tokenworth.render.tables import Column, print_table
from tokenworth.store.sqlite.directory import MACHINE, SCOPES, ApiKey, MachineKey
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


@command.command()
@click.argument("scope", type=click.Choice(SCOPES))
@click.option("--name", default="", help="What machine has it.")
@database
@as_json
def add_own(*, scope: str, name: str, db: Where, as_json: bool) -> None:
    """Make a key for a machine of your own and print its secret, which is not kept.

    With `ingest` it posts usage of any customer, with `metrics` it reads the gateway's metrics; neither calls a model.
    """
    with closing(open_registry(db, create=False)) as directory:
        made, secret = directory.add_machine_key(scope, name)
    if as_json:
        click.echo(json.dumps({"id": made.id, "scope": made.scope, "name": made.name, "secret": secret}))
    else:
        click.echo(f"{made.id} for {made.scope}, shown once: {secret}")


@command.command(name="list")
@click.argument("customer", required=False)
@database
@as_json
def list_(*, customer: str | None, db: Where, as_json: bool) -> None:
    """List keys, revoked ones too, of one customer, or of all and your own machines."""
    with closing(open_registry(db, create=False)) as directory:
        if customer is not None:
            directory.customer(customer)
        found = list(directory.keys(customer))
        machines: list[MachineKey] = [] if customer is not None else list(directory.machine_keys())
    if as_json:
        click.echo(json.dumps([*map(_data, found), *map(_data, machines)], indent=2))
        return
    rows = [[k.id, k.customer, k.project, k.tier, *_dates(k)] for k in found]
    print_table("", [Column(title) for title in ("key", "customer", "project", "tier", "since", "revoked")], rows)
    if machines:
        own = [[k.id, k.scope, k.name, *_dates(k)] for k in machines]
        print_table("Your own machines", [Column(title) for title in ("key", "scope", "name", "since", "revoked")], own)


@command.command()
@click.argument("key")
@database
@as_json
def revoke(*, key: str, db: Where, as_json: bool) -> None:
    """Revoke a key by its id; requests with it are refused from now on."""
    with closing(open_registry(db, create=False)) as directory:
        revoked = directory.revoke_machine_key(key) if key.startswith(MACHINE) else directory.revoke_key(key)
    if as_json:
        click.echo(json.dumps(_data(revoked)))
    else:
        whose = f"of {revoked.customer}" if isinstance(revoked, ApiKey) else f"for {revoked.scope}"
        click.echo(f"{revoked.id} {whose} is revoked since {format_instant(revoked.revoked)}")


def _data(key: ApiKey | MachineKey) -> dict[str, str | None]:
    dated = {"created": format_instant(key.created), "revoked": format_instant(key.revoked) if key.revoked else None}
    if isinstance(key, ApiKey):
        return {"id": key.id, "customer": key.customer, "project": key.project, "tier": key.tier, **dated}
    return {"id": key.id, "scope": key.scope, "name": key.name, **dated}


def _dates(key: ApiKey | MachineKey) -> list[str]:
    return [format_instant(at)[:10] if at else "" for at in (key.created, key.revoked)]
