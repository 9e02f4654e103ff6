"""Files of usage, read record by record: CSV with a header, JSON lines, Parquet. Of any length: nothing is kept."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from tokenworth.core.errors import InputError, Problem
from tokenworth.feeds.usage import cloudevents, litellm, otlp, rows
from tokenworth.feeds.usage.otlp_wire import spans_of
from tokenworth.flows.elsewhere.reported import Read
from tokenworth.flows.meter import unique

BATCH = 5_000
"""Rows of a Parquet file at once."""
MOST_CELL = 16 * 1024 * 1024
"""Characters of one cell of a CSV."""
Tell = Callable[[float], None]
"""Hears which part of the file is read, from 0 to 1."""
Numbered = tuple[int, Any]
"""The line (of Parquet the row), from 1, and what stands there: values by name, or a Problem."""


@dataclass(frozen=True, slots=True)
class UsageFile:
    """A file, and how it is read: `form` is one of FORMS, `source` that of rows that name none, `customer` a column of LiteLLM's."""

    path: Path
    form: str = "rows"
    source: str = ""
    customer: str = litellm.CUSTOMERS[0]

    def read(self, tell: Tell = lambda _: None) -> Iterator[Read]:
        """Yield what each record tells; InputError where the file cannot be read at all."""
        reader = FORMS[self.form]
        for number, values in _numbered(self.path, tell):
            if isinstance(values, Problem):
                yield Read(number, problems=(values,))
            else:
                yield from reader(self, number, values)


def _rows(file: UsageFile, number: int, values: Mapping[str, Any]) -> Iterator[Read]:
    yield rows.read(number, values, source=file.source)


def _litellm(file: UsageFile, number: int, values: Mapping[str, Any]) -> Iterator[Read]:
    yield litellm.read(number, values, customer=file.customer)


def _cloudevents(_: UsageFile, number: int, values: Mapping[str, Any]) -> Iterator[Read]:
    yield cloudevents.read_one(number, values)


def _otlp(_: UsageFile, number: int, values: Mapping[str, Any]) -> Iterator[Read]:
    try:
        spans = spans_of(values)
    except InputError as error:
        yield Read(number, problems=(Problem(error.code, error.what, error.mend),))
        return
    yield from (replace(each, number=number) for each in otlp.read(spans))


FORMS: Mapping[str, Callable[[UsageFile, int, Mapping[str, Any]], Iterator[Read]]] = {
    "rows": _rows,
    "litellm": _litellm,
    "cloudevents": _cloudevents,
    "otlp": _otlp,
}
"""What the records are, by the name that `tokenworth import --format` takes."""


def _numbered(path: Path, tell: Tell) -> Iterator[Numbered]:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path.name} is of no kind that is known", mend=f"its name must end in {', '.join(KINDS)}", code="unknown_kind")
    try:
        if kind is _parquet:
            yield from _parquet(path, tell)
            return
        size = max(path.stat().st_size, 1)
        with path.open("rb") as file:
            for number, numbered in enumerate(kind(file)):
                if not number % 1000:
                    tell(file.tell() / size)
                yield numbered
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}", mend="check the file", code="io") from None
    tell(1)


def _json_lines(file: BinaryIO) -> Iterator[Numbered]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield number, _json(line)


def _json(line: bytes) -> Mapping[str, Any] | Problem:
    try:
        # a byte order mark may begin a file
        values = json.loads(line.decode("utf-8-sig"), object_pairs_hook=unique)
    except InputError as error:
        return Problem(error.code, error.what, error.mend)
    except (ValueError, RecursionError) as error:
        return Problem("bad_json", f"not JSON: {error}", "one object a line")
    return values if isinstance(values, dict) else Problem("bad_json", "not an object", "one object a line")


def _csv(file: BinaryIO) -> Iterator[Numbered]:
    csv.field_size_limit(MOST_CELL)
    # line by line, so that what is no UTF-8 has its line; a byte order mark may begin a file
    texts = (line.decode("utf-8-sig" if not number else "utf-8") for number, line in enumerate(file))
    table = csv.DictReader(texts, strict=True)
    try:
        header = table.fieldnames or ()
        twice = sorted({name for name in header if header.count(name) > 1})
        if not header or twice:
            what = f"the header has {twice[0]!r} more than once" if twice else "there is no header"
            yield 1, Problem("bad_header", what, "the first line names each column once")
            return
        for values in table:
            yield table.line_num, _even(values)
    except csv.Error as error:
        yield table.line_num + 1, Problem("bad_csv", f"not CSV: {error}; nothing after it is read", "mend the quotes")
    except UnicodeDecodeError as error:
        yield table.line_num + 1, Problem("bad_encoding", f"not UTF-8: {error.reason}; nothing after it is read", "save the file as UTF-8")


def _even(values: dict[Any, Any]) -> Mapping[str, Any] | Problem:
    """Return a row that has as many cells as the header."""
    if None in values or None in values.values():
        more = "more" if None in values else "fewer"
        return Problem("bad_csv", f"the line has {more} cells than the header", "quote cells that hold commas or line breaks")
    return values


def _parquet(path: Path, tell: Tell) -> Iterator[Numbered]:
    try:
        parquet, arrow = import_module("pyarrow.parquet"), import_module("pyarrow")
    except ModuleNotFoundError:
        mend = "install the extra: pip install 'tokenworth[analytics]'"
        raise InputError("Parquet needs pyarrow, which is not installed", mend=mend, code="missing_extra") from None
    try:
        with parquet.ParquetFile(path) as file:
            total, number = max(file.metadata.num_rows, 1), 0
            for batch in file.iter_batches(batch_size=BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield number, values
                tell(number / total)
    except arrow.ArrowInvalid as error:
        raise InputError(f"{path} is no Parquet: {error}", mend="check the file", code="bad_parquet") from None


KINDS: Mapping[str, Callable[..., Iterator[Numbered]]] = {".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}
"""By the end of the name."""
