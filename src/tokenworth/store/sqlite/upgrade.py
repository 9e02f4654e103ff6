"""Bring an older file to HEAD: alone on the file, after a copy of it beside it, in one transaction."""

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tokenworth.core.errors import LedgerError
from tokenworth.core.money import share
from tokenworth.store.migrations import HEAD
from tokenworth.store.migrations.script import upgrade_script
from tokenworth.store.sqlite.file import BUSY_MS, UPGRADE_MS, found_version, guarded, statements, transaction

log = logging.getLogger(__name__)


def upgrade(path: Path) -> None:
    """Upgrade a file, unless another process has done so by now; LedgerError where it cannot be, and then the file is as it was."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        if _alone(db, path) and (found := found_version(db, path)) < HEAD:
            _keep(db, path.with_name(f"{path.name}.v{found}.backup"))
            with transaction(db, "BEGIN IMMEDIATE"):
                run(db, found)
            log.warning("%s is upgraded from schema %d to %d; what it was is in %s.v%d.backup", path, found, HEAD, path.name, found)


def run(db: sqlite3.Connection, since: int, until: int = HEAD) -> None:
    """Run the revisions from one version to another, inside the caller's transaction; they may use `share`, which no SQL of SQLite can do exactly."""
    db.create_function("share", 3, share, deterministic=True)
    for statement in statements(upgrade_script("sqlite", since, until)):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {until}")


def _alone(db: sqlite3.Connection, path: Path) -> bool:
    """Lock everybody else out for as long as the connection lives; False where another process has upgraded the file meanwhile.

    A gateway of the older version would go on writing rows of the older kind, so the file is not taken from under it.
    """
    db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    try:
        with transaction(db, "BEGIN EXCLUSIVE"):
            return True
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise
        if _version_after_others(path) == HEAD:
            return False
        mend = "stop the gateway, or whatever else has it open: it would go on in the older way"
        raise LedgerError(f"{path} has an older schema and cannot be upgraded while another process has it open", mend=mend) from error


def _version_after_others(path: Path) -> int:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA busy_timeout = {UPGRADE_MS}")
        return found_version(db, path)


def _keep(db: sqlite3.Connection, copy: Path) -> None:
    """Copy the file, whole or not at all, readable to the same users."""
    original = Path(db.execute("PRAGMA database_list").fetchone()[2])
    with guarded(copy):
        try:
            copy.touch()
            shutil.copymode(original, copy)
        except OSError as error:
            raise LedgerError(f"{copy}: {error.strerror}", mend="an upgrade keeps a copy of the file: make its folder writable") from error
        with closing(sqlite3.connect(copy)) as target:
            db.backup(target)
