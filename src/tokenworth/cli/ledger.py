"""`tokenworth ledger`: the proof, the balances and the statement, read from the ledger's file while a gateway may serve."""

import json
import sys

import click
from rich.console import Console

from tokenworth.cli.corrections import adjust, notices, refund
from tokenworth.cli.ledger_reports import history, promises, trial_balance
from tokenworth.cli.options import as_json, database, period
from tokenworth.core.money import format_amount
from tokenworth.flows.statement import summarise
from tokenworth.render.progress import phases
from tokenworth.render.statement import print_statement, statement_data
from tokenworth.render.tables import Column, print_table
from tokenworth.store.sqlite.verify import PHASES
from tokenworth.wiring.clock import now
from tokenworth.wiring.ledgers import Where, open_reader
from tokenworth.wiring.ledgers import verify as prove
from tokenworth.wiring.onboard import need_account


@click.group()
def command() -> None:
    """Verify the ledger, and read balances, statement, trial balance and histories from it."""


@command.command()
@database
@click.option("--deep", is_flag=True, help="Compare each of the file's indexes with its table too; for files only.")
@as_json
def verify(*, db: Where, deep: bool, as_json: bool) -> None:
    """Derive every balance, lot, hold and event again from the postings; exit 1 if anything differs."""
    with phases(PHASES) as tell:
        report = prove(db, deep=deep, tell=tell)
    if as_json:
        balances = [{"unit": u, "account": a, "balance": format_amount(n)} for (u, a), n in sorted(report.balances.items())]
        counts = {name: getattr(report, name) for name in ("postings", "events", "accounts", "lots", "holds", "corrections")}
        click.echo(json.dumps({"verified": not report.problems, "problems": report.problems, **counts, "balances": balances}, indent=2))
    else:
        for problem in report.problems:
            click.echo(problem, err=True)
        click.echo("The ledger does NOT verify." if report.problems else f"Verified: {report.summary}")
    sys.exit(1 if report.problems else 0)


@command.command()
@click.argument("customer", required=False)
@database
@as_json
def balance(*, customer: str | None, db: Where, as_json: bool) -> None:
    """Show what customers have, hold, owe and may still spend."""
    with open_reader(db) as reader:
        if customer is not None:
            need_account(reader, customer)
        accounts = [account for account in reader.accounts() if customer in (None, account.customer)]
    names = ("balance", "held", "debt", "available")
    amounts = [[*map(format_amount, (a.balance, a.held + a.lent, a.debt, a.available(now())))] for a in accounts]
    if as_json:
        found = [{"customer": a.customer, "unit": a.unit, **dict(zip(names, n, strict=True))} for a, n in zip(accounts, amounts, strict=True)]
        click.echo(json.dumps(found, indent=2))
        return
    columns = [Column("customer"), Column("unit"), *(Column(name, number=True) for name in names)]
    print_table("", columns, [[a.customer, a.unit, *n] for a, n in zip(accounts, amounts, strict=True)])


@command.command()
@click.option("--since", help="First instant, such as 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", help="Instant before which events are taken.")
@database
@as_json
def statement(*, since: str | None, until: str | None, db: Where, as_json: bool) -> None:
    """Show tokens by class, and revenue, cost and margin by product, tier and customer, as charged; what was corrected is apart."""
    taken = period(since, until)
    with open_reader(db) as reader:
        found = summarise(reader.read(**taken), reader.corrections(**taken), reader.beyond(**taken))
    if as_json:
        click.echo(json.dumps(statement_data(found), indent=2))
    else:
        print_statement(found, console=Console())


for each in (promises, trial_balance, history, refund, adjust, notices):
    command.add_command(each)
