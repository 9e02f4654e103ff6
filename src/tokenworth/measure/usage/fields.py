"""Reading a usage object strictly: every number in it is either understood, or named in an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenworth.core.errors import UnknownUnitError, UsageError
from tokenworth.core.units import MAX_COUNT


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
            raise UsageError(f"{self.path}.{name} is {inside!r}, not an object")
        return Fields(inside, f"{self.path}.{name}")

    def listed(self, name: str) -> list[Mapping[str, Any]] | None:
        """Return a list of objects, None where it is absent or null."""
        self.read.add(name)
        inside = self.values.get(name)
        if inside is None:
            return None
        if not isinstance(inside, list) or not all(isinstance(item, Mapping) for item in inside):
            raise UsageError(f"{self.path}.{name} is {inside!r}, not a list of objects")
        return inside

    def text(self, name: str) -> str:
        """Return a text that may be absent or null, which is empty; prices may hang on it, so nothing else passes for it."""
        self.read.add(name)
        return text_at(self.values, name, self.path)

    def skip(self, *names: str) -> None:
        """Pass over fields that count nothing, or count again what is counted elsewhere."""
        self.read.update(names)

    def close(self) -> None:
        """Refuse numbers that nobody read: a class of tokens that is not known is not zero."""
        for name, value in self.values.items():
            if name not in self.read and _holds_number(value):
                raise UnknownUnitError(
                    f"{self.path}.{name} is {value!r}, which this dialect does not know", mend="add it to the dialect in measure/usage"
                )

    def _count(self, name: str) -> int:
        self.read.add(name)
        value = self.values[name]
        return whole(value, f"{self.path}.{name}")


def whole(value: Any, place: str) -> int:
    """Return a count; UsageError names the place of anything else, and of more than one request can use."""
    if type(value) is not int or not 0 <= value <= MAX_COUNT:
        raise UsageError(f"{place} is {value!r}; a count is a whole number from 0 to {MAX_COUNT}")
    return value


def text_at(values: Mapping[str, Any], name: str, path: str) -> str:
    """Return a text that may be absent or null, which is empty; UsageError names anything else."""
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{path}.{name} is {value!r}, not text")
    return value or ""


def _holds_number(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_number, value.values()))
    if isinstance(value, list):
        return any(map(_holds_number, value))
    return not isinstance(value, (str, bool)) and bool(value)


def same_total(fields: Fields, name: str, **parts: int) -> None:
    """Refuse a total that is not the sum of its parts."""
    if fields.given(name):
        total = fields.optional(name)
        if total != sum(parts.values()):
            named = " + ".join(f"{part} ({n})" for part, n in parts.items())
            raise UsageError(f"{fields.path}.{name} is {total}, but {named} is {sum(parts.values())}")
    fields.skip(name)
