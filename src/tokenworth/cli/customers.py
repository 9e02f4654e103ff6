"""`tokenworth customers`: who may buy, and on which plan."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from tokenworth.book.load import load
from tokenworth.book.model import Book
from tokenworth.capture.policy import AS_PLAN, Budget, Own
from tokenworth.cli.options import NamedPath, as_json, database
from tokenworth.core.errors import InputError
from tokenworth.core.instants import format_instant
from tokenworth.core.money import parse_amount
from tokenworth.core.periods import Window
from tokenworth.render.tables import Column, print_table
from tokenworth.render.terms import show_terms
from tokenworth.store.sqlite.directory import Customer
from tokenworth.wiring.ledgers import Where, named, open_registry
from tokenworth.wiring.onboard import add_customer, give_terms, last_served, move_customer, need_plan

BUDGET = (str, click.Choice([str(window) for window in Window]), str)
BUDGET_HELP = "The most that may be spent: of `account`, a `key:ID` or `project:NAME`, or each for itself, `key:*`. May be repeated."


@click.group()
def command() -> None:
    """Add, move and list customers, and what they agreed to; works while a gateway serves."""


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


@command.command()
@click.argument("customer")
@click.option("--credit-line", help="What requests may spend beyond all credits.")
@click.option("--overdraft", help="The most debt that charges beyond their holds may make.")
@click.option("--time-zone", help="IANA name: hours, days and months of its budgets are of this zone.")
@click.option("--budget", "budgets", type=BUDGET, multiple=True, help=BUDGET_HELP)
@click.option("--as-plan", is_flag=True, help="Drop what it has of its own, before the other options.")
@click.option("--book", "folder", type=NamedPath(file_okay=False), help="The book; the one last served if absent.")
@database
@as_json
def terms(*, customer: str, as_plan: bool, folder: Path | None, db: Where, as_json: bool, **given: Any) -> None:
    """Show CUSTOMER's terms, or give it some of its own: they take the place of its plan's, at once."""
    book = load(folder) if folder else _served(db)
    with closing(open_registry(db, create=False)) as directory:
        found = directory.customer(customer)
    need_plan(book, found.plan)
    own = _own(AS_PLAN if as_plan else found.own, **given)
    if own != found.own:
        found = give_terms(db, book, customer, own)
    show_terms(found, book, as_json=as_json)


def _own(known: Own, *, credit_line: str | None, overdraft: str | None, time_zone: str | None, budgets: tuple[tuple[str, str, str], ...]) -> Own:
    """Return own terms with what options say; InputError where they say nothing that can be."""
    mine = {(budget.subject, budget.window): budget for budget in known.budgets}
    for subject, window, limit in budgets:
        mine[subject, Window(window)] = Budget(subject, Window(window), parse_amount(limit))
    return Own(
        known.credit_line if credit_line is None else parse_amount(credit_line),
        known.overdraft if overdraft is None else parse_amount(overdraft),
        known.zone if time_zone is None else time_zone,
        tuple(mine.values()),
    )


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
