"""One record's fields, read one by one; what is wrong with any of them is kept, so that all of it can be told at once."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tokenworth.core.errors import InputError, InstantError, Problem
from tokenworth.core.instants import from_datetime
from tokenworth.measure.usage.fields import shown

MOST_TEXT = 255
"""Characters of a name."""
TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")


class Cells:
    """A record as a file or a message has it: texts of a CSV, or values of JSON or Parquet. Null and the empty text are absent."""

    def __init__(self, values: Mapping[str, Any], *, utc: bool = False) -> None:
        """Read `values`; times without an offset are UTC where `utc` says so, else wrong."""
        self.values = values
        self.problems: list[Problem] = []
        self._utc = utc

    def wrong(self, code: str, what: str, mend: str, field: str) -> None:
        """Note what is wrong."""
        self.problems.append(Problem(code, what, mend, field=field))

    def has(self, name: str) -> bool:
        """Whether a field says anything."""
        return self.values.get(name) not in (None, "")

    def text(self, name: str, *, need: bool = False) -> str:
        """Return a text, empty where it is absent."""
        value = self.values.get(name)
        if value in (None, ""):
            if need:
                self.wrong("missing_field", f"{name} is missing", "every use needs one", name)
            return ""
        if not isinstance(value, str) or not value.isprintable() or not value.strip() or len(value) > MOST_TEXT:
            self.wrong("bad_field", f"{name} is {shown(value)}", f"give a text of at most {MOST_TEXT} characters that can be printed", name)
            return ""
        return value

    def instant(self, name: str, *, need: bool = False) -> int:
        """Return an instant of a time with an offset (of a date alone the day would depend on the zone), 0 where it is absent."""
        value = self.values.get(name)
        if value in (None, ""):
            if need:
                self.wrong("missing_field", f"{name} is missing", "a use is rated at its own time: give one, such as 2026-01-31T12:00:00Z", name)
            return 0
        try:
            return from_datetime(self._datetime(value))
        except (ValueError, InputError):
            mend = "write a time with its offset, such as 2026-01-31T12:00:00Z"
            self.wrong("bad_instant", f"{name} is {shown(str(value) if isinstance(value, datetime) else value)}", mend, name)
            return 0

    def count(self, name: str) -> int | None:
        """Return a whole number of at least 0, None where it is absent."""
        value = self.values.get(name)
        if value in (None, ""):
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if type(value) is not int or value < 0:
            self.wrong("bad_usage", f"{name} is {shown(value)}", "a count is a whole number of at least 0", name)
            return None
        return value

    def flag(self, name: str) -> bool:
        """Return true or false, false where it is absent."""
        value = self.values.get(name)
        if isinstance(value, bool) or value in (None, ""):
            return bool(value)
        if isinstance(value, str) and value.lower() in (*TRUE, *FALSE):
            return value.lower() in TRUE
        self.wrong("bad_field", f"{name} is {shown(value)}", "write true or false", name)
        return False

    def object(self, name: str) -> Mapping[str, Any]:
        """Return an object, also one that is written as JSON inside a text; empty where it is absent."""
        value = self.values.get(name)
        if value in (None, ""):
            return {}
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                value = None
        if not isinstance(value, Mapping):
            self.wrong("bad_json", f"{name} is {shown(self.values[name])}, not a JSON object", "write an object", name)
            return {}
        return value

    def _datetime(self, value: Any) -> datetime:
        if isinstance(value, str) and ("T" in value or " " in value.strip()):
            value = datetime.fromisoformat(value.strip())
        if not isinstance(value, datetime):
            raise InstantError(f"{value!r} is no time")
        return value.replace(tzinfo=UTC) if value.tzinfo is None and self._utc else value
