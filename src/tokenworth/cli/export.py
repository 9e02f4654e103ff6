"""`tokenworth export`: stored usage events, and the journal, as files that other tools read."""

import json
from pathlib import Path
from typing import Any

import click

from tokenworth.cli.instants import instant, need_order
from tokenworth.cli.options import NamedPath, as_json, database, period
from tokenworth.core.errors import InputError
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
@click.option("--out", type=NamedPath(), help="File to write; events.FORMAT in this folder if absent.")
@click.option("--since", help="First instant, such as 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", help="Instant before which events are taken.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@as_json
def events(  # noqa: PLR0913 - one per option
    *, db: Where, form: str, out: Path | None, since: str | None, until: str | None, force: bool, as_json: bool
) -> None:
    """Write usage events: counts by class, charge, revenue and cost in nano-units, one row a request."""
    path = out or Path(f"events.{form}")
    taken = period(since, until)
    refuse(path, db, force=force)
    with open_reader(db) as reader:
        written = WRITERS[form](reader.read(**taken), path)
    _tell("events", written, path, form, as_json=as_json)


@command.command()
@database
@click.option("--format", "form", type=click.Choice(list(JOURNALS)), default="beancount", show_default=True)
@click.option("--out", type=NamedPath(), help="File to write; journal.FORMAT in this folder if absent.")
@click.option("--since", callback=instant, help="First instant, such as 2026-01-31; what was before is the opening balance.")
@click.option("--until", callback=instant, help="Instant before which postings are taken.")
@click.option("--recorded", is_flag=True, help="By when postings were recorded, not by when they took effect.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@as_json
def journal(*, db: Where, form: str, out: Path | None, force: bool, as_json: bool, **taken: Any) -> None:
    """Write what each day (UTC) moved between accounts, one transaction a pair of accounts; bean-check accepts the beancount text."""
    need_order(taken["since"], taken["until"])
    path = out or Path(f"journal.{form}")
    refuse(path, db, force=force)
    with open_reader(db) as reader:
        written = write_lines(JOURNALS[form](reader.journal(**taken)), path)
    _tell("lines", written, path, form, as_json=as_json)


def _tell(what: str, written: int, path: Path, form: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({what: written, "file": str(path), "format": form}))
    else:
        click.echo(f"{written:,} {what} written to {path}")


def refuse(path: Path, db: Where, *, force: bool) -> None:
    """InputError where a file cannot stand at a path, or where it would replace the ledger or, unasked, anything else."""
    mend = "pass another --out FILE"
    if path.is_dir() or not path.parent.is_dir():
        what = f"{path} is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise InputError(what, mend=mend, code="no_file")
    if isinstance(db, Path) and _is_ledger(path, db):
        raise InputError(f"{path} is the ledger itself", mend=mend, code="is_ledger")
    if path.exists() and not force:
        raise InputError(f"{path} exists", mend="pass --force to replace it, or --out FILE", code="exists")


def _is_ledger(path: Path, db: Path) -> bool:
    files = {Path(f"{db.resolve()}{suffix}") for suffix in ("", "-wal", "-shm", "-journal")}
    return path.resolve() in files or (path.exists() and db.exists() and path.samefile(db))
