"""`tokenworth ledger trial-balance` and `history`: what an accountant and a customer ask."""

import json

import click
from rich.console import Console

from tokenworth.cli.instants import instant, need_order
from tokenworth.cli.options import as_json, database, period
from tokenworth.flows.promises import services
from tokenworth.render.accounts import history_data, print_history, print_trial_balance, trial_balance_csv, trial_balance_data
from tokenworth.render.beancount import trial_balance_lines
from tokenworth.render.promises import print_promises, promises_data
from tokenworth.wiring.clock import now
from tokenworth.wiring.ledgers import Where, open_reader
from tokenworth.wiring.onboard import need_account

FORMATS = {"beancount": trial_balance_lines, "csv": trial_balance_csv}


@click.command()
@click.option(
    "--at", "until", callback=instant, help="Instant before which postings count, such as 2026-01-31 or 2026-01-31T12:00:00Z; now if absent."
)
@click.option("--since", callback=instant, help="First instant of what moved; what was before is the opening balance.")
@click.option("--recorded", is_flag=True, help="By when postings were recorded, not by when they took effect.")
@click.option("--format", "form", type=click.Choice(["table", *FORMATS]), default="table", show_default=True)
@database
@as_json
def trial_balance(*, until: int | None, since: int | None, recorded: bool, form: str, db: Where, as_json: bool) -> None:  # noqa: PLR0913 - one per option
    """Show every account's opening balance, debits, credits and closing balance, and what is deferred, earned and broken off."""
    end = now() if until is None else until
    need_order(since, end)
    with open_reader(db) as reader:
        found = reader.trial_balance(since=since, until=end, recorded=recorded)
    if as_json:
        click.echo(json.dumps(trial_balance_data(found), indent=2))
    elif form == "table":
        print_trial_balance(found)
    else:
        for line in FORMATS[form](found):
            click.echo(line)


@click.command()
@click.option("--since", help="First instant, such as 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", help="Instant before which events are taken.")
@database
@as_json
def promises(*, since: str | None, until: str | None, db: Where, as_json: bool) -> None:
    """Show what service tiers came to: time to the first token, tokens a second of one user, waiting, and the share inside the promise."""
    with open_reader(db) as reader:
        found = services(reader.read(**period(since, until)))
    if as_json:
        click.echo(json.dumps(promises_data(found), indent=2))
    else:
        print_promises(found, console=Console())


@click.command()
@click.argument("customer")
@click.option("--since", callback=instant, help="First instant, such as 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", callback=instant, help="Instant before which entries are taken.")
@database
@as_json
def history(*, customer: str, since: int | None, until: int | None, db: Where, as_json: bool) -> None:
    """Show what moved CUSTOMER's credits and debt, in order: when, what, how much, of which lot, and what was left."""
    need_order(since, until)
    with open_reader(db) as reader:
        need_account(reader, customer)
        lines = reader.history(customer, since=since, until=until)
        if as_json:
            click.echo(json.dumps([history_data(line) for line in lines], indent=2))
        else:
            print_history(lines)
