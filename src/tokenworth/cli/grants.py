"""`tokenworth grants`: credits for customers, as lots with a cost basis."""

import json

import click

from tokenworth.book.checks import FREE
from tokenworth.book.entries import ID_CHARACTERS, ID_MEND
from tokenworth.capture.commands import Grant, Source
from tokenworth.capture.lots import Lot
from tokenworth.cli.options import as_json, database
from tokenworth.core.errors import InputError
from tokenworth.core.ids import ENTROPY_BYTES, sortable_id
from tokenworth.core.instants import format_instant
from tokenworth.core.money import format_amount, parse_amount
from tokenworth.render.tables import Column, print_table
from tokenworth.wiring.clock import entropy, now
from tokenworth.wiring.ledgers import Where, open_ledger, open_reader
from tokenworth.wiring.onboard import accept, need_account


@click.group()
def command() -> None:
    """Give credits and list grants; works while a gateway serves."""


@command.command()
@click.argument("customer")
@click.argument("amount")
@click.option("--source", type=click.Choice([str(source) for source in Source]), default="paid", show_default=True)
@click.option("--paid", default="0", show_default=True, help="What was paid for it, in the book's currency: revenue is recognised from it.")
@click.option("--id", "id_", help="Idempotency key: the same id again changes nothing.")
@database
@as_json
def add(*, customer: str, amount: str, source: str, paid: str, id_: str | None, db: Where, as_json: bool) -> None:  # noqa: PLR0913 - one per option
    """Give CUSTOMER a lot of AMOUNT credits."""
    name = sortable_id(now(), entropy(ENTROPY_BYTES)) if id_ is None else id_
    given = Grant(name, customer, parse_amount(amount), Source(source), parse_amount(paid), now())
    _refuse(given)
    with open_ledger(db, create=False) as ledger:
        known = next((lot for lot in _lots(db, customer) if lot.id == name), None)
        if known is not None:
            # a retry on another day is the same grant
            given = Grant(name, customer, given.amount, given.source, given.paid, known.grant.at)
        (result,) = accept(ledger.submit_now([given]))
    if as_json:
        click.echo(json.dumps({"id": name, "customer": customer, "available": format_amount(result.available)}))
    else:
        click.echo(f"{customer} has {format_amount(result.available)} available after grant {name}")


def _refuse(given: Grant) -> None:
    """InputError where a grant contradicts itself, as a book's grants must not either."""
    if not given.id or not set(given.id) <= ID_CHARACTERS:
        raise InputError(f"{given.id!r} cannot be an id", mend=ID_MEND, code="bad_id")
    if not given.amount:
        raise InputError("a grant of 0 gives nothing", mend="give more than 0", code="bad_amount")
    if given.source in FREE and given.paid:
        what = f"{format_amount(given.paid)} was paid for a {given.source} grant, which earns nothing"
        raise InputError(what, mend="leave out --paid, or pass --source paid", code="free_grant")


@command.command(name="list")
@click.argument("customer", required=False)
@database
@as_json
def list_(*, customer: str | None, db: Where, as_json: bool) -> None:
    """List grants, oldest first, of one customer or of all."""
    found = _lots(db, customer)
    if as_json:
        click.echo(json.dumps([_data(lot) for lot in found], indent=2))
        return
    columns = [Column("grant"), Column("customer"), Column("source"), Column("since")]
    numbers = [Column(title, number=True) for title in ("amount", "paid", "used", "held", "free")]
    rows = [
        [lot.id, lot.grant.customer, str(lot.grant.source), format_instant(lot.grant.at)[:10], *map(format_amount, _numbers(lot))] for lot in found
    ]
    print_table("", [*columns, *numbers], rows)


def _lots(db: Where, customer: str | None) -> list[Lot]:
    with open_reader(db) as reader:
        if customer is not None:
            need_account(reader, customer)
        return list(reader.lots(customer))


def _numbers(lot: Lot) -> tuple[int, ...]:
    return (lot.grant.amount, lot.grant.paid, lot.used, lot.held, lot.free)


def _data(lot: Lot) -> dict[str, str]:
    names = ("amount", "paid", "used", "held", "free")
    amounts = {name: format_amount(n) for name, n in zip(names, _numbers(lot), strict=True)}
    return {"id": lot.id, "customer": lot.grant.customer, "source": str(lot.grant.source), "at": format_instant(lot.grant.at)} | amounts
