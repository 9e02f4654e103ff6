"""`tokenworth export events`: stored usage events as files that other tools read."""

from pathlib import Path

import click

from tokenworth.cli.options import database
from tokenworth.core.errors import InputError
from tokenworth.core.instants import parse_instant
from tokenworth.store.events_text import write_csv, write_jsonl
from tokenworth.store.lake.parquet import write_parquet
from tokenworth.wiring.ledgers import Where, open_reader

WRITERS = {"parquet": write_parquet, "csv": write_csv, "jsonl": write_jsonl}


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
    if path.exists() and not force:
        raise InputError(f"{path} exists", mend="pass --force to replace it, or --out FILE")
    with open_reader(db) as reader:
        stored = reader.read(since=parse_instant(since) if since else None, until=parse_instant(until) if until else None)
        written = WRITERS[form](stored, path)
    click.echo(f"{written:,} events written to {path}")
