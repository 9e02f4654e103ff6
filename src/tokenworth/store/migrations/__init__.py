"""Versions of the ledger's tables, and the SQL that leads from one to the next: one chain of revisions for both engines.

env       what Alembic runs
script    the SQL of a run of revisions, written by Alembic; the engines run it with their own drivers, behind their own locks
versions  a file a revision, with plain SQL for each engine

A new database is made from an engine's schema.sql, which is what all revisions together make. This module is all that opening a database at
HEAD imports of it: Alembic is loaded when there is something to do.
"""

from tokenworth.core.errors import LedgerError

HEAD = 5
"""The version of schema.sql. It stands in the database: on SQLite as `user_version`, on PostgreSQL in `ledger_schema`."""


def newer(found: int, place: str) -> LedgerError:
    """Return the refusal of a database that a newer version has made or upgraded."""
    return LedgerError(f"{place} has schema {found}, this version knows {HEAD}", mend="use the newer tokenworth that wrote it")
