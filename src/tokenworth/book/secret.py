"""Secrets have no place in a book, which is kept whole with every version: refuse what looks like one, without repeating it."""

import re
from collections.abc import Iterator

from tokenworth.book.source import Source, show_path
from tokenworth.core.errors import Problem

KNOWN = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{16,}|sk_(?:live|test)_\w{8,}|rk_(?:live|test)_\w{8,}|xai-\w{16,}|gsk_\w{16,}|hf_\w{16,}|r8_\w{16,}"
    r"|pplx-\w{16,}|AIza[\w-]{30,}|AKIA[A-Z0-9]{16}|gh[pousr]_\w{20,}|eyJ[\w-]{10,}\.[\w-]{10,}|Bearer +[\w.-]{12,})"
)
"""Prefixes by which suppliers mark their keys."""
RANDOM = re.compile(r"[A-Za-z0-9_+/=-]{24,}")
CREDENTIALS_IN_URL = re.compile(r"https?://[^/\s]*@")
MEND = "put it into an environment variable and name that in api_key_env; if the file was shared, revoke the key"


def find_secrets(name: str, text: str, source: Source | None) -> Iterator[Problem]:
    """Yield a problem for each line, comments too, that holds a known form of key, and for random text in a supplier's fields."""
    lines = [at for at, line in enumerate(text.split("\n"), start=1) if KNOWN.search(line) or CREDENTIALS_IN_URL.search(line)]
    yield from (Problem("secret", "this looks like a secret", MEND, name, at) for at in lines)
    for id_, table in _suppliers(source):
        for field, value in table.items():
            path = ("suppliers", id_, field)
            if source and isinstance(value, str) and _is_random(value) and source.line(path) not in lines:
                yield Problem("secret", "this looks like a secret", MEND, name, source.line(path), show_path(path))


def _suppliers(source: Source | None) -> Iterator[tuple[str, dict[str, object]]]:
    suppliers = source.data.get("suppliers") if source else None
    if isinstance(suppliers, dict):
        yield from ((id_, table) for id_, table in suppliers.items() if isinstance(table, dict))


def _is_random(value: str) -> bool:
    """Long, without spaces, and with digits among letters: names of variables and addresses are not."""
    return bool(RANDOM.fullmatch(value)) and any(c.isdigit() for c in value) and any(c.islower() for c in value)
