"""`tokenworth demo`: the whole loop on a real trace, with no key and no network."""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tokenworth.book.load import load
from tokenworth.book.model import Book
from tokenworth.book.starter import write_starter
from tokenworth.cli.options import NamedPath, as_json
from tokenworth.core.errors import InputError
from tokenworth.core.money import format_amount
from tokenworth.render.statement import print_statement, statement_data
from tokenworth.wiring.demo import Findings, Seen, gateway, inspect, run
from tokenworth.wiring.onboard import onboard
from tokenworth.wiring.replay import Job, plan_jobs


@click.command()
@click.option("--requests", default=6_000, show_default=True, type=click.IntRange(1), help="How many requests of the traces to replay.")
@click.option("--seconds", default=20, show_default=True, type=click.IntRange(1, 86_400), help="Time into which their arrivals are squeezed.")
@click.option("--seed", default=1, show_default=True, help="Splits the trace over customers and tiers.")
@click.option("--keep", type=NamedPath(file_okay=False), help="Keep book, ledger and events in this new folder.")
@as_json
def command(*, requests: int, seconds: int, seed: int, keep: Path | None, as_json: bool) -> None:
    """Replay a real request trace through the real gateway, then print the statement.

    Exit 1 if a request was lost, the ledger does not verify, or the exported events rate differently as columns.
    """
    if keep and keep.is_dir() and any(keep.iterdir()):
        raise InputError(f"{keep} is there already, and not empty", mend="name a new folder", code="not_empty")
    console = Console(stderr=as_json, soft_wrap=True)
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenworth-demo-")))
        write_starter(folder / "book")
        book = load(folder / "book")
        jobs = plan_jobs(book, requests, seed)
        _introduce(console, book, jobs, seconds)
        secrets = onboard(book, folder / "tokenworth.db")
        with gateway(folder / "book", folder / "tokenworth.db", folder / "gateway.log") as url:
            seen = _replay(console, url, jobs, secrets=secrets, seconds=seconds)
        findings = inspect(book, folder / "tokenworth.db", seen, folder / "events.parquet")
        if as_json:
            click.echo(json.dumps(_data(findings), indent=2))
        else:
            print_statement(findings.statement, console=console)
        _conclude(console, findings, keep)
    sys.exit(0 if findings.good else 1)


def _introduce(console: Console, book: Book, jobs: list[Job], seconds: int) -> None:
    traces = sorted({book.models[product.model].trace for product in book.products.values()})
    minutes = jobs[-1].offset / 60e6
    console.print(f"[bold]{book.name}[/bold]: {len(book.customers)} customers on {len(book.plans)} plans, {len(book.products)} products")
    console.print(f"The first {len(jobs):,} requests of {', '.join(traces)}: {minutes:.1f} minutes squeezed into {seconds} seconds")


def _replay(console: Console, url: str, jobs: list[Job], *, secrets: dict[str, str], seconds: int) -> Seen:
    bar = Progress(TextColumn(f"replaying against {url}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)
    with bar:
        task = bar.add_task("", total=len(jobs))
        return run(url, secrets, jobs, seconds=seconds, done=lambda: bar.advance(task))


def _conclude(console: Console, found: Findings, keep: Path | None) -> None:
    unit = found.statement.unit
    refused = f", {found.sold_out:,} refused for want of credits" if found.sold_out else ""
    console.print(f"\nClients: {len(found.seen.charges):,} answered{refused}, {found.lost:,} lost.", highlight=False)
    for problem in found.report.problems:
        console.print(f"Ledger: {problem}", style="red", highlight=False)
    if not found.report.problems:
        console.print(f"Ledger: verified. {found.report.summary}", style="green", highlight=False)
    recorded, rated = found.statement.total.charge, found.rated
    equal = "equal to the nano-unit" if recorded == rated else f"the ledger charged {format_amount(recorded)}"
    style = "green" if recorded == rated else "red"
    console.print(f"Exported events, rated again as columns: {format_amount(rated)} {unit}, {equal}.", style=style, highlight=False)
    folder = keep / "book" if keep else "DIR"
    first = "" if keep else "tokenworth init DIR, then "
    console.print(f"\nTo serve it for good: {first}[bold]tokenworth serve {folder}[/bold]", highlight=False)


def _data(found: Findings) -> dict[str, Any]:
    return statement_data(found.statement) | {
        "answered": len(found.seen.charges),
        "sold_out": found.sold_out,
        "lost": found.lost,
        "ledger_problems": [str(problem) for problem in found.report.problems],
        "rated_as_columns": format_amount(found.rated),
        "good": found.good,
    }
