"""A folder, or the texts of a stored version -> Book, or BookError with every problem of every file."""

import dataclasses
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from tokenworth.book import checks, mixes
from tokenworth.book.build import build
from tokenworth.book.cards import Compiled, card_rows, compile_rows, cost_rows
from tokenworth.book.checks import PriceList
from tokenworth.book.entries import Entries, merge
from tokenworth.book.model import Book, Model
from tokenworth.book.schema import BookTable
from tokenworth.book.secret import find_secrets
from tokenworth.book.source import Source, parse
from tokenworth.core.errors import BookError, Problem

SUFFIX = ".toml"


def _unasked(model: Model, currency: str) -> None:
    """Take every list price on trust: who wants it checked brings a price list."""
    del model, currency


def load(folder: Path, price_list: PriceList = _unasked) -> Book:
    """Read every *.toml of a folder; BookError names each problem, but no warning, with the path of its file."""
    book, problems = examine_folder(folder, price_list)
    if book is None:
        raise BookError([place(problem, folder) for problem in problems if problem.severity == "error"])
    return book


def examine_folder(folder: Path, price_list: PriceList = _unasked) -> tuple[Book | None, list[Problem]]:
    """Return the book of a folder, or None, and all problems; files are named from the folder."""
    texts = read_folder(folder)
    if texts:
        return examine(texts, price_list)
    what = f"{folder} has no {SUFFIX} file" if folder.is_dir() else f"there is no folder {folder}"
    return None, [Problem("no_book", what, f"tokenworth init {folder} writes a starter book")]


def place(problem: Problem, folder: Path) -> Problem:
    """Return a problem whose file is named from where the folder is."""
    return dataclasses.replace(problem, file=str(folder / problem.file)) if problem.file else problem


def load_files(files: Mapping[str, str]) -> Book:
    """Make a book of texts by file name, such as those of a stored version; BookError has all problems but warnings."""
    book, problems = examine(files)
    if book is None:
        raise BookError([problem for problem in problems if problem.severity == "error"])
    return book


def read_folder(folder: Path) -> dict[str, str | Problem]:
    """Return the text of each *.toml by its name, or why it cannot be read."""
    return {path.name: _text(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}


def _text(path: Path) -> str | Problem:
    """Return the text of a UTF-8 file, without the byte order mark that some editors write."""
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem("unreadable", f"byte 0x{data[error.start]:02x} is not UTF-8 text", "save the file as UTF-8", path.name, line)
    except FileNotFoundError:
        return Problem("unreadable", "this link leads nowhere", "mend or remove it", path.name, 1)
    except OSError as error:
        mend = f"make it a file that you may read, or name it otherwise: every *{SUFFIX} is part of the book"
        return Problem("unreadable", f"it cannot be read: {error.strerror}", mend, path.name, 1)


def examine(files: Mapping[str, str | Problem], price_list: PriceList = _unasked) -> tuple[Book | None, list[Problem]]:
    """Return the book, or None where a problem is an error, and all problems, warnings too, in order of file and line."""
    sources, problems = parse_files(files)
    entries = merge(sources)
    problems += entries.problems
    table = entries.book.table if entries.book else BookTable.model_validate({"name": "unnamed"})
    compiled, costs = _compile(entries, table, problems)
    # a file that cannot be parsed may hold what others refer to
    if len(sources) == len(files):
        problems += _cross(entries, table)
    if not entries.book or entries.book.sound("currency"):
        problems += checks.check_list_prices(entries, table.currency, price_list)
    problems = _in_order(problems)
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return build(entries, compiled, costs, files={name: text for name, text in files.items() if isinstance(text, str)}), problems


def parse_files(files: Mapping[str, str | Problem]) -> tuple[list[Source], list[Problem]]:
    """Parse every text; what could not be read, is not TOML or holds a secret is a problem."""
    sources, problems = [], []
    for name, text in sorted(files.items()):
        parsed = text if isinstance(text, Problem) else parse(name, text)
        if isinstance(parsed, Source):
            sources.append(parsed)
        else:
            problems.append(parsed)
        if isinstance(text, str):
            problems += find_secrets(name, text, parsed if isinstance(parsed, Source) else None)
    return sources, problems


def _compile(entries: Entries, book: BookTable, problems: list[Problem]) -> tuple[dict[str, Compiled], list[Compiled]]:
    cards = {id_: compile_rows(card_rows(entry, book.unit)) for id_, entry in entries["cards"].items()}
    costs = [compile_rows(cost_rows(entry, book.currency)) for entry in entries["models"].values()]
    for made in (*cards.values(), *costs):
        problems += made.problems
    return cards, costs


def _cross(entries: Entries, book: BookTable) -> list[Problem]:
    found = chain(
        _no_book(entries),
        checks.check_references(entries),
        checks.check_suppliers(entries),
        checks.check_models(entries),
        mixes.check_mixes(entries),
        mixes.check_tiers(entries),
        mixes.check_contexts(entries),
        checks.check_prices(entries),
        checks.check_something_is_sold(entries),
        checks.check_grants(entries),
        checks.check_bounds(entries, book),
        checks.check_holds(entries),
    )
    if entries.book and not entries.book.sound("unit", "currency"):
        return list(found)
    return [*found, *checks.check_units(entries, book), *checks.check_plans(entries, book)]


def _no_book(entries: Entries) -> list[Problem]:
    if "book" in entries.named:
        return []
    return [Problem("missing_book", "no file has [book]", 'write [book] with name = "..." in one of them')]


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Sort by place; where a line holds a secret, say nothing else about it that might repeat it."""
    secret = {(problem.file, problem.line) for problem in problems if problem.code == "secret"}
    kept = [problem for problem in problems if problem.code == "secret" or (problem.file, problem.line) not in secret]
    return sorted(kept, key=lambda problem: (problem.file, problem.line, problem.field, problem.code))
