"""`tokenworth grants`: credits for customers, as lots with a cost basis."""

import json
from dataclasses import replace
from typing import Any

import click

from tokenworth.book.checks import FREE
from tokenworth.capture.commands import Cancel, Confirm, Grant, Result, Source, Void
from tokenworth.capture.lots import Lot
from tokenworth.cli.options import as_json, database, said, user
from tokenworth.core.errors import InputError
from tokenworth.core.ids import ENTROPY_BYTES, ID_MEND, is_id, sortable_id
from tokenworth.core.instants import format_instant, parse_instant
from tokenworth.core.money import format_amount, parse_amount
from tokenworth.render.tables import Column, print_table
from tokenworth.wiring.clock import entropy, now
from tokenworth.wiring.ledgers import Where, open_ledger, open_reader
from tokenworth.wiring.onboard import accept, last_served, need_account

AMOUNTS = ("amount", "paid", "used", "held", "gone", "free")
"""`gone` expired, or was taken back."""


@click.group()
def command() -> None:
    """Give credits, take them back and list grants; works while a gateway serves."""


@command.command()
@click.argument("customer")
@click.argument("amount")
@click.option("--source", type=click.Choice([str(source) for source in Source]), default="paid", show_default=True)
@click.option("--paid", default="0", show_default=True, help="What was paid for it, in the book's currency: revenue is recognised from it.")
@click.option("--id", "id_", help="Idempotency key: the same id again changes nothing.")
@click.option("--priority", default=0, show_default=True, help="Smaller ones are used first.")
@click.option("--from", "since", help="First instant at which it may be used, such as 2026-01-31 or 2026-01-31T12:00:00Z; at once if absent.")
@click.option("--expires", help="Instant at which what is left of it expires; never if absent.")
@click.option("--product", "products", multiple=True, callback=said, help="Only for this product; may be repeated.")
@click.option("--tier", "tiers", multiple=True, callback=said, help="Only at this service tier; may be repeated.")
@click.option("--pending", is_flag=True, help="No credits until `grants confirm ID`.")
@click.option("--why", default="", help="Kept with the grant, as is who gave it.")
@database
@as_json
def add(*, id_: str | None, db: Where, as_json: bool, **terms: Any) -> None:
    """Give CUSTOMER a lot of AMOUNT credits."""
    given = _given(sortable_id(now(), entropy(ENTROPY_BYTES)) if id_ is None else id_, **terms)
    with open_ledger(db, create=False) as ledger:
        known = next((lot for lot in _lots(db, given.customer) if lot.id == given.id), None)
        if known is not None:
            # a retry on another day, by somebody else, is the same grant
            given = replace(given, at=known.grant.at, who=known.grant.who)
        elif given.expiry and given.expiry <= max(given.effective, given.at):
            mend = "let it expire after now, and after --from"
            raise InputError(f"grant {given.id} would expire before it could be used", mend=mend, code="bad_amount")
        (result,) = accept(ledger.submit_now([given]))
    pending = ", once it is confirmed" if given.pending else ""
    _tell(given.id, given.customer, result, f"after grant {given.id}{pending}", as_json=as_json)
    _warn(db, given)


def _warn(db: Where, given: Grant) -> None:
    """Say on stderr what of a grant's scope the book last served does not have: it buys nothing of that."""
    book = last_served(db) if given.products or given.tiers else None
    if book is None:
        return
    tiers = {tier for card in book.cards.values() for _, tier in card.cells}
    unknown = [f"product {name}" for name in given.products if name not in book.products] + [
        f"tier {name}" for name in given.tiers if name not in tiers
    ]
    for what in unknown:
        click.echo(f"warning: the book last served has no {what}", err=True)


def _given(id_: str, *, customer: str, amount: str, source: str, paid: str, **terms: Any) -> Grant:
    """Return the grant that options describe, else InputError."""
    since, expires = terms.pop("since"), terms.pop("expires")
    instants: dict[str, Any] = {"effective": _instant(since), "expiry": _instant(expires)}
    given = Grant(id_, customer, parse_amount(amount), Source(source), parse_amount(paid), now(), who=user(), **instants, **terms)
    _refuse(given)
    return given


def _instant(text: str | None) -> int:
    """Return an option's instant, 0 where it is absent; InputError where it would be read as absent, or as long ago."""
    at = 0 if text is None else parse_instant(text)
    if text is not None and at <= 0:
        raise InputError(f"{text} is before every grant", mend="write an instant after 1970-01-01, or leave it out", code="bad_instant")
    return at


@command.command()
@click.argument("grant")
@database
@as_json
def confirm(*, grant: str, db: Where, as_json: bool) -> None:
    """Make a pending GRANT effective: it was paid. Again changes nothing."""
    _end(Confirm(grant, now()), db, as_json=as_json)


@command.command()
@click.argument("grant")
@database
@as_json
def cancel(*, grant: str, db: Where, as_json: bool) -> None:
    """End a pending GRANT that will not be paid. Again changes nothing."""
    _end(Cancel(grant, now()), db, as_json=as_json)


@command.command()
@click.argument("grant")
@click.option("--why", required=True, callback=said, help="Kept with the correction, as is who made it.")
@database
@as_json
def void(*, grant: str, why: str, db: Where, as_json: bool) -> None:
    """Take back what is left of GRANT; what is held goes back when its request ends, what was used stays used."""
    _end(Void(grant, now(), user(), why), db, as_json=as_json)


def _end(command_: Confirm | Cancel | Void, db: Where, *, as_json: bool) -> None:
    lot = next((lot for lot in _lots(db, None) if lot.id == command_.grant), None)
    with open_ledger(db, create=False) as ledger:
        (result,) = accept(ledger.submit_now([command_]))
    _tell(command_.grant, lot.grant.customer if lot else "", result, f"after {type(command_).__name__.lower()} of {command_.grant}", as_json=as_json)


def _tell(id_: str, customer: str, result: Result, after: str, *, as_json: bool) -> None:
    available = format_amount(result.available)
    data = {"id": id_, "customer": customer, "available": available}
    click.echo(json.dumps(data) if as_json else f"{customer} has {available} available {after}")


def _refuse(given: Grant) -> None:
    """InputError where a grant contradicts itself, as a book's grants must not either."""
    if not is_id(given.id):
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
    columns = [Column(title) for title in ("grant", "customer", "source", "state", "since", "expires")]
    numbers = [Column(title, number=True) for title in AMOUNTS]
    rows = [[*_texts(lot), *map(format_amount, _numbers(lot))] for lot in found]
    print_table("", [*columns, *numbers], rows)


def _lots(db: Where, customer: str | None) -> list[Lot]:
    with open_reader(db) as reader:
        if customer is not None:
            need_account(reader, customer)
        return list(reader.lots(customer))


def _texts(lot: Lot) -> tuple[str, ...]:
    given = lot.grant
    since, expires = (format_instant(at).partition("T")[0] if at else "" for at in (given.effective or given.at, given.expiry))
    return (lot.id, given.customer, given.source, lot.state.name.lower(), since, expires)


def _numbers(lot: Lot) -> tuple[int, ...]:
    return (lot.grant.amount, lot.grant.paid, lot.used, lot.held, lot.gone, lot.free)


def _data(lot: Lot) -> dict[str, Any]:
    given = lot.grant
    terms = {"priority": given.priority, "products": given.products, "tiers": given.tiers, "who": given.who, "why": given.why}
    instants = {"at": given.at, "effective": given.effective or given.at, "expiry": given.expiry}
    texts = {name: format_instant(at) if at else None for name, at in instants.items()}
    amounts = {name: format_amount(n) for name, n in zip(AMOUNTS, _numbers(lot), strict=True)}
    named = {"id": lot.id, "customer": given.customer, "source": str(given.source), "state": lot.state.name.lower()}
    return named | texts | amounts | terms
