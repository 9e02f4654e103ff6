"""A connection for callers that cannot await. It speaks as a SQLite connection does: what is not in a hurry is written once for both engines."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from tokenworth.store.postgres.connect import connect, errors, failure

T = TypeVar("T")

ROWS = 2_000
"""Rows a round trip, of an answer that may be long."""
IMMEDIATE = "BEGIN IMMEDIATE"
ALONE = "BEGIN; SELECT pg_advisory_xact_lock(75010728)"
"""What BEGIN IMMEDIATE means on SQLite: nobody else who says so is in a transaction."""


class LoopThread:
    """An event loop on a thread of its own."""

    def __init__(self, name: str) -> None:
        """Start the thread."""
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine's result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Session:
    """One connection. Errors of the server are LedgerError; after a lost connection, the next statement opens it anew."""

    def __init__(self, where: str, *, create: bool = False) -> None:
        """Connect; make the tables if there are none and `create` says so, else InputError."""
        self._where = where
        self._errors = errors()
        self._thread = LoopThread("ledger-session")
        try:
            self._db = self._thread.run(connect(where, create=create, writing=False))
        except BaseException:
            self._thread.close()
            raise

    def execute(self, query: str, values: Sequence[Any] = ()) -> "Rows":
        """Run a statement with `?` for its values, and return all rows."""
        return Rows(iter(self._run(self._fetch(_numbered(query), values))))

    def stream(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield rows of a query, some at a time; inside of a transaction."""
        cursor = self._run(self._cursor(_numbered(query), values))
        while rows := self._run(cursor.fetch(ROWS)):
            yield from rows

    def close(self) -> None:
        """Close the connection."""
        if not self._thread.loop.is_closed():
            self._thread.run(self._terminate())
            self._thread.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._thread.run(work)
        except self._errors as error:
            raise failure(self._where, error) from error

    async def _fetch(self, query: str, values: Sequence[Any]) -> Any:
        if self._db.is_closed():
            self._db = await connect(self._where, create=False, writing=False)
        if query == IMMEDIATE:
            await self._db.execute(ALONE)
            return []
        return await self._db.fetch(query, *values)

    async def _cursor(self, query: str, values: Sequence[Any]) -> Any:
        return await self._db.cursor(query, *values)

    async def _terminate(self) -> None:
        self._db.terminate()


class Rows:
    """The rows that a statement returned."""

    def __init__(self, rows: Iterator[Any]) -> None:
        """Take rows; each is a tuple-like record."""
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        """Return the rows that are left."""
        return self._rows

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return list(self._rows)


def _numbered(query: str) -> str:
    parts = query.split("?")
    return parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], start=1))
