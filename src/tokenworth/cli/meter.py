"""`tokenworth meter`: what providers' usage payloads count, and what they cost at list price."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import open as open_with_progress

from tokenworth.cli.options import as_json
from tokenworth.feeds.list_prices import ListPrices
from tokenworth.flows.meter import Failed, meter_lines
from tokenworth.render.meter import Totals, line_data, print_totals


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@as_json
def command(*, file: Path | None, as_json: bool) -> None:
    """Meter JSON lines of {"provider", "api", "model", "at", "payload"} from FILE, or from standard input.

    The payload is a whole response, its usage object, or the list of a stream's chunks or events; `at` is a date or an instant. With --json
    each line gives a line: disjoint counts, list cost in dollars and the prices used, or an error that names what is unknown. Exit 1 if any
    line failed.
    """
    failed = 0
    totals = Totals()
    with _lines(file) as lines:
        for result in meter_lines(lines, ListPrices()):
            failed += isinstance(result, Failed)
            if as_json:
                click.echo(json.dumps(line_data(result)))
            elif isinstance(result, Failed):
                click.echo(f"line {result.line}: {result.error} [{result.error.code}]", err=True)
            else:
                totals.add(result)
    if not as_json:
        print_totals(totals, Console())
        if failed:
            click.echo(f"{failed:,} lines failed and are not in the table", err=True)
    sys.exit(1 if failed else 0)


@contextmanager
def _lines(file: Path | None) -> Iterator[IO[bytes]]:
    """Open lines as bytes: what is no UTF-8 is one line's error, not the file's."""
    if file is None or str(file) == "-":
        yield sys.stdin.buffer
    elif sys.stderr.isatty():
        with open_with_progress(file, "rb", console=Console(stderr=True), transient=True) as lines:
            yield lines
    else:
        with file.open("rb") as lines:
            yield lines
