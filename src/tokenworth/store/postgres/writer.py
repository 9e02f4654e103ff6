"""Batches of one event loop: what queued up while the last one was under way is decided from memory and sent as one call.

Nobody else is asked first. The server compares the versions of the accounts that the batch saw with its own, behind their locks, and writes all of it
or nothing; an id or idempotency key that another process has taken is found by its unique index. Then, and where the answer would be a refusal, the
batch is decided again with care: in a transaction that first locks the accounts and reads what has changed. Accounts that another process changed
are handled so for a while. Callers whose account another process has locked just now wait for the next batch, so that nobody else waits with them.
Every command has an id, so a batch whose commit's outcome is unknown is asked again.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from tokenworth.capture.commands import Command, Expire, Extend, Hold, Refund, Refused, Release, Result, Settle
from tokenworth.core.errors import LedgerError
from tokenworth.store.ledger.apply import apply
from tokenworth.store.ledger.facts import Facts, Needs, needs_of, segments
from tokenworth.store.ledger.memory import Memory
from tokenworth.store.ledger.queue import Ask, Outcome, commands_of, resolve, shares, take
from tokenworth.store.postgres import fetch, write
from tokenworth.store.postgres.connect import connect, errors, failure, lost
from tokenworth.store.postgres.routines import CALL_LOCK, CALL_READ, CALL_TRY, CALL_WRITE, HOLDS_MOVED, ROUTINES

MOST_ATTEMPTS = 10
CAREFUL_BATCHES = 200
"""How many batches an account is handled with care after another process changed it."""
MOST_DEFERRALS = 8
"""How often a caller is put off because another process has its account locked; then its batch waits for the lock."""
TAKEN = "23505"
AGAIN = frozenset({HOLDS_MOVED, TAKEN, "40001", "40P01"})
"""SQLSTATEs after which the batch is decided again: a hold moved, an id was taken, a deadlock was broken."""


class _Again(Exception):  # noqa: N818 - no error: a reason to decide again
    """The batch was decided from what is no longer so."""


class Writer:
    """Writes for the callers of one event loop, over one connection, which is opened anew when it is lost."""

    def __init__(self, where: str, clock: Callable[[], int]) -> None:
        """Connect with the first batch."""
        self._where = where
        self._clock = clock
        self._errors = errors()
        self._db: Any = None
        self._memory = Memory()
        self._queue: list[Ask] = []
        self._task: asyncio.Task[None] | None = None
        self._batches = 0
        self._contended: dict[str, int] = {}
        """Until which batch an account is handled with care."""

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order, each on its own; the results' commit is on disk."""
        ask = Ask(commands, asyncio.get_running_loop().create_future())
        self._queue.append(ask)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await ask.future

    def terminate(self) -> None:
        """Drop the connection at once; callers that still wait hear of it."""
        if self._db is not None:
            self._db.terminate()
        resolve(self._queue, shares(self._queue, LedgerError("the ledger is closed")))
        self._queue = []

    async def _run(self) -> None:
        while self._queue:
            batch, self._queue = take(self._queue)
            try:
                outcome: Outcome = await self._whole(batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, the callers hear of it
                self._memory.forget()
                outcome = error if isinstance(error, LedgerError) else LedgerError(f"the ledger failed: {error!r}")
            resolve(batch, shares(batch, outcome))
            # those who were answered first say what they ask next, so that it joins the batch
            await asyncio.sleep(0)
        self._task = None

    async def _whole(self, batch: list[Ask]) -> list[Result]:
        """Decide and write a batch, again where somebody was faster, and once more where the connection was lost; callers put off leave it."""
        careful, unknown = self._needs_care(commands_of(batch)), False
        self._batches += 1
        for _ in range(MOST_ATTEMPTS):
            sent = self._db is not None
            try:
                await self._connected()
                results = await (self._with_care(batch) if careful else self._at_once(commands_of(batch)))
            except _Again:
                careful = True
            except self._errors as error:
                await self._undo(error)
                if getattr(error, "sqlstate", None) not in AGAIN and (unknown or not lost(error) or not sent):
                    raise failure(self._where, error, unknown=unknown) from error
                careful, unknown = True, unknown or lost(error)
            except LedgerError as error:
                raise failure(self._where, error, unknown=unknown) from error
            else:
                self._memory.committed()
                return results
        raise LedgerError("other processes change the same accounts all the time", mend="try again")

    async def _connected(self) -> None:
        if self._db is None or self._db.is_closed():
            self._memory.forget()
            self._db = await connect(self._where)
            await self._db.execute(ROUTINES)

    async def _undo(self, error: BaseException) -> None:
        """Forget what the failed batch did, and its transaction."""
        if getattr(error, "sqlstate", None) == TAKEN and not self._db.is_in_transaction():
            self._memory.roll_back()
            return
        self._memory.forget()
        if lost(error):
            self._db.terminate()
        elif self._db.is_in_transaction():
            with suppress(*self._errors):
                await self._db.execute("ROLLBACK")

    def _needs_care(self, commands: Sequence[Command]) -> bool:
        """Whether a batch reads rows that only a lock keeps as they are, or an account that others are changing."""
        contended = self._contended
        if contended:
            self._contended = contended = {name: until for name, until in contended.items() if until > self._batches}
        return any(isinstance(command, Refund | Expire) for command in commands) or not contended.keys().isdisjoint(needs_of(commands).customers)

    async def _at_once(self, commands: Sequence[Command]) -> list[Result]:
        """Decide from memory, taking new holds for new, and write in one round trip unless something must be read first."""
        memory, needs = self._memory, needs_of(commands)
        placed = [command for command in commands if isinstance(command, Hold)]
        needs.keys.clear()
        needs.holds -= {command.draft.id for command in placed}
        needs = memory.missing(needs)
        if _any(needs):
            # the answer may bring accounts anew that are known
            needs = memory.missing(needs, anew=True)
        memory.learn(fetch.facts_of(await self._ask(CALL_READ, needs)) if _any(needs) else Facts())
        results = self._decide(commands)
        if any(isinstance(result, Refused) for result in results):
            memory.roll_back()
            raise _Again
        await self._write()
        return results

    async def _with_care(self, batch: list[Ask]) -> list[Result]:
        """Lock the accounts, read what has changed, decide, write, commit."""
        results = list[Result]()
        await self._db.execute("BEGIN")
        if _divides(batch) and await self._put_off(batch):
            results += self._decide(commands_of(batch))
            await self._write()
        else:
            for segment in segments(commands_of(batch)):
                self._memory.learn(fetch.facts_of(await self._ask(CALL_LOCK, self._to_lock(segment))))
                results += self._decide(segment)
                await self._write()
        await self._db.execute("COMMIT")
        return results

    async def _put_off(self, batch: list[Ask]) -> bool:
        """Lock the accounts that are free, read what has changed, and put callers of others back to the head of the queue; False if that were all."""
        records = await self._ask(CALL_TRY, self._to_lock(commands_of(batch)))
        left, deferred = _parted(batch, fetch.busy_of(records))
        if not left:
            return False
        self._memory.learn(fetch.facts_of(records))
        for ask in deferred:
            ask.deferrals += 1
        batch[:], self._queue[:0] = left, deferred
        return True

    def _to_lock(self, commands: Sequence[Command]) -> Needs:
        """Return what commands name: all customers, and of the rest what is not known."""
        memory, needs = self._memory, needs_of(commands)
        if any(isinstance(command, Extend) for command in commands):
            needs.customers |= {hold.customer for hold in map(memory.hold, needs.holds) if hold is not None}
        customers = set(needs.customers)
        needs = memory.missing(needs, anew=True)
        needs.customers = customers
        return needs

    def _decide(self, commands: Sequence[Command]) -> list[Result]:
        recorded = self._clock()
        return [apply(self._memory, command, recorded) for command in commands]

    async def _ask(self, call: str, needs: Needs) -> Any:
        known = self._memory.versions(needs.customers)
        return await self._db.fetch(call, *fetch.arguments(needs, known))

    async def _write(self) -> None:
        """Write what the batch changed; where another process was faster, note whose accounts, undo and begin again."""
        memory = self._memory
        moved = await self._db.fetchval(CALL_WRITE, *write.arguments(memory))
        if moved is not None:
            until = self._batches + CAREFUL_BATCHES
            self._contended.update(dict.fromkeys(moved, until))
            if self._db.is_in_transaction():
                memory.forget()
                await self._db.execute("ROLLBACK")
            else:
                memory.roll_back()
            raise _Again
        memory.written()


def _any(needs: Needs) -> bool:
    return bool(needs.stretches or needs.customers or needs.holds or needs.keys or needs.lots or needs.events or needs.corrections)


def _divides(batch: Sequence[Ask]) -> bool:
    """Whether some callers of a batch may wait for the next: their commands name all accounts concerned, several, and none has waited for long."""
    commands = commands_of(batch)
    plain = all(isinstance(command, Hold | Settle | Release) for command in commands)
    return plain and len(needs_of(commands).customers) > 1 and all(ask.deferrals < MOST_DEFERRALS for ask in batch)


def _parted(batch: Sequence[Ask], busy: set[str]) -> tuple[list[Ask], list[Ask]]:
    """Return callers none of whose accounts is busy, and the others; whoever names an account of one of the others stays behind it."""
    left, deferred = list[Ask](), list[Ask]()
    for ask in batch:
        customers = needs_of(ask.commands).customers
        if busy.isdisjoint(customers):
            left.append(ask)
        else:
            busy |= customers
            deferred.append(ask)
    return left, deferred
