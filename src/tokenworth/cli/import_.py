"""`tokenworth import`: usage that happened elsewhere, from a file."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from tokenworth.book.load import load
from tokenworth.cli.options import NamedPath, as_json, database
from tokenworth.core.errors import InputError
from tokenworth.core.money import format_amount
from tokenworth.feeds.usage.files import FORMS, UsageFile
from tokenworth.feeds.usage.litellm import CUSTOMERS
from tokenworth.flows.elsewhere.intake import Fate
from tokenworth.wiring.importing import PHASES, Tell, Total, check_usage, import_usage
from tokenworth.wiring.ledgers import Where, named
from tokenworth.wiring.onboard import last_served


@click.command()
@click.argument("file", type=NamedPath(exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="rows", show_default=True, help="What the records are.")
@click.option("--source", default="", help="Of rows without a column `source`: what names the system that they come from.")
@click.option(
    "--customer", type=click.Choice(CUSTOMERS), default=CUSTOMERS[0], show_default=True, help="Of litellm: the column of your customer's id."
)
@click.option("--book", "folder", type=NamedPath(file_okay=False), help="The book that rates, in force from now on; the one last served if absent.")
@click.option("--partial", is_flag=True, help="Record what can be recorded of a file that has problems.")
@click.option("--dry-run", is_flag=True, help="Record nothing; say what would be recorded and what is wrong.")
@database
@as_json
def command(*, folder: Path | None, db: Where, partial: bool, dry_run: bool, as_json: bool, **of_file: Any) -> None:
    """Record the usage in FILE (.csv, .jsonl or .parquet): each use once, rated at its own time.

    A use that is known already changes nothing, so a file may be imported again. A file with problems is refused whole, with all of them, unless
    --partial says otherwise. Exit 1 if something was left out, 2 if the file was refused.
    """
    file = UsageFile(of_file["file"], of_file["form"], of_file["source"], of_file["customer"])
    book = load(folder) if folder else last_served(db)
    if book is None:
        raise InputError(f"no book was served with {named(db)} yet", mend="name it: --book DIR")
    with _progress() as tell:
        total = check_usage(file, book, db, tell=tell) if dry_run else import_usage(file, book, db, partial=partial, tell=tell)
    _print(total, dry_run=dry_run, as_json=as_json)
    sys.exit(1 if total.problems else 0)


def _print(total: Total, *, dry_run: bool, as_json: bool) -> None:
    counts = {str(fate): number for fate, number in total.fates.items()}
    if as_json:
        problems = [asdict(each) for each in total.problems]
        told = {**counts, "charged": format_amount(total.charged), "unit": total.unit, "dry_run": dry_run, "problems": problems}
        click.echo(json.dumps(told))
        return
    for each in total.problems:
        click.echo(str(each), err=True)
    fates = total.fates
    would = "would be recorded" if dry_run else "recorded"
    click.echo(f"{fates[Fate.ACCEPTED]:,} uses {would}, {format_amount(total.charged)} {total.unit} charged")
    for fate, what in ((Fate.DUPLICATE, "were known already"), (Fate.IGNORED, "records tell of no use"), (Fate.REFUSED, "were left out")):
        if fates[fate]:
            click.echo(f"{fates[fate]:,} {what}")


@contextmanager
def _progress() -> Iterator[Tell]:
    """Show how far it is, on a terminal's standard error; silent elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(PHASES[0], total=1.0)
        yield lambda phase, part: bar.update(task, description=phase, completed=part)
