"""Which engine a ledger's place means: a connection string is PostgreSQL, anything else a SQLite file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenworth.core.errors import InputError
from tokenworth.store.ledger.proof.report import Report
from tokenworth.store.postgres.connect import is_url, place
from tokenworth.store.postgres.directory import PostgresDirectory, PostgresRegistry
from tokenworth.store.postgres.ledger import PostgresLedger
from tokenworth.store.postgres.reader import PostgresReader
from tokenworth.store.postgres.reader import verify as verify_postgres
from tokenworth.store.postgres.session import Session
from tokenworth.store.sqlite.connect import connect_readonly
from tokenworth.store.sqlite.directory import Registry, SqliteDirectory
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify as verify_sqlite
from tokenworth.wiring.clock import entropy, now

Where = Path | str
"""A file, or a connection string such as postgresql://host/name."""

Ledger = SqliteLedger | PostgresLedger
AnyReader = Reader | PostgresReader


def where_of(text: str) -> Where:
    """Return the place that a text names."""
    return text if is_url(text) else Path(text)


def named(where: Where) -> str:
    """Return a place for messages: without the password."""
    return place(str(where)) if is_url(where) else str(where)


def open_ledger(where: Where, *, clock: Callable[[], int] = now, create: bool = True) -> Ledger:
    """Open a ledger for writing, made if there is none and `create` says so."""
    if is_url(where):
        return PostgresLedger(str(where), clock=clock, create=create)
    return SqliteLedger(Path(where), clock=clock, create=create)


def open_reader(where: Where) -> AnyReader:
    """Open an existing ledger for reading."""
    return PostgresReader(str(where)) if is_url(where) else Reader(Path(where))


def open_registry(where: Where, *, create: bool = True) -> Registry:
    """Open the registry of customers and keys with this process's clock and randomness; InputError where it is absent and not to be made."""
    if not create:
        open_reader(where).close()
    if is_url(where):
        return PostgresRegistry(str(where), clock=now, entropy=entropy)
    return Registry(Path(where), clock=now, entropy=entropy)


def open_connection(where: Where) -> Any:
    """Open an existing ledger for reading what is asked with plain statements."""
    return Session(str(where)) if is_url(where) else connect_readonly(Path(where))


def open_directory(where: Where) -> SqliteDirectory | PostgresDirectory:
    """Open the look-up of keys of an existing ledger."""
    return PostgresDirectory(str(where)) if is_url(where) else SqliteDirectory(Path(where))


def verify(where: Where, *, deep: bool = False, tell: Callable[[str], None] = lambda _: None) -> Report:
    """Derive everything again and compare; a report without problems is the proof. `deep` is for files: their indexes too; InputError elsewhere."""
    if deep and is_url(where):
        raise InputError("--deep compares the indexes of a file", mend="leave it out: on PostgreSQL, amcheck does that", code="bad_option")
    return verify_postgres(str(where), tell=tell) if is_url(where) else verify_sqlite(Path(where), deep=deep, tell=tell)
