"""A running service: joins ledger, directory, suppliers and book to the use-case, keeps its holds alive, drains it at the end."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass

from tokenworth.book.model import Book
from tokenworth.core.errors import InputError
from tokenworth.core.instants import SECOND
from tokenworth.flows.ports import Directory, Ledger, Supplier
from tokenworth.flows.serve.dispatch import Gates
from tokenworth.flows.serve.edition import Edition
from tokenworth.flows.serve.holds import Holds
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.service import Service
from tokenworth.store.local.client import LocalLedger
from tokenworth.store.local.owner import Owner
from tokenworth.store.postgres.connect import is_url
from tokenworth.store.sqlite.books import apply_book
from tokenworth.wiring.clock import entropy, now
from tokenworth.wiring.ledgers import Where, open_directory, open_ledger, open_reader, open_registry
from tokenworth.wiring.onboard import agree
from tokenworth.wiring.suppliers import make_suppliers

HOLD_SECONDS = 60
"""Default lifetime of a hold; live ones are extended, so this is how long a dead process's holds stay."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What a service stands on."""

    ledger: Ledger
    directory: Directory
    suppliers: Mapping[str, Supplier]


@asynccontextmanager
async def serving(
    shop: Shop, backend: Backend, *, hold_seconds: int = HOLD_SECONDS, processes: int = 1, clock: Callable[[], int] = now
) -> AsyncGenerator[Service, None]:
    """Run a service, one of so many: its background tasks until the end, then wait until every hold that is being closed is closed."""
    holds = Holds(backend.ledger, clock, hold_seconds * SECOND)
    gates = Gates(clock, processes)
    gates.fit(shop.book)
    service = Service(Edition(shop, backend.suppliers), backend.directory, gates, holds, clock, entropy)
    tasks = [asyncio.create_task(holds.keep()), asyncio.create_task(holds.expire())]
    try:
        yield service
    finally:
        await holds.drain()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await service.close()


@asynccontextmanager
async def open_backend(book: Book, database: Where, environment: Mapping[str, str]) -> AsyncGenerator[Backend, None]:
    """Open a ledger and the book's suppliers, and store the book's version.

    InputError where a supplier's key is missing, or where customers' accounts are in another unit than the book.
    """
    suppliers = make_suppliers(book, environment, now)
    with open_ledger(database) as ledger:
        prepare(book, database)
        with closing(open_directory(database)) as directory:
            yield Backend(ledger, directory, suppliers)


@asynccontextmanager
async def join_backend(book: Book, database: Where, environment: Mapping[str, str], owner: socket.socket | None) -> AsyncGenerator[Backend, None]:
    """Open what one of several workers needs, where another process has prepared the database: `owner` leads to it, if it owns the ledger."""
    suppliers = make_suppliers(book, environment, now)
    with closing(open_directory(database)) as directory:
        if owner is None:
            with open_ledger(database, create=False) as ledger:
                yield Backend(ledger, directory, suppliers)
        else:
            with closing(await LocalLedger.connect(owner)) as asked:
                yield Backend(asked, directory, suppliers)


@asynccontextmanager
async def shared(book: Book, database: Where, environment: Mapping[str, str]) -> AsyncGenerator[Callable[[], Awaitable[socket.socket | None]], None]:
    """Prepare a database for several workers; yields what makes a worker's `owner` for `join_backend`.

    A SQLite file has one owner, this process. To PostgreSQL each worker has connections of its own. Errors as of `open_backend`.
    """
    make_suppliers(book, environment, now)
    with open_ledger(database) as ledger:
        prepare(book, database)
        owners: list[Owner] = []

        async def connect() -> socket.socket | None:
            if is_url(database):
                return None
            mine, theirs = socket.socketpair()
            owners.append(Owner(ledger))
            await owners[-1].attach(mine)
            return theirs

        yield connect


def prepare(book: Book, database: Where) -> None:
    """Check that a book fits the accounts, give them its policies, and store its version; InputError where units differ."""
    with closing(open_registry(database)) as writable:
        check_units(book, database)
        agree(book, database)
        apply_book(writable.db, book.id, book.files, now())


def check_units(book: Book, database: Where) -> None:
    """Raise InputError where customers' accounts are in another unit than a book."""
    with open_reader(database) as reader:
        others = list(reader.of_other_units(book.unit, book.currency))
    if others:
        customer, unit, currency = others[0]
        what = f"{len(others)} accounts are not in {book.unit} and {book.currency} as the book is"
        raise InputError(
            f"{what}: {customer}'s is in {unit} and {currency}",
            mend="give this book a database of its own with --db",
            code="account_unit_differs",
        )
