"""Open the ledger's file: pragmas, the schema of an empty file, and a refusal of files that this version does not understand."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from tokenworth.core.errors import InputError, LedgerError

SCHEMA_VERSION = 1
BUSY_MS = 10_000
"""How long a writer waits for another process's commit."""


def connect(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Open a file for writing and make its tables if it is new; LedgerError where it cannot be used, InputError where it is absent."""
    if not create and not path.exists():
        raise InputError(f"there is no ledger at {path}", mend="name it with --db; `tokenworth serve` or `customers add` make it", code="no_ledger")
    with guarded(path):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit returns once its log is on disk, so a power cut loses nothing that was acknowledged
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        _prepare(db, path)
    return db


def connect_readonly(path: Path) -> sqlite3.Connection:
    """Open an existing file for reading only; LedgerError where it cannot be used, InputError where it is absent."""
    if not path.exists():
        raise InputError(f"there is no ledger at {path}", mend="name it with --db", code="no_ledger")
    with guarded(path):
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        _check_version(db, path)
    return db


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


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    if _check_version(db, path):
        return
    schema = (files(__package__) / "schema.sql").read_text(encoding="utf-8")
    # another process may be doing the same: the first one in makes the tables, the others find them
    db.execute("BEGIN IMMEDIATE")
    try:
        if not _check_version(db, path):
            for statement in _statements(schema):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _statements(script: str) -> list[str]:
    """Split a script; `executescript` would commit the transaction around it."""
    statements, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            statements.append(rest)
            rest = ""
    return statements


def _check_version(db: sqlite3.Connection, path: Path) -> int:
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        raise LedgerError(f"{path} has schema {found}, this version knows {SCHEMA_VERSION}", mend="use the newer tokenworth that wrote it")
    return found
