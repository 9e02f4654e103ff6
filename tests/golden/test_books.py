"""Bad books: each case says at the line itself which problem is to be found there, and nothing else may be found."""

import re
from pathlib import Path

import pytest

from tokenworth.book.load import examine
from tokenworth.core.errors import Problem

FOLDER = Path(__file__).parent / "books"
MESSAGES = FOLDER / "messages.golden"
EXPECTED = re.compile(r"! (\w+)\s*$")
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def split(name: str) -> dict[str, str]:
    """Return a case's files by name; `=== name` begins one, the text before the first says what the case is about."""
    _, *parts = re.split(r"^=== (\S+)\n", (FOLDER / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def problems(name: str) -> list[Problem]:
    return examine(split("base") | split(name))[1]


def expected(files: dict[str, str]) -> list[tuple[str, int, str]]:
    return sorted(
        (name, at, found[1]) for name, text in files.items() for at, line in enumerate(text.splitlines(), start=1) if (found := EXPECTED.search(line))
    )


@pytest.mark.parametrize("name", CASES)
def test_each_problem_is_found_where_it_is(name: str) -> None:
    assert sorted({(p.file, p.line, p.code) for p in problems(name)}) == expected(split(name))


@pytest.mark.parametrize("name", CASES)
def test_a_bad_book_is_no_book_and_every_problem_has_a_mend(name: str) -> None:
    book, found = examine(split("base") | split(name))
    assert (book is None) == any(p.severity == "error" for p in found) == (name != "base")
    assert all(p.what and p.mend for p in found)


def test_messages_are_those_that_were_read_and_approved() -> None:
    lines = [line for name in CASES for line in (name, *(f"  {problem}" for problem in problems(name)), "")]
    assert "\n".join(lines) == MESSAGES.read_text(encoding="utf-8")


def test_a_secret_is_not_repeated() -> None:
    said = " ".join(map(str, problems("secrets")))
    assert not any(secret in said for secret in ("me:pw", "sk-proj", "abcdefghijkl", "9f8e7d6c"))
