"""What opening, upgrading and using the ledger's file have in common: transactions, its version, and what SQLite's errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokenworth.core.errors import LedgerError
from tokenworth.store.migrations import HEAD, newer

BUSY_MS = 10_000
"""How long a writer waits for another process's commit."""
OURS = frozenset({"account", "lot", "hold", "posting", "event", "customer", "api_key", "book"})
"""Tables of every version."""
UPGRADE_MS = 600_000
"""How long opening waits for another process's upgrade of a large file: nothing else keeps others from reading."""


def found_version(db: sqlite3.Connection, path: Path) -> int:
    """Return the version of a file's tables, 0 where it has none; LedgerError, and the file closed, where it is another program's or newer than HEAD.

    It reads, and changes nothing. Other programs number their tables too, so a file that has tables is ours only with those that every version has.
    """
    # tables first: another process may be making them, and gives them their number in the same commit
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if tables and not (found and tables >= OURS):
        db.close()
        raise LedgerError(f"{path} is a database of another program", mend="name a ledger made by tokenworth, or a new file, with --db")
    if found > HEAD:
        db.close()
        raise newer(found, str(path))
    return found


@contextmanager
def transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Commit what happens inside, or undo all of it."""
    db.execute(begin)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite may have undone it already, as on a full disk
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def statements(script: str) -> list[str]:
    """Split a script; `executescript` would commit the transaction around it."""
    found, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    return found


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn what SQLite raises inside into a LedgerError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(path, error) from error


def failure(path: Path, error: sqlite3.Error) -> LedgerError:
    """Say what SQLite said, with the file and, where it is known, the mend."""
    mends = {
        "SQLITE_FULL": "make room on the disk; nothing of the failed commit was written",
        "SQLITE_READONLY": "make the file and its folder writable",
        "SQLITE_CANTOPEN": "check that the folder exists and is writable",
        "SQLITE_BUSY": "another process holds the file for long; stop it or try again",
        "SQLITE_CORRUPT": "restore the file from a backup; `tokenworth ledger verify` proves the restored one",
        "SQLITE_NOTADB": "name a ledger made by tokenworth",
    }
    name = getattr(error, "sqlite_errorname", None) or ""
    mend = next((text for code, text in mends.items() if name.startswith(code)), "")
    return LedgerError(f"{path}: {error}", mend=mend)
