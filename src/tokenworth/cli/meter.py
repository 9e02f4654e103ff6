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

    The payload is a whole response or its usage object; `at` is a date or an instant. With --json each line gives a line: disjoint counts, list cost
    in dollars and the prices used, or an error that names what is unknown. Exit 1 if any line failed.
    """
    failed = False
    totals = Totals()
    with _lines(file) as lines:
        for result in meter_lines(lines, ListPrices()):
            failed = failed or isinstance(result, Failed)
            if as_json:
                click.echo(json.dumps(line_data(result)))
            else:
                totals.add(result)
    if not as_json:
        print_totals(totals, Console())
        for bad in totals.failed:
            click.echo(f"line {bad.line}: {bad.error} [{bad.error.code}]", err=True)
    sys.exit(1 if failed else 0)


@contextmanager
def _lines(file: Path | None) -> Iterator[IO[str]]:
    if file is None or str(file) == "-":
        yield sys.stdin
    elif sys.stderr.isatty():
        with open_with_progress(file, "r", encoding="utf-8", console=Console(stderr=True), transient=True) as lines:
            yield lines
    else:
        with file.open(encoding="utf-8") as lines:
            yield lines
