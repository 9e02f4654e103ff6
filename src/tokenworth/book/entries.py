"""The tables of all files, merged and validated one by one: entries that know their place, and problems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tokenworth.book.explain import explain
from tokenworth.book.lines import Path
from tokenworth.book.schema import SECTIONS, BookTable, Table
from tokenworth.book.source import Source, show_path
from tokenworth.book.suggest import did_you_mean
from tokenworth.core.errors import Problem

ID_MEND = "use letters, digits and - _ . : only"
ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:")


@dataclass(frozen=True, slots=True)
class Entry:
    """A table by its id, valid in itself."""

    id: str
    table: Any
    source: Source
    path: Path

    def problem(self, code: str, what: str, mend: str, *more: str | int, severity: str = "error") -> Problem:
        """Make a problem that stands at a field of this entry."""
        path = (*self.path, *more)
        return Problem(code, what, mend, self.source.name, self.source.line(path), show_path(path), severity)


@dataclass(slots=True)
class Entries:
    """Valid entries by section and id; `declared` has the ids of invalid ones too, so that references to them are no second problem."""

    sections: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in SECTIONS})
    declared: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in SECTIONS})
    """Place (`file:line`) by section and id."""
    book: Entry | None = None
    problems: list[Problem] = field(default_factory=list)

    def __getitem__(self, section: str) -> Mapping[str, Entry]:
        """Return a section's valid entries by id."""
        return self.sections[section]


def merge(sources: Sequence[Source]) -> Entries:
    """Validate every table of every file; the same id in two files is a problem that names both places."""
    entries = Entries()
    for source in sources:
        for section, content in source.data.items():
            if section == "book":
                _take_book(entries, source, content)
            elif section in SECTIONS:
                _take_section(entries, source, section, content)
            else:
                place = Problem(
                    "unknown_section",
                    f"there is no section {section}",
                    did_you_mean(section, ["book", *SECTIONS]),
                    source.name,
                    source.line((section,)),
                    section,
                )
                entries.problems.append(place)
    return entries


def _take_book(entries: Entries, source: Source, content: Any) -> None:
    path: Path = ("book",)
    place = f"{source.name}:{source.line(path)}"
    if "book" in entries.declared:
        first = entries.declared["book"][""]
        entries.problems.append(Problem("duplicate_book", f"[book] is also at {first}", "keep one", source.name, source.line(path), "book"))
        return
    entries.declared["book"] = {"": place}
    entries.book = _validate(entries, BookTable, content, Entry("", None, source, path))


def _take_section(entries: Entries, source: Source, section: str, content: Any) -> None:
    if not isinstance(content, dict):
        what = f"{section} is not a table of ids"
        entries.problems.append(Problem("wrong_type", what, f"write [{section}.some-id]", source.name, source.line((section,)), section))
        return
    for id_, table in content.items():
        bare = Entry(id_, None, source, (section, id_))
        if first := entries.declared[section].get(id_):
            entries.problems.append(bare.problem("duplicate_id", f"{section}.{id_} is also at {first}", "keep one, or rename one"))
            continue
        entries.declared[section][id_] = f"{source.name}:{source.line(bare.path)}"
        if not id_ or not set(id_) <= ID_CHARACTERS:
            entries.problems.append(bare.problem("bad_id", f"{id_!r} cannot be an id", ID_MEND))
        elif entry := _validate(entries, SECTIONS[section], table, bare):
            entries.sections[section][id_] = entry


def _validate(entries: Entries, schema: type[Table], content: Any, bare: Entry) -> Entry | None:
    if not isinstance(content, dict):
        name = show_path(bare.path)
        entries.problems.append(bare.problem("wrong_type", f"{name} is not a table", f"write [{name}] above its fields"))
        return None
    try:
        return Entry(bare.id, schema.model_validate(content), bare.source, bare.path)
    except ValidationError as error:
        entries.problems.extend(_translate(error, schema, bare))
        return None


def _translate(error: ValidationError, schema: type[Table], bare: Entry) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        code, what, mend = explain(detail, schema)
        yield bare.problem(code, what, mend, *detail["loc"])
