"""The writer: commands that queued up during the last commit become one durable commit, then their callers are answered.

On an event loop a batch is decided and written by the loop itself: two threads that share rows share Python's lock too, and pay for it with
each row. Only the commit, which waits for the disk, runs on a thread, where the disk is slow. Callers without a loop do all of it themselves.

Several processes may write one file. A batch starts with BEGIN IMMEDIATE, behind which nobody else can commit, and a look at
`PRAGMA data_version`, which tells whether anybody did since: then what is in memory is dropped and read again.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from tokenworth.capture.commands import Command, Result
from tokenworth.core.errors import LedgerError
from tokenworth.store.ledger.apply import apply
from tokenworth.store.ledger.facts import needs_of, segments
from tokenworth.store.ledger.memory import Memory
from tokenworth.store.ledger.queue import Ask, Outcome, commands_of, resolve, shares, take
from tokenworth.store.ledger.texts import check_texts
from tokenworth.store.sqlite.connect import connect
from tokenworth.store.sqlite.fetch import fetch
from tokenworth.store.sqlite.file import BUSY_MS, failure
from tokenworth.store.sqlite.write import write

RETRY_SECONDS = 0.002
"""Between two looks at a file that another process writes."""
QUICK_SECONDS = 0.001
"""A commit that takes less is waited for by the loop itself: handing it to a thread and hearing of it takes as long."""


OF_ROWS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)
"""What SQLite raises for what it is given to write, and not for its file."""


class _RowError(LedgerError):
    """Something in a batch cannot be written, however often it is tried."""


class SqliteLedger:
    """The durable ledger on one SQLite file. `clock` gives the instant (microseconds) at which rows are recorded.

    `submit` is for callers on one event loop, `submit_now` for callers on any thread. A failure of the file is a LedgerError for all callers of
    the batch, of which nothing was written; what cannot be written fails its own caller only.
    """

    def __init__(self, path: Path, *, clock: Callable[[], int], create: bool = True) -> None:
        """Open the file, and make its tables if it is new."""
        self._path = path
        self._clock = clock
        self._db = connect(path, create=create)
        # waiting is done here, on a thread where it holds nobody up
        self._db.execute("PRAGMA busy_timeout = 0")
        self._memory = Memory()
        self._version = -1
        self._turn = threading.Lock()
        """Held from a transaction's begin to its end."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: list[Ask] = []
        self._started = False
        """Whether the loop has a batch under way, or is about to."""
        self._commit_seconds = 0.0
        """What a commit takes, as the last ones did."""
        self._committer = ThreadPoolExecutor(1, "ledger-commit")
        self._closed = False

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order, each on its own; the results' commit is on disk. InputError where a text cannot be stored."""
        self._check_open()
        check_texts(commands)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # what an earlier loop left behind has nobody who waits for it
            self._loop, self._queue, self._started = loop, [], False
        ask = Ask(commands, loop.create_future())
        self._queue.append(ask)
        if not self._started:
            self._started = True
            # what becomes ready in this round of the loop joins the batch
            loop.call_soon(self._start, loop)
        return await ask.future

    def submit_now(self, commands: Sequence[Command]) -> list[Result]:
        """Like `submit`, for callers without an event loop."""
        self._check_open()
        check_texts(commands)
        with self._turn:
            return self._whole(commands)

    def close(self) -> None:
        """Commit what is queued, then close the file."""
        if self._closed:
            return
        self._closed = True
        with self._turn:
            batch, self._queue = self._queue, []
            if batch and self._loop is not None and not self._loop.is_closed():
                outcomes = [_attempt(self._whole, ask.commands) for ask in batch]
                self._loop.call_soon_threadsafe(resolve, batch, outcomes)
        self._committer.shutdown()
        self._db.close()

    def __enter__(self) -> Self:
        """Return the ledger."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise LedgerError("the ledger is closed")

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Decide and write a batch, and let a thread commit it; where another writer is at work, let the thread do all of it."""
        if self._closed or loop is not self._loop:
            return
        batch, self._queue = take(self._queue)
        commands = commands_of(batch)
        if not self._begin_at_once():
            ending = loop.run_in_executor(self._committer, _attempt, self._in_turn, commands)
        else:
            decided = _attempt(self._decide, commands)
            if self._commit_seconds < QUICK_SECONDS:
                self._answer(loop, batch, self._end(decided))
                return
            ending = loop.run_in_executor(self._committer, self._end, decided)
        ending.add_done_callback(lambda ended: self._answer(loop, batch, ended.result()))

    def _answer(self, loop: asyncio.AbstractEventLoop, batch: Sequence[Ask], outcome: Outcome) -> None:
        """Answer a batch; where something in it cannot be written, its callers are tried one by one, so that only one of them fails."""
        if isinstance(outcome, _RowError) and len(batch) > 1:
            ending = loop.run_in_executor(self._committer, self._one_by_one, batch)
            ending.add_done_callback(lambda ended: self._next(loop, batch, ended.result()))
        else:
            self._next(loop, batch, shares(batch, outcome))

    def _one_by_one(self, batch: Sequence[Ask]) -> list[Outcome]:
        return [_attempt(self._in_turn, ask.commands) for ask in batch]

    def _next(self, loop: asyncio.AbstractEventLoop, batch: Sequence[Ask], outcomes: Sequence[Outcome]) -> None:
        resolve(batch, outcomes)
        self._started = bool(self._queue)
        if self._started:
            # after those who were answered, so that what they ask next joins the batch
            loop.call_soon(self._start, loop)

    def _begin_at_once(self) -> bool:
        """Take the turn and begin, unless somebody else is at it; what else is wrong, `_in_turn` will meet and say."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            self._begin()
        except sqlite3.Error:
            self._turn.release()
            return False
        return True

    def _in_turn(self, commands: Sequence[Command]) -> list[Result]:
        with self._turn:
            return self._whole(commands)

    def _whole(self, commands: Sequence[Command]) -> list[Result]:
        """Begin, decide, write and commit; LedgerError where any of it fails."""
        try:
            self._begin(wait=True)
            results = self._decide(commands)
            self._commit()
        except Exception as error:
            raise self._failed(error) from error
        return results

    def _end(self, decided: Outcome) -> Outcome:
        """Commit what was decided, or undo it, and give the turn back."""
        try:
            if isinstance(decided, Exception):
                return self._failed(decided)
            self._commit()
        except sqlite3.Error as error:
            return self._failed(error)
        finally:
            self._turn.release()
        return decided

    def _begin(self, *, wait: bool = False) -> None:
        """Begin, behind other processes if need be for BUSY_MS."""
        until = time.monotonic() + BUSY_MS / 1000 if wait else 0
        while True:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError as error:
                if time.monotonic() > until or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                time.sleep(RETRY_SECONDS)
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._memory.forget()
            self._version = version

    def _decide(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order and write what they change, inside the transaction."""
        memory, recorded, results = self._memory, self._clock(), list[Result]()
        for segment in segments(commands):
            memory.learn(fetch(self._db, memory.missing(needs_of(segment)), known=memory.customers))
            results += [apply(memory, command, recorded) for command in segment]
            write(self._db, memory.rows)
            memory.written()
        return results

    def _commit(self) -> None:
        start = time.perf_counter()
        self._db.execute("COMMIT")
        self._commit_seconds += (time.perf_counter() - start - self._commit_seconds) / 8
        self._memory.committed()

    def _failed(self, error: Exception) -> LedgerError:
        """Undo the batch and say what happened; a fault of ours must answer the callers too."""
        self._memory.forget()
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error) and not isinstance(error, OF_ROWS):
            return failure(self._path, error)
        return _RowError(f"the ledger failed: {error!r}")


def _attempt(work: Callable[[Sequence[Command]], list[Result]], commands: Sequence[Command]) -> Outcome:
    try:
        return work(commands)
    except Exception as error:  # noqa: BLE001 - whatever it is, the callers hear of it
        return error
