"""Open the ledger's file: pragmas, the schema of an empty file, the upgrade of an older one, and a refusal of a newer one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from tokenworth.core.errors import InputError, LedgerError
from tokenworth.store.migrations import HEAD, newer

BUSY_MS = 10_000
"""How long a writer waits for another process's commit."""
UPGRADE_MS = 600_000
"""How long opening waits for another process's upgrade of a large file: nothing else keeps others from reading."""


def connect(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Open a file for writing and make its tables if it is new; LedgerError where it cannot be used, InputError where it is absent."""
    if not create and not path.exists():
        raise InputError(f"there is no ledger at {path}", mend="name it with --db; `tokenworth serve` or `customers add` make it", code="no_ledger")
    with guarded(path):
        db = _open(path)
        found = found_version(db, path) or _make(db)
        if found < HEAD:
            db.close()
            # brings Alembic, which takes longer than all of opening
            from tokenworth.store.sqlite.upgrade import upgrade  # noqa: PLC0415

            upgrade(path)
            db = _open(path)
    return db


def connect_readonly(path: Path) -> sqlite3.Connection:
    """Open an existing file for reading only; LedgerError where it cannot be used, InputError where it is absent."""
    if not path.exists():
        raise InputError(f"there is no ledger at {path}", mend="name it with --db", code="no_ledger")
    with guarded(path):
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout = {UPGRADE_MS}")
        found = found_version(db, path)
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    if found < HEAD:
        db.close()
        raise _older(path, found)
    return db


def found_version(db: sqlite3.Connection, path: Path) -> int:
    """Return the version of a file's tables, 0 where it has none; LedgerError, and the file closed, where it is newer than HEAD."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
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


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute(f"PRAGMA busy_timeout = {UPGRADE_MS}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    # FULL: a commit returns once its log is on disk, so a power cut loses nothing that was acknowledged
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _make(db: sqlite3.Connection) -> int:
    schema = (files(__package__) / "schema.sql").read_text(encoding="utf-8")
    # another process may be doing the same: the first one in makes the tables, the others find them
    with transaction(db, "BEGIN IMMEDIATE"):
        if not db.execute("PRAGMA user_version").fetchone()[0]:
            for statement in statements(schema):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {HEAD}")
    return HEAD


def _older(path: Path, found: int) -> LedgerError | InputError:
    if not found:
        return InputError(f"there is no ledger in {path}", mend="name it with --db", code="no_ledger")
    mend = "open it with a command that writes, such as `tokenworth serve` or `grants add`: that upgrades it, and keeps a copy"
    return LedgerError(f"{path} has schema {found}, this version reads {HEAD}", mend=mend)
