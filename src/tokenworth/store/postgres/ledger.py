"""The ledger of a process on PostgreSQL: a writer for each event loop that asks, and one of its own for callers without."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from tokenworth.capture.commands import Command, Result
from tokenworth.core.errors import LedgerError
from tokenworth.store.ledger.texts import check_texts
from tokenworth.store.postgres.connect import connect
from tokenworth.store.postgres.session import LoopThread
from tokenworth.store.postgres.writer import Writer


class PostgresLedger:
    """The durable ledger on one PostgreSQL database. `clock` gives the instant (microseconds) at which rows are recorded.

    Many processes and hosts may write at once. Every failure of the database is a LedgerError for all callers of the batch, of which nothing
    was written unless the error says that this is not known; the next batch connects anew.
    """

    def __init__(self, where: str, *, clock: Callable[[], int], create: bool = True) -> None:
        """Check that the database can be used, and make its tables if there are none."""
        self._where = where
        self._clock = clock
        self._closed = False
        self._thread = LoopThread("ledger")
        self._writers: dict[asyncio.AbstractEventLoop, Writer] = {}
        try:
            self._thread.run(_try(where, create=create))
        except BaseException:
            self._thread.close()
            raise

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order, each on its own; the results' commit is on disk. InputError where a text cannot be stored."""
        if self._closed:
            raise LedgerError("the ledger is closed")
        check_texts(commands)
        loop = asyncio.get_running_loop()
        writer = self._writers.get(loop)
        if writer is None:
            writer = self._writers[loop] = Writer(self._where, self._clock)
        return await writer.submit(commands)

    def submit_now(self, commands: Sequence[Command]) -> list[Result]:
        """Like `submit`, for callers without an event loop."""
        if self._closed:
            raise LedgerError("the ledger is closed")
        return self._thread.run(self.submit(commands))

    def close(self) -> None:
        """Drop the connections; callers that still wait hear of it."""
        if self._closed:
            return
        self._closed = True
        for loop, writer in self._writers.items():
            if loop is self._thread.loop:
                self._thread.run(_terminate(writer))
            elif not loop.is_closed():
                writer.terminate()
        self._thread.close()

    def __enter__(self) -> Self:
        """Return the ledger."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()


async def _try(where: str, *, create: bool) -> None:
    db = await connect(where, create=create)
    await db.close()


async def _terminate(writer: Writer) -> None:
    writer.terminate()
