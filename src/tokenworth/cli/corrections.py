"""`tokenworth ledger refund`, `adjust` and `notices`: mending what was recorded, and what the ledger wants the operator to know."""

import json

import click

from tokenworth.capture.commands import Adjust, Refund
from tokenworth.cli.options import as_json, database, said, user
from tokenworth.core.ids import ENTROPY_BYTES, sortable_id
from tokenworth.core.instants import format_instant
from tokenworth.core.money import format_amount, parse_amount
from tokenworth.render.tables import Column, print_table
from tokenworth.wiring.clock import entropy, now
from tokenworth.wiring.ledgers import Where, open_ledger, open_reader
from tokenworth.wiring.onboard import accept, need_account

why = click.option("--why", required=True, callback=said, help="Kept with the correction, as is who made it.")
id_option = click.option("--id", "id_", help="Idempotency key: the same id again changes nothing.")


@click.command()
@click.argument("event")
@click.option("--amount", help="How much of the charge; what is left of it if absent.")
@why
@id_option
@database
@as_json
def refund(*, event: str, amount: str | None, why: str, id_: str | None, db: Where, as_json: bool) -> None:  # noqa: PLR0913 - one per option
    """Give back the charge of EVENT to the grants that paid it, and unwind its revenue."""
    command = Refund(_id(id_), event, None if amount is None else parse_amount(amount), now(), user(), why)
    _correct(command, db, as_json=as_json)


@click.command()
@click.argument("customer")
@click.argument("amount")
@click.option("--take", is_flag=True, help="Take AMOUNT away instead of giving it.")
@click.option("--corrects", default="", help="The event or entry that it mends.")
@why
@id_option
@database
@as_json
def adjust(*, customer: str, amount: str, take: bool, corrects: str, why: str, id_: str | None, db: Where, as_json: bool) -> None:  # noqa: PLR0913 - one per option
    """Give CUSTOMER AMOUNT credits outside of any request, or take them."""
    given = parse_amount(amount)
    _correct(Adjust(_id(id_), customer, -given if take else given, now(), user(), why, corrects), db, as_json=as_json)


@click.command()
@click.argument("customer", required=False)
@database
@as_json
def notices(*, customer: str | None, db: Where, as_json: bool) -> None:
    """List what the ledger told of: balances that fell below a threshold, top-ups that it asks for."""
    with open_reader(db) as reader:
        if customer is not None:
            need_account(reader, customer)
        found = [notice for notice in reader.notices() if customer in (None, notice.customer)]
    if as_json:
        names = ("customer", "kind", "subject")
        plain = [{name: getattr(n, name) for name in names} | {"left": format_amount(n.left), "at": format_instant(n.at)} for n in found]
        click.echo(json.dumps(plain, indent=2))
        return
    columns = [*(Column(title) for title in ("at", "customer", "notice", "subject")), Column("left", number=True)]
    print_table("", columns, [[format_instant(n.at), n.customer, n.kind, n.subject, format_amount(n.left)] for n in found])


def _id(given: str | None) -> str:
    return sortable_id(now(), entropy(ENTROPY_BYTES)) if given is None else given


def _correct(command: Refund | Adjust, db: Where, *, as_json: bool) -> None:
    with open_ledger(db, create=False) as ledger:
        (result,) = accept(ledger.submit_now([command]))
    available = format_amount(result.available)
    text = f"{command.id} is recorded; {available} are available"
    click.echo(json.dumps({"id": command.id, "available": available}) if as_json else text)
