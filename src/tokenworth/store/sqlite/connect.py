"""Open the ledger's file: pragmas, the schema of an empty file, the upgrade of an older one, and a refusal of a newer one."""

import sqlite3
from importlib.resources import files
from pathlib import Path

from tokenworth.core.errors import InputError, LedgerError
from tokenworth.store.migrations import HEAD
from tokenworth.store.sqlite.file import BUSY_MS, UPGRADE_MS, found_version, guarded, statements, transaction


def connect(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Open a file for writing and make its tables if it is new; LedgerError where it cannot be used, InputError where it is absent."""
    if not create and not path.exists():
        raise InputError(f"there is no ledger at {path}", mend="name it with --db; `tokenworth serve` or `customers add` make it", code="no_ledger")
    with guarded(path):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout = {UPGRADE_MS}")
        # before anything is written: WAL mode stays in the file
        found = found_version(db, path)
        _prepare(db)
        found = found or _make(db)
        if found < HEAD:
            db.close()
            # brings Alembic, which takes longer than all of opening
            from tokenworth.store.sqlite.upgrade import upgrade  # noqa: PLC0415

            upgrade(path)
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            _prepare(db)
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


def _prepare(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA busy_timeout = {UPGRADE_MS}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    # FULL: a commit returns once its log is on disk, so a power cut loses nothing that was acknowledged
    db.execute("PRAGMA synchronous = FULL")
    # pages of the log (16 MB) before it is copied into the file: a page that many commits changed is copied once
    db.execute("PRAGMA wal_autocheckpoint = 4000")
    db.execute("PRAGMA foreign_keys = ON")


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
