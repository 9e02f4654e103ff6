"""Usage events as CSV and as JSON lines; the same flat rows as the Parquet file has."""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from tokenworth.capture.events import UsageEvent
from tokenworth.core.instants import format_instant
from tokenworth.store.rows import COLUMNS, INSTANTS, row


def write_csv(events: Iterable[UsageEvent], path: Path) -> int:
    """Write events as CSV with a header and return their number; the file appears whole or not at all."""

    def fill(file: TextIO) -> int:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        return sum(1 for event in events if table.writerow(_readable(event)))

    return _whole(path, fill)


def write_jsonl(events: Iterable[UsageEvent], path: Path) -> int:
    """Write events as JSON lines and return their number; the file appears whole or not at all."""
    return _whole(path, lambda file: sum(1 for event in events if file.write(json.dumps(_readable(event)) + "\n")))


def _readable(event: UsageEvent) -> dict[str, object]:
    return {name: format_instant(value) if name in INSTANTS else value for name, value in row(event).items()}


def write_lines(lines: Iterable[str], path: Path) -> int:
    """Write lines of text and return their number; the file appears whole or not at all."""
    return _whole(path, lambda file: sum(1 for line in lines if file.write(line + "\n")))


def _whole(path: Path, fill: Callable[[TextIO], int]) -> int:
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            written = fill(file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return written
