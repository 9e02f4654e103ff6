"""The tables of all files, merged and validated: entries that know their places and what is wrong in them, and problems.

A wrong field is one problem and hides no other: the entry is kept with a stand-in, and `broken` tells the checks what not to lean on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tokenworth.book.lines import Path
from tokenworth.book.schema import ROWS, SECTIONS, BookTable, Table
from tokenworth.book.source import Source, show_path
from tokenworth.book.suggest import DID_YOU_MEAN, did_you_mean
from tokenworth.book.validate import validate
from tokenworth.core.errors import Problem
from tokenworth.core.ids import ID_MEND, is_id


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table stands, and the names of its fields that are wrong or missing."""

    source: Source
    path: Path
    broken: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Return `file:line`."""
        return f"{self.source.name}:{self.source.line(self.path)}"

    def sound(self, *fields: str) -> bool:
        """Whether none of these fields is wrong; of no fields, whether none at all is."""
        # what is no table at all has no sound field
        return not (self.broken.intersection(("", *fields)) if fields else self.broken)

    def problem(self, code: str, what: str, mend: str, *more: str | int, severity: str = "error") -> Problem:
        """Make a problem that stands at a field of this table."""
        path = (*self.path, *more)
        return Problem(code, what, mend, self.source.name, self.source.line(path), show_path(path), severity)


@dataclass(frozen=True, slots=True)
class Entry:
    """A table by its id. `rows` has, by the name of each list of tables inside it, their places, which may be in several files."""

    id: str
    table: Any
    place: Place
    rows: Mapping[str, Sequence[Place]] = field(default_factory=dict)

    def sound(self, *fields: str) -> bool:
        """Whether none of these fields is wrong."""
        return self.place.sound(*fields)

    def problem(self, code: str, what: str, mend: str, *more: str | int, severity: str = "error") -> Problem:
        """Make a problem that stands at a field of this entry, or of one of its rows."""
        match more:
            case (str(key), int(at), *rest) if key in self.rows:
                return self.rows[key][at].problem(code, what, mend, *rest, severity=severity)
        return self.place.problem(code, what, mend, *more, severity=severity)


@dataclass(slots=True)
class Entries:
    """Entries by section and id; `declared` has the ids of unusable ones too, so that references to them are no second problem."""

    sections: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in SECTIONS})
    declared: dict[str, dict[str, None]] = field(default_factory=lambda: {name: {} for name in SECTIONS})
    named: set[str] = field(default_factory=set)
    """Sections that some file has, with or without entries."""
    book: Entry | None = None
    problems: list[Problem] = field(default_factory=list)

    def __getitem__(self, section: str) -> Mapping[str, Entry]:
        """Return a section's entries by id."""
        return self.sections[section]


Parts = dict[tuple[str, str], list[tuple[Place, dict[str, Any]]]]
"""What the files say of each entry, by section and id."""


def merge(sources: Sequence[Source]) -> Entries:
    """Validate every table of every file. Rows of one entry may stand in several files; its other fields stand in one."""
    entries = Entries()
    parts: Parts = {}
    for source in sources:
        for section, content in source.data.items():
            entries.named.add(section)
            place = Place(source, (section,))
            if section == "book":
                _take_book(entries, place, content)
            elif section in SECTIONS:
                _take_section(entries, parts, place, content)
            else:
                mend = did_you_mean(section, ["book", *SECTIONS])
                entries.problems.append(place.problem("unknown_section", f"there is no section {section}", mend))
    for (section, id_), found in parts.items():
        entries.sections[section][id_] = _entry(entries, SECTIONS[section], id_, found)
    return entries


def _take_book(entries: Entries, place: Place, content: Any) -> None:
    if entries.book:
        entries.problems.append(place.problem("duplicate_book", f"[book] is also at {entries.book.place}", "keep one"))
    elif not isinstance(content, dict):
        entries.problems.append(place.problem("wrong_type", "book is not a table", "write [book] above its fields"))
    else:
        entries.book = _entry(entries, BookTable, "", [(place, content)])


def _take_section(entries: Entries, parts: Parts, place: Place, content: Any) -> None:
    section = str(place.path[0])
    if not isinstance(content, dict):
        what = f"{section} is not a table of ids"
        entries.problems.append(place.problem("wrong_type", what, f"write [{section}.some-id]"))
        return
    for id_, table in content.items():
        own = Place(place.source, (section, id_))
        if problem := _unusable(own, id_, table):
            entries.declared[section][id_] = None
            entries.problems.append(problem)
            continue
        fields = _without_dotted(entries, own, table)
        if fields or not table:
            entries.declared[section][id_] = None
            parts.setdefault((section, id_), []).append((own, fields))


def _unusable(place: Place, id_: str, table: Any) -> Problem | None:
    if not is_id(id_):
        return place.problem("bad_id", f"{id_!r} cannot be an id", ID_MEND)
    if not isinstance(table, dict):
        name = show_path(place.path)
        return place.problem("wrong_type", f"{name} is not a table", f"write [{name}] above its fields")
    return None


def _without_dotted(entries: Entries, place: Place, table: dict[str, Any]) -> dict[str, Any]:
    """Return a table without the tables inside it that come of a dot in a bare id, as in `[products.gpt-5.4]`; each is a problem."""
    section, id_ = map(str, place.path)
    known = [info.alias or name for name, info in SECTIONS[section].model_fields.items()]
    dotted = list(_dotted(table, known))
    for rest in dotted:
        meant = ".".join((id_, *rest))
        entries.declared[section][meant] = None
        what = f"a dot in a bare id begins a table inside it: {rest[-1]} inside {'.'.join((id_, *rest[:-1]))}"
        entries.problems.append(place.problem("dotted_id", what, f'quote the id: {section}."{meant}"', *rest))
    inner = {rest[0] for rest in dotted}
    return {name: value for name, value in table.items() if name not in inner}


def _dotted(table: dict[str, Any], known: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for name, value in table.items():
        if isinstance(value, dict) and name not in known and not did_you_mean(name, known).startswith(DID_YOU_MEAN):
            yield from [(name, *rest) for rest in _dotted(value, known)] or [(name,)]


def _entry(entries: Entries, schema: type[Table], id_: str, parts: Sequence[tuple[Place, dict[str, Any]]]) -> Entry:
    """Join the parts of an entry and validate them, each row by itself."""
    keys = [key for owner, key in ROWS if owner is schema]
    place, fields = _fields(entries, keys, parts)
    rows: dict[str, list[Place]] = {}
    broken = set()
    for key in keys:
        rows[key], tables = [], []
        for part, content in parts:
            for row, table in _rows(entries, ROWS[schema, key], (part, key), content.get(key)):
                rows[key].append(row)
                tables.append(table)
        if tables or isinstance(fields.get(key), list):
            fields[key] = tables
        if any(not row.sound() for row in rows[key]):
            broken.add(key)
    table, place = _validated(entries, schema, place, fields)
    return Entry(id_, table, Place(place.source, place.path, place.broken | broken), rows)


def _fields(entries: Entries, keys: Sequence[str], parts: Sequence[tuple[Place, dict[str, Any]]]) -> tuple[Place, dict[str, Any]]:
    """Return where the fields other than rows stand, and them; a second such place is a problem."""
    stating = [(place, content) for place, content in parts if content.keys() - set(keys) or not content] or parts[:1]
    first, fields = stating[0]
    for place, _ in stating[1:]:
        what = f"{show_path(place.path)} is also at {first}"
        entries.problems.append(place.problem("duplicate_id", what, "keep one, or rename one"))
    return first, dict(fields)


def _rows(entries: Entries, schema: type[Table], where: tuple[Place, str], content: Any) -> Iterator[tuple[Place, Table]]:
    part, key = where
    for at, fields in enumerate(content if isinstance(content, list) else ()):
        table, place = _validated(entries, schema, Place(part.source, (*part.path, key, at)), fields)
        yield place, table


def _validated(entries: Entries, schema: type[Table], place: Place, fields: Any) -> tuple[Table, Place]:
    table, faults = validate(schema, fields)
    entries.problems += [place.problem(fault.code, fault.what, fault.mend, *fault.path) for fault in faults]
    return table, Place(place.source, place.path, frozenset(fault.field for fault in faults))
