"""A folder, or the texts of a stored version -> Book, or BookError with every problem of every file."""

import dataclasses
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from tokenworth.book import checks
from tokenworth.book.build import build
from tokenworth.book.cards import Compiled, card_rows, compile_rows, cost_rows
from tokenworth.book.entries import Entries, merge
from tokenworth.book.model import Book
from tokenworth.book.schema import BookTable
from tokenworth.book.secret import find_secrets
from tokenworth.book.source import Source, parse
from tokenworth.core.errors import BookError, Problem

SUFFIX = ".toml"


def load(folder: Path) -> Book:
    """Read every *.toml of a folder; BookError names each problem with the path of its file."""
    try:
        return load_files(read_folder(folder))
    except BookError as error:
        raise BookError([place(problem, folder) for problem in error.problems]) from None


def place(problem: Problem, folder: Path) -> Problem:
    """Return a problem whose file is named from where the folder is."""
    return dataclasses.replace(problem, file=str(folder / problem.file)) if problem.file else problem


def load_files(files: Mapping[str, str]) -> Book:
    """Make a book of texts by file name, such as those of a stored version; BookError has all problems but warnings."""
    book, problems = examine(files)
    if book is None:
        raise BookError([problem for problem in problems if problem.severity == "error"])
    return book


def read_folder(folder: Path) -> dict[str, str]:
    """Return the text of each *.toml by its name; BookError where there is none or one is not UTF-8."""
    if not folder.is_dir():
        raise BookError([Problem("no_book", f"there is no folder {folder}", f"tokenworth init {folder} writes a starter book")])
    texts, problems = {}, []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            texts[path.name] = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError) as error:
            problems.append(Problem("unreadable", f"cannot be read as UTF-8 text: {error}", "save it as UTF-8", path.name))
    if not texts and not problems:
        problems.append(Problem("no_book", f"{folder} has no {SUFFIX} file", f"tokenworth init {folder} writes a starter book"))
    if problems:
        raise BookError(problems)
    return texts


def examine(files: Mapping[str, str]) -> tuple[Book | None, list[Problem]]:
    """Return the book, or None where a problem is an error, and all problems, warnings too, in order of file and line."""
    sources, problems = parse_files(files)
    entries = merge(sources)
    problems += entries.problems
    if entries.book is None and "book" not in entries.declared and len(sources) == len(files):
        problems.append(Problem("missing_book", "no file has [book]", 'write [book] with name = "..." in one of them'))
    table = entries.book.table if entries.book else BookTable.model_validate({"name": ""})
    compiled, costs = _compile(entries, table, problems)
    # a file that cannot be parsed may hold what others refer to
    if len(sources) == len(files):
        problems += _cross(entries, table)
    problems = _in_order(problems)
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return build(entries, compiled, costs, files=files), problems


def parse_files(files: Mapping[str, str]) -> tuple[list[Source], list[Problem]]:
    """Parse every text; what is not TOML or holds a secret is a problem."""
    sources, problems = [], []
    for name, text in sorted(files.items()):
        parsed = parse(name, text)
        if isinstance(parsed, Source):
            sources.append(parsed)
        else:
            problems.append(parsed)
        problems += find_secrets(name, text, parsed if isinstance(parsed, Source) else None)
    return sources, problems


def _compile(entries: Entries, book: BookTable, problems: list[Problem]) -> tuple[dict[str, Compiled], list[Compiled]]:
    cards = {id_: compile_rows(card_rows(entry, book.unit)) for id_, entry in entries["cards"].items()}
    costs = [compile_rows(cost_rows(entry, book.currency)) for entry in entries["models"].values()]
    for made in (*cards.values(), *costs):
        problems += made.problems
    return cards, costs


def _cross(entries: Entries, book: BookTable) -> list[Problem]:
    return list(
        chain(
            checks.check_references(entries),
            checks.check_suppliers(entries),
            checks.check_models(entries),
            checks.check_units(entries, book),
            checks.check_prices(entries),
            checks.check_plans(entries, book),
            checks.check_grants(entries),
            checks.check_bounds(entries, book),
        )
    )


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Sort by place; where a line holds a secret, say nothing else about it that might repeat it."""
    secret = {(problem.file, problem.line) for problem in problems if problem.code == "secret"}
    kept = [problem for problem in problems if problem.code == "secret" or (problem.file, problem.line) not in secret]
    return sorted(kept, key=lambda problem: (problem.file, problem.line, problem.field, problem.code))
