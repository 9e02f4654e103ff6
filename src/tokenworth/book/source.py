"""One file of a book: TOML text -> plain data that remembers its lines."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from tokenworth.book.lines import Path, line_map
from tokenworth.core.errors import Problem

AT_LINE = re.compile(r" ?\(?at line (\d+),? col(?:umn)? \d+\)?")


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its data, and the line of each key path."""

    name: str
    data: Mapping[str, Any]
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of a key path, or of the innermost table around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(name: str, text: str) -> Source | Problem:
    """Parse a file's text; what is not TOML is one problem with its line."""
    try:
        return Source(name, tomlkit.parse(text).unwrap(), line_map(text))
    except (TOMLKitError, ValueError, RecursionError) as error:
        why, line = _explain(error, text)
        mend = "see https://toml.io; texts and decimals stand in double quotes, dates and whole numbers do not"
        if "already" in why or "overwrite" in why or "redefine" in why:
            mend = "keep one of the two"
        return Problem("syntax", f"not valid TOML: {why}", mend, name, line)


def _explain(error: Exception, text: str) -> tuple[str, int]:
    """Return the cause without its position, and the line; tomlkit gives none for a key that occurs twice, the standard library does."""
    if isinstance(error, ParseError):
        return _cause(str(error)), error.line
    if "set_int_max_str_digits" in str(error):
        return "a number of thousands of digits", _longest_line(text)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as other:
        found = AT_LINE.search(str(other))
        return _cause(f"{error}"), int(found[1]) if found else text.count("\n") + 1
    return _cause(str(error)), 1


def _longest_line(text: str) -> int:
    lines = text.split("\n")
    return lines.index(max(lines, key=len)) + 1


def _cause(message: str) -> str:
    cause = AT_LINE.sub("", message).strip().rstrip(".")
    return cause[:1].lower() + cause[1:]


def show_path(path: Path) -> str:
    """Return a key path as people write it: `cards.standard.rates[0].input`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
