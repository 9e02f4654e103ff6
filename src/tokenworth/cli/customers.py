"""`tokenworth customers`: who may buy, and on which plan."""

import json
from pathlib import Path

import click

from tokenworth.book.load import load
from tokenworth.book.model import Book
from tokenworth.cli.options import NamedPath, as_json, database
from tokenworth.core.errors import InputError
from tokenworth.core.instants import format_instant
from tokenworth.render.tables import Column, print_table
from tokenworth.store.sqlite.directory import Customer
from tokenworth.wiring.ledgers import Where, named, open_registry
from tokenworth.wiring.onboard import add_customer, last_served, move_customer


@click.group()
def command() -> None:
    """Add, move and list customers; works while a gateway serves."""


@command.command()
@click.argument("customer")
@click.option("--plan", required=True, help="A plan of the book.")
@click.option("--book", "folder", type=NamedPath(file_okay=False), help="The book; the one last served if absent.")
@database
@as_json
def add(*, customer: str, plan: str, folder: Path | None, db: Where, as_json: bool) -> None:
    """Add a customer, with an account in the book's unit."""
    made = add_customer(db, load(folder) if folder else _served(db), customer, plan)
    _warn(db, plan)
    if as_json:
        click.echo(json.dumps(_data(made)))
    else:
        click.echo(f"{made.id} is on plan {made.plan}. Next: tokenworth grants add {made.id} AMOUNT, tokenworth keys add {made.id}")


@command.command()
@click.argument("customer")
@click.option("--plan", required=True, help="A plan of the book.")
@click.option("--book", "folder", type=NamedPath(file_okay=False), help="The book; the one last served if absent.")
@database
@as_json
def move(*, customer: str, plan: str, folder: Path | None, db: Where, as_json: bool) -> None:
    """Put a customer on another plan: its card holds for the next request, its limits at once."""
    moved = move_customer(db, load(folder) if folder else _served(db), customer, plan)
    _warn(db, plan)
    click.echo(json.dumps(_data(moved)) if as_json else f"{moved.id} is on plan {moved.plan} now")


@command.command(name="list")
@database
@as_json
def list_(*, db: Where, as_json: bool) -> None:
    """List customers."""
    directory = open_registry(db, create=False)
    found = list(directory.customers())
    directory.close()
    if as_json:
        click.echo(json.dumps([_data(customer) for customer in found], indent=2))
        return
    rows = [[c.id, c.plan, format_instant(c.created)[:10]] for c in found]
    print_table("", [Column("customer"), Column("plan"), Column("since")], rows)


def _data(customer: Customer) -> dict[str, str]:
    return {"id": customer.id, "plan": customer.plan, "created": format_instant(customer.created)}


def _warn(db: Where, plan: str) -> None:
    """Say on stderr that the book last served lacks a plan: a gateway that serves it refuses the plan's customers."""
    book = last_served(db)
    if book is not None and plan not in book.plans:
        click.echo(f"warning: the book last served has no plan {plan}: until one that has it is served, requests get 403 unknown_plan", err=True)


def _served(db: Where) -> Book:
    book = last_served(db) if not isinstance(db, Path) or db.exists() else None
    if book is None:
        raise InputError(f"no book was served with {named(db)} yet", mend="name it: --book DIR")
    return book
