"""Reading a usage object strictly: every number in it is either understood, or named in an error."""

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenworth.core.errors import UnknownUnitError, UsageError
from tokenworth.core.units import MAX_COUNT

NUMERAL = re.compile(r"\s*[+-]?[0.,_]*[1-9][0-9.,_]*(?:e[+-]?[0-9]+)?\s*", re.IGNORECASE)
"""Text that is a number other than zero; no two ways to match it, so that long texts take no longer than they are."""


@dataclass(slots=True)
class Fields:
    """A usage object, read field by field; `close` names what nobody read. `path` is where it stands in the payload."""

    values: Mapping[str, Any]
    path: str = "usage"
    read: set[str] = field(default_factory=set)

    def count(self, *names: str) -> int:
        """Return a count that must be there, under the first of the names that is."""
        for name in names:
            if name in self.values:
                return self._count(name)
        raise UsageError(f"{self.path}.{names[0]} is missing", mend="pass the whole usage object of the response")

    def optional(self, name: str) -> int:
        """Return a count that may be absent or null, which is 0."""
        self.read.add(name)
        return 0 if self.values.get(name) is None else self._count(name)

    def given(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self.values.get(name) is not None

    def inner(self, name: str) -> "Fields":
        """Return an object inside this one, an empty one where it is absent or null."""
        self.read.add(name)
        inside = self.values.get(name)
        if inside is None:
            inside = {}
        if not isinstance(inside, Mapping):
            raise UsageError(f"{self.path}.{name} is {shown(inside)}, not an object")
        return Fields(inside, f"{self.path}.{name}")

    def listed(self, name: str) -> list[Mapping[str, Any]] | None:
        """Return a list of objects, None where it is absent or null."""
        self.read.add(name)
        inside = self.values.get(name)
        if inside is None:
            return None
        if not isinstance(inside, list) or not all(isinstance(item, Mapping) for item in inside):
            raise UsageError(f"{self.path}.{name} is {shown(inside)}, not a list of objects")
        return inside

    def text(self, name: str) -> str:
        """Return a text that may be absent or null, which is empty; prices may hang on it, so nothing else passes for it."""
        self.read.add(name)
        return text_at(self.values, name, self.path)

    def within(self, whole: int, *names: str) -> None:
        """Check counts that only inform, being inside one that is billed: each is a count, and together they are at most the whole."""
        parts = {name: self.optional(name) for name in names}
        if sum(parts.values()) > whole:
            named = ", ".join(f"{name} ({count})" for name, count in parts.items() if count)
            raise UsageError(f"{self.path}: {named} exceed {whole}, the count inside which they are")

    def skip(self, *names: str) -> None:
        """Pass over fields that count nothing, or count again what is counted elsewhere."""
        self.read.update(names)

    def close(self) -> None:
        """Refuse numbers that nobody read: a class of tokens that is not known is not zero."""
        for name, value in self.values.items():
            if name not in self.read and _holds_number(value):
                raise UnknownUnitError(
                    f"{self.path}.{name} is {shown(value)}, which this dialect does not know", mend="add it to the dialect in measure/usage"
                )

    def _count(self, name: str) -> int:
        self.read.add(name)
        value = self.values[name]
        return whole(value, f"{self.path}.{name}")


def whole(value: Any, place: str) -> int:
    """Return a count; UsageError names the place of anything else, and of more than one request can use."""
    if type(value) is not int or not 0 <= value <= MAX_COUNT:
        raise UsageError(f"{place} is {shown(value)}; a count is a whole number from 0 to {MAX_COUNT}")
    return value


def text_at(values: Mapping[str, Any], name: str, path: str) -> str:
    """Return a text that may be absent or null, which is empty; UsageError names anything else."""
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{path}.{name} is {shown(value)}, not text")
    return value or ""


def shown(value: Any) -> str:
    """Return a value as an error quotes it: in short, however long it is and however deep it nests."""
    return _QUOTES.repr(value)


_QUOTES = reprlib.Repr()
_QUOTES.maxstring = _QUOTES.maxother = 80


def _holds_number(value: Any) -> bool:
    waiting = [value]
    # a stack of our own: a payload may nest deeper than Python recurses
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif NUMERAL.fullmatch(one) if isinstance(one, str) else one and not isinstance(one, bool):
            return True
    return False


def same_total(fields: Fields, name: str, **parts: int) -> None:
    """Refuse a total that is not the sum of its parts."""
    if fields.given(name):
        total = fields.optional(name)
        if total != sum(parts.values()):
            named = " + ".join(f"{part} ({n})" for part, n in parts.items())
            raise UsageError(f"{fields.path}.{name} is {total}, but {named} is {sum(parts.values())}")
    fields.skip(name)
