"""The writer: commands that queued up during the last commit become one durable commit, then their callers are answered.

Several processes may write one file. A batch starts with BEGIN IMMEDIATE, behind which nobody else can commit, and a look at
`PRAGMA data_version`, which tells whether anybody did since: then what is in memory is dropped and read again.
"""

import asyncio
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from tokenworth.capture.commands import Command, Result
from tokenworth.core.errors import LedgerError
from tokenworth.store.ledger.apply import apply
from tokenworth.store.ledger.facts import needs_of, segments
from tokenworth.store.ledger.memory import Memory
from tokenworth.store.sqlite.connect import connect, failure
from tokenworth.store.sqlite.fetch import fetch
from tokenworth.store.sqlite.write import write

MOST_COMMANDS = 2_048
"""Commands a commit: bounds how long the first of them waits."""


@dataclass(slots=True)
class _Ask:
    """One caller's commands, and the future that waits for their results, with its loop if it has one."""

    commands: Sequence[Command]
    future: "asyncio.Future[list[Result]] | Future[list[Result]]"
    loop: asyncio.AbstractEventLoop | None = None


class SqliteLedger:
    """The durable ledger on one SQLite file. `clock` gives the instant (microseconds) at which rows are recorded.

    Callers may be on any thread or event loop. Every failure of the database is a LedgerError for all callers of the batch, of which
    nothing was written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], int], create: bool = True) -> None:
        """Open the file, make its tables if it is new, and start the writer's thread."""
        self._path = path
        self._clock = clock
        self._db = connect(path, create=create)
        self._memory = Memory()
        self._version = -1
        self._queue: SimpleQueue[_Ask | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order, each on its own; the results' commit is on disk."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Result]] = loop.create_future()
        self._put(_Ask(commands, future, loop))
        return await future

    def submit_now(self, commands: Sequence[Command]) -> list[Result]:
        """Like `submit`, for callers without an event loop."""
        future: Future[list[Result]] = Future()
        self._put(_Ask(commands, future))
        return future.result()

    def close(self) -> None:
        """Commit what is queued, then close the file."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
            self._db.close()

    def __enter__(self) -> Self:
        """Return the ledger."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def _put(self, ask: _Ask) -> None:
        if not self._thread.is_alive():
            raise LedgerError("the ledger is closed")
        self._queue.put(ask)

    def _run(self) -> None:
        running = True
        while running:
            first = self._queue.get()
            if first is None:
                return
            batch, size = [first], len(first.commands)
            while size < MOST_COMMANDS:
                try:
                    more = self._queue.get_nowait()
                except Empty:
                    break
                if more is None:
                    running = False
                    break
                batch.append(more)
                size += len(more.commands)
            self._answer(batch, self._commit(batch))

    def _commit(self, batch: Sequence[_Ask]) -> "list[list[Result]] | LedgerError":
        try:
            self._db.execute("BEGIN IMMEDIATE")
            version = self._db.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._memory.forget()
                self._version = version
            results = iter(self._decide([command for ask in batch for command in ask.commands]))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            return failure(self._path, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours must answer the callers too, not end the thread
            self._roll_back()
            return LedgerError(f"the ledger failed: {error!r}")
        self._memory.committed()
        return [[next(results) for _ in ask.commands] for ask in batch]

    def _decide(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order and write what they change, inside the transaction."""
        memory, recorded, results = self._memory, self._clock(), list[Result]()
        for segment in segments(commands):
            memory.learn(fetch(self._db, memory.missing(needs_of(segment)), known=memory.customers))
            results += [apply(memory, command, recorded) for command in segment]
            write(self._db, memory.rows)
            memory.written()
        return results

    def _roll_back(self) -> None:
        self._memory.forget()
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    @staticmethod
    def _answer(batch: Sequence[_Ask], results: "list[list[Result]] | LedgerError") -> None:
        """Answer each caller; one wake-up a loop, however many of its callers wait."""
        by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[_Ask, list[Result] | LedgerError]]] = defaultdict(list)
        for at, ask in enumerate(batch):
            by_loop[ask.loop].append((ask, results if isinstance(results, LedgerError) else results[at]))
        for loop, answers in by_loop.items():
            if loop is None:
                _resolve(answers)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: "Sequence[tuple[_Ask, list[Result] | LedgerError]]") -> None:
    for ask, result in answers:
        if ask.future.cancelled():
            continue
        if isinstance(result, LedgerError):
            ask.future.set_exception(result)
        else:
            ask.future.set_result(result)
