"""Live holds: made, kept alive while their requests run, and closed whatever becomes of the request's task.

A hold is closed by a task of its own, which no cancellation of the request reaches. Where the ledger fails, the hold stays live, and closing it
is tried again until the ledger takes it. What a dead process left open, Expire closes after its deadline.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

from tokenworth.capture.commands import Command, Done, Expire, Extend, Hold, Refused, Release, Result, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.instants import SECOND
from tokenworth.flows.ports import Ledger
from tokenworth.flows.serve.meter import failed

SoFar = Callable[[], UsageEvent]
"""Makes the draft of a request on its way: with the counts so far and their estimated cost."""
log = logging.getLogger(__name__)

RELEASED_UNUSED = "cancelled"
"""Alarm of a hold whose request was given up before it went to the supplier."""
FIRST_PAUSE = 0.1
MOST_PAUSE = 5.0
"""Seconds between attempts to close a hold: doubled from the first to the most."""
DRAIN_SECONDS = 30.0
"""Default of how long the end of a process waits for a ledger that fails."""


class Holds:
    """The open holds of this process. `lifetime` is in microseconds; `clock` gives the instant."""

    def __init__(self, ledger: Ledger, clock: Callable[[], int], lifetime: int) -> None:
        """Hold nothing yet."""
        self._ledger = ledger
        self._clock = clock
        self._lifetime = lifetime
        self._live: dict[str, SoFar | None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failing: set[type[Command]] = set()
        self._kept = clock()

    @property
    def live(self) -> frozenset[str]:
        """Ids of the holds that requests of this process have open."""
        return frozenset(self._live)

    async def place(self, draft: UsageEvent, amount: int, *, key: str = "", body: str = "") -> Result:
        """Hold `amount` (nano-units) for a draft, which says what is spent once the request is sent. A cancelled caller leaves no hold behind."""
        self._live[draft.id] = None
        try:
            result = await self._one(Hold(draft, amount, draft.at + self._lifetime, key, body))
        except asyncio.CancelledError:
            # the ledger takes commands in order, so this release comes after the hold, if there is going to be one
            self._spawn(self._undo(draft))
            raise
        except BaseException:
            self._forget(draft.id)
            raise
        if isinstance(result, Refused):
            self._forget(draft.id)
        return result

    def watch(self, event: str, so_far: SoFar) -> None:
        """Record in a live hold, whenever it is extended, what its request came to by then."""
        if event in self._live:
            self._live[event] = so_far

    async def close(self, command: Settle | Release, *, otherwise: Release | None = None) -> Result:
        """Settle or release, durably, even where the caller is cancelled while it waits.

        Raises what the ledger raises at its first attempt; the others follow without the caller. They are of `otherwise`, where it is given:
        an answer that waits for its settlement is not delivered without it, and so not charged.
        """
        try:
            return await self._closed(command, otherwise)
        except asyncio.CancelledError:
            # again with the same id gives the first result, so asking twice is safe
            self.close_soon(command)
            raise

    def close_soon(self, command: Settle | Release) -> None:
        """Settle or release without waiting; `drain` waits for it."""
        self._spawn(self._close_quietly(command))

    async def keep(self) -> None:
        """Extend all live holds, each third of a lifetime, for ever."""
        while True:
            await asyncio.sleep(self._lifetime / SECOND / 3)
            await self._extend()

    async def expire(self, every: float = 1.0) -> None:
        """Close the holds whose deadline passed, of whatever process, every so many seconds, for ever.

        After a time in which nothing could be extended the live ones come first: their requests are not lost.
        """
        while True:
            if self._clock() - self._kept > self._lifetime // 2:
                await self._extend()
            done = await self._try(Expire(self._clock()))
            if isinstance(done, Done) and done.lost:
                log.error("%d holds ran out unsettled: %s", len(done.lost), " ".join(event.id for event in done.lost))
            await asyncio.sleep(every)

    async def drain(self, patience: float = DRAIN_SECONDS) -> None:
        """Wait until every hold that is being closed is closed, for at most `patience` seconds; what is left ends at its deadline."""
        end = asyncio.get_running_loop().time() + patience
        while self._tasks and (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        if self._tasks:
            log.error("the ledger did not take the end of %d events: %s", len(self._live), " ".join(sorted(self._live)))
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, command: Command) -> Result:
        (result,) = await self._ledger.submit([command])
        return result

    async def _closed(self, command: Settle | Release, otherwise: Release | None = None) -> Result:
        try:
            result = await self._one(command)
        except Exception as error:
            # without the traceback: who waits for it logs that
            log.error("event %s could not be closed: %s; it is tried again until the ledger takes it", command.event.id, error)  # noqa: TRY400
            self._spawn(self._insist(otherwise or command))
            raise
        return self._ended(command, result)

    async def _close_quietly(self, command: Settle | Release) -> None:
        with suppress(Exception):  # it is logged, and tried again
            await self._closed(command)

    async def _insist(self, command: Settle | Release) -> Result:
        """Close a hold however long the ledger fails: again with the same id gives the first result."""
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            try:
                result = await self._one(command)
            except Exception:  # noqa: BLE001 - logged when it failed first
                pause = min(2 * pause, MOST_PAUSE)
            else:
                log.warning("event %s is closed after all", command.event.id)
                return self._ended(command, result)

    def _ended(self, command: Settle | Release, result: Result) -> Result:
        self._forget(command.event.id)
        if isinstance(result, Refused):
            log.error("event %s was not closed: %s %s", command.event.id, result.reason, result.detail)
        return result

    async def _undo(self, draft: UsageEvent) -> None:
        """Release a hold that may or may not have been placed."""
        try:
            unsent = draft._replace(counts={}, cost=0, cost_card="")
            await self._one(Release(failed(unsent, RELEASED_UNUSED, self._clock())))
        finally:
            self._forget(draft.id)

    async def _extend(self) -> None:
        now = self._clock()
        if not self._live or await self._try(Extend(tuple(self._live), now + self._lifetime, tuple(self._drafts()))):
            self._kept = now

    def _drafts(self) -> Iterator[UsageEvent]:
        for event, so_far in self._live.items():
            if so_far is None:
                continue
            try:
                yield so_far()
            except Exception:
                # its hold must be extended all the same
                log.exception("event %s: what it came to so far is not known", event)

    def _forget(self, event: str) -> None:
        self._live.pop(event, None)

    async def _try(self, command: Command) -> Result | None:
        """Submit for a background task, which outlives a ledger that fails for a while; that is logged when it begins."""
        kind = type(command)
        try:
            result = await self._one(command)
        except Exception:
            if kind not in self._failing:
                log.exception("%s failed; it is tried again", kind.__name__)
            self._failing.add(kind)
            return None
        self._failing.discard(kind)
        return result

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
