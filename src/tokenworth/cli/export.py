"""`tokenworth export`: stored usage events, and the journal, as files that other tools read."""

from pathlib import Path

import click

from tokenworth.cli.instants import instant
from tokenworth.cli.options import database
from tokenworth.core.errors import InputError
from tokenworth.core.instants import parse_instant
from tokenworth.render.accounts import journal_csv
from tokenworth.render.beancount import beancount_lines
from tokenworth.store.events_text import write_csv, write_jsonl, write_lines
from tokenworth.store.lake.parquet import write_parquet
from tokenworth.wiring.ledgers import Where, open_reader

WRITERS = {"parquet": write_parquet, "csv": write_csv, "jsonl": write_jsonl}
JOURNALS = {"beancount": beancount_lines, "csv": journal_csv}


@click.group()
def command() -> None:
    """Write what is stored as files that other tools read."""


@command.command()
@database
@click.option("--format", "form", type=click.Choice(list(WRITERS)), default="parquet", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; events.FORMAT in this folder if absent.")
@click.option("--since", help="First instant, such as 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", help="Instant before which events are taken.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def events(*, db: Where, form: str, out: Path | None, since: str | None, until: str | None, force: bool) -> None:  # noqa: PLR0913 - one per option
    """Write usage events: counts by class, charge, revenue and cost in nano-units, one row a request."""
    path = out or Path(f"events.{form}")
    refuse_existing(path, force=force)
    with open_reader(db) as reader:
        stored = reader.read(since=parse_instant(since) if since else None, until=parse_instant(until) if until else None)
        written = WRITERS[form](stored, path)
    click.echo(f"{written:,} events written to {path}")


@command.command()
@database
@click.option("--format", "form", type=click.Choice(list(JOURNALS)), default="beancount", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; journal.FORMAT in this folder if absent.")
@click.option("--since", callback=instant, help="First instant, such as 2026-01-31; what was before is the opening balance.")
@click.option("--until", callback=instant, help="Instant before which postings are taken.")
@click.option("--recorded", is_flag=True, help="By when postings were recorded, not by when they took effect.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def journal(*, db: Where, form: str, out: Path | None, since: int | None, until: int | None, recorded: bool, force: bool) -> None:  # noqa: PLR0913 - one per option
    """Write what each day (UTC) moved between accounts, one transaction a pair of accounts; bean-check accepts the beancount text."""
    path = out or Path(f"journal.{form}")
    refuse_existing(path, force=force)
    with open_reader(db) as reader:
        written = write_lines(JOURNALS[form](reader.journal(since=since, until=until, recorded=recorded)), path)
    click.echo(f"{written:,} lines written to {path}")


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise InputError where a file exists that may not be replaced."""
    if path.exists() and not force:
        raise InputError(f"{path} exists", mend="pass --force to replace it, or --out FILE")
