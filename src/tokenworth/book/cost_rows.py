"""Cost rows written into a book: an estimate becomes a price as decimal text that a person reviews, in a file of the book, with a date."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenworth.book.build import typed_fleet, typed_model
from tokenworth.book.cards import show_date
from tokenworth.book.entries import merge
from tokenworth.book.load import examine, parse_files, place, read_folder
from tokenworth.book.model import Fleet, Model
from tokenworth.book.suggest import did_you_mean
from tokenworth.core.errors import BookError, InputError, Problem

FILE = "costs.toml"
HEAD = "# What the models cost, as `tokenworth cost tokens --write` estimated it: review it, and correct by a row of a later date.\n"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Costed:
    """A model of a book whose cost is asked for; `fleet` where its supplier is one."""

    model: Model
    fleet: Fleet | None
    currency: str


def find_model(folder: Path, id_: str) -> Costed:
    """Return a model of a book that may have no cost yet; BookError where it or its supplier is not declared as it should be."""
    texts = read_folder(folder)
    if not texts:
        raise InputError(f"there is no book in {folder}", mend=f"tokenworth init {folder} writes a starter book", code="no_book")
    sources, problems = parse_files(texts)
    if problems:
        raise BookError([place(problem, folder) for problem in problems])
    entries = merge(sources)
    entry = entries["models"].get(id_)
    if entry is None:
        raise InputError(f"the book in {folder} has no model {id_}", mend=did_you_mean(id_, entries.declared["models"]), code="unknown_model")
    supplier = entries["suppliers"].get(entry.table.supplier)
    if not entry.sound("supplier", "name") or supplier is None or not supplier.sound() or _lacks(supplier.table):
        raise InputError(
            f"the book in {folder} does not say who serves {id_}", mend=f"mend what tokenworth check {folder} says of it", code="bad_book"
        )
    fleet = typed_fleet(supplier.table) if supplier.table.kind == "fleet" else None
    return Costed(typed_model(id_, entry.table), fleet, entries.book.table.currency if entries.book else "USD")


def _lacks(table: object) -> bool:
    return getattr(table, "kind", "") == "fleet" and any(getattr(table, name) is None for name in ("gpu", "gpus", "gpu_hour"))


@dataclass(frozen=True, slots=True)
class EstimatedCost:
    """A dated row of estimated costs.

    Attributes:
        model: its id.
        since: instant from which it holds.
        rates: decimal text per million by unit.
        remarks: what stands beside each rate, such as its interval.
        source: lines above the row: what it was made from, and when.
    """

    model: str
    since: int
    rates: Mapping[str, str]
    remarks: Mapping[str, str]
    source: Sequence[str]


def row_text(row: EstimatedCost) -> str:
    """Return a row as TOML."""
    key = row.model if BARE_KEY.fullmatch(row.model) else f'"{row.model}"'
    lines = [f"# {line}" for line in row.source]
    lines += [f"[[models.{key}.cost]]", f"from = {show_date(row.since)}"]
    rates = {name: f'{name} = "{rate}"' for name, rate in row.rates.items()}
    width = max(map(len, rates.values()))
    lines += [f"{text:<{width}}  # {row.remarks[name]}" if row.remarks.get(name) else text for name, text in rates.items()]
    return "\n".join(lines) + "\n"


def write_row(folder: Path, row: EstimatedCost) -> Path:
    """Append a row to the book's file of costs and return the file; BookError, and nothing is written, where the row itself is a problem."""
    texts = read_folder(folder)
    before = texts.get(FILE, HEAD)
    if isinstance(before, Problem):
        raise BookError([place(before, folder)])
    after = f"{before.rstrip()}\n\n{row_text(row)}"
    known = {(problem.code, problem.what) for problem in examine(texts)[1]}
    found = examine(texts | {FILE: after})[1]
    new = [problem for problem in found if problem.severity == "error" and (problem.code, problem.what) not in known]
    if new:
        raise BookError([place(problem, folder) for problem in new])
    partial = folder / f".{FILE}.partial"
    try:
        partial.write_text(after, encoding="utf-8")
        partial.replace(folder / FILE)
    finally:
        partial.unlink(missing_ok=True)
    return folder / FILE
