"""Which line of a TOML text each key stands on.

tomlkit parses and refuses; it keeps no positions. This scanner walks text that tomlkit has accepted, so it only has to find where keys and
values begin: headers, dotted keys, arrays of tables, inline tables, values over many lines. Lines are counted from 1.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping

import tomlkit

Path = tuple[str | int, ...]
"""Keys and array positions from the root down."""

BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
BARE_KEY = re.compile(r"[^\s.=\]\[\"'#,{}]+")
STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})' + r"|'''.*?'''(?:'{0,2})" + r'|"(?:[^"\\]|\\.)*"' + r"|'[^']*'",
    re.DOTALL,
)
PLAIN = re.compile(r"[^,\]}\n#]+")


def line_map(text: str) -> Mapping[Path, int]:
    """Return the line of every key, table and array item of valid TOML; a table stands where its header does, or where it first occurs."""
    return _Scanner(text).scan()


class _Scanner:
    """One pass over a text; `lines` fills up."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._last: dict[Path, int] = {}
        """Position of the newest table of each array of tables."""
        self.lines: dict[Path, int] = {}

    def scan(self) -> Mapping[Path, int]:
        """Walk headers and key-value pairs to the end."""
        table: Path = ()
        self._blank()
        while self._at < len(self._text):
            table = self._header() if self._peek("[") else self._pair(table)
            self._blank()
        return self.lines

    def _header(self) -> Path:
        line = self._line()
        repeated = self._peek("[[")
        self._at += 2 if repeated else 1
        *outer, last = self._keys()
        self._at += 2 if repeated else 1
        path: Path = ()
        for key in outer:
            path = self._newest((*path, key), line)
        path = (*path, last)
        if repeated:
            self._last[path] = self._last.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, self._last[path])
        self.lines[path] = line
        return path

    def _newest(self, path: Path, line: int) -> Path:
        """Note a table that a header passes through; of an array of tables, the newest is meant."""
        self.lines.setdefault(path, line)
        return (*path, self._last[path]) if path in self._last else path

    def _pair(self, table: Path) -> Path:
        """Note the key of `key = value` and what is inside the value; return the table."""
        line = self._line()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._at += 1
        self._blank()
        self._value(path)
        return table

    def _value(self, path: Path) -> None:
        if self._peek("["):
            for position, _ in enumerate(self._items("]")):
                self.lines[*path, position] = self._line()
                self._value((*path, position))
        elif self._peek("{"):
            for _ in self._items("}"):
                self._pair(path)
        else:
            self._match(STRING) or self._match(PLAIN)

    def _items(self, end: str) -> Iterator[None]:
        """Stop at the start of each item of an array or inline table, then pass its end."""
        self._at += 1
        self._blank()
        while self._at < len(self._text) and not self._peek(end):
            start = self._at
            yield
            self._blank()
            if self._peek(",") or self._at == start:
                # text that tomlkit takes and this scanner does not know costs a line number, never the process
                self._at += 1
                self._blank()
        self._at += 1

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._peek("."):
            self._at += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._blank()
        quoted = self._match(STRING)
        # tomlkit knows the escapes of a quoted key
        key = str(next(iter(tomlkit.parse(f"{quoted} = 0")))) if quoted else self._match(BARE_KEY)
        self._blank()
        return key

    def _blank(self) -> None:
        self._match(BLANK)

    def _peek(self, what: str) -> bool:
        return self._text.startswith(what, self._at)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found[0]

    def _line(self) -> int:
        return bisect_right(self._ends, self._at - 1) + 1
