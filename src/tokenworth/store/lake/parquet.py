"""Usage events <-> Parquet: one integer column per billable unit, so that any engine can rate the file."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tokenworth.capture.events import UsageEvent
from tokenworth.core.units import UNITS
from tokenworth.store.lake import need
from tokenworth.store.rows import INSTANTS, INTEGERS, TEXTS, row

BATCH = 50_000


def schema() -> Any:
    """Return the Arrow schema: texts, UTC timestamps in microseconds, nano-unit amounts, and a count per unit."""
    pa = need("pyarrow")
    columns = [
        *((name, pa.string()) for name in TEXTS),
        *((name, pa.timestamp("us", tz="UTC")) for name in INSTANTS),
        *((name, pa.int64()) for name in INTEGERS),
        *((name, pa.int64()) for name in UNITS),
    ]
    notes = {"charge": "nano-units of `unit`", "revenue": "nano-units of `currency`", "cost": "nano-units of `currency`"}
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns], metadata={"tokenworth": json.dumps(notes)})


def write_parquet(events: Iterable[UsageEvent], path: Path) -> int:
    """Write events to one Parquet file and return their number; the file appears whole or not at all."""
    pa, pq = need("pyarrow"), need("pyarrow.parquet")
    partial = path.with_name(f".{path.name}.partial")
    shape, written = schema(), 0
    try:
        with pq.ParquetWriter(partial, shape, compression="zstd") as writer:
            for batch in _batches(events):
                columns = {field.name: [line[field.name] for line in batch] for field in shape}
                writer.write_table(pa.table(columns, schema=shape))
                written += len(batch)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return written


def _batches(events: Iterable[UsageEvent]) -> Iterator[list[dict[str, Any]]]:
    rows = map(row, events)
    while batch := list(islice(rows, BATCH)):
        yield batch
