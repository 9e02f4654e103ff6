"""Other people's CSV files: columns by name, and every problem of a file at its line."""

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tokenworth.core.errors import InputError, Problem

T = TypeVar("T")
SHOWN = 20
"""Problems of a file that are told; the rest is counted."""


@dataclass(slots=True)
class Line:
    """A line of a file, which collects what is wrong with its fields."""

    file: str
    number: int
    fields: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a field's text, empty where there is none."""
        return (self.fields.get(name) or "").strip()

    def amount(self, name: str, default: float | None = None) -> float:
        """Return a number of zero or more; of an empty field the default, if there is one."""
        text = self.text(name)
        if not text and default is not None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            self.refuse(name, f"{text!r} is not a number of zero or more", "write digits and a point")
            return 0.0
        return value

    def refuse(self, name: str, what: str, mend: str) -> None:
        """Note what is wrong with a field."""
        self.problems.append(Problem("bad_value", what, mend, self.file, self.number, name))


def read_lines(file: str, lines: Iterable[str], needed: Sequence[str], make: Callable[[Line], T]) -> list[T]:
    """Return what is made of each line below the header; InputError `bad_file` with the problems of all lines."""
    table = csv.DictReader(lines)
    if absent := [name for name in needed if name not in (table.fieldnames or ())]:
        problem = Problem("bad_file", f"its header lacks {', '.join(absent)}", f"begin it with {','.join(needed)}", file, 1)
        raise InputError(str(problem), code="bad_file")
    made, problems = [], []
    for fields in table:
        line = Line(file, table.line_num, fields)
        made.append(make(line))
        problems += line.problems
    if not made:
        raise InputError(f"{file} has no line below its header", mend="add one", code="bad_file")
    if problems:
        more = f"\nand {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
        raise InputError("\n".join(map(str, problems[:SHOWN])) + more, code="bad_file")
    return made


def read_file(path: Path, needed: Sequence[str], make: Callable[[Line], T]) -> list[T]:
    """Return what is made of each line of a UTF-8 file; InputError `bad_file` with the problems of all of them."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read_lines(str(path), lines, needed, make)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8: {error}", mend="save it as such", code="bad_file") from None
