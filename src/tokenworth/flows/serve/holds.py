"""Live holds: made, kept alive while their requests run, and closed whatever becomes of the request's task.

A hold is closed by a task of its own, which no cancellation of the request reaches. What a dead process left open, Expire closes after its
deadline.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tokenworth.capture.commands import Command, Done, Expire, Extend, Hold, Refused, Release, Result, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.instants import SECOND
from tokenworth.flows.ports import Ledger
from tokenworth.flows.serve.meter import failed

T = TypeVar("T")
log = logging.getLogger(__name__)

RELEASED_UNUSED = "cancelled"
"""Alarm of a hold whose request was given up before it went to the supplier."""


class Holds:
    """The open holds of this process. `lifetime` is in microseconds; `clock` gives the instant."""

    def __init__(self, ledger: Ledger, clock: Callable[[], int], lifetime: int) -> None:
        """Hold nothing yet."""
        self._ledger = ledger
        self._clock = clock
        self._lifetime = lifetime
        self._live: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def live(self) -> frozenset[str]:
        """Ids of the holds that requests of this process have open."""
        return frozenset(self._live)

    async def place(self, draft: UsageEvent, amount: int, *, key: str = "", body: str = "") -> Result:
        """Hold `amount` (nano-units) for a draft. A cancelled caller leaves no hold behind."""
        self._live.add(draft.id)
        try:
            result = await self._one(Hold(draft, amount, draft.at + self._lifetime, key, body))
        except asyncio.CancelledError:
            # the ledger takes commands in order, so this release comes after the hold, if there is going to be one
            self._spawn(self._undo(draft))
            raise
        except BaseException:
            self._live.discard(draft.id)
            raise
        if isinstance(result, Refused):
            self._live.discard(draft.id)
        return result

    async def close(self, command: Settle | Release) -> Result:
        """Settle or release, durably, even where the caller is cancelled while it waits."""
        try:
            return await self._closed(command)
        except asyncio.CancelledError:
            # again with the same id gives the first result, so asking twice is safe
            self.close_soon(command)
            raise

    def close_soon(self, command: Settle | Release) -> asyncio.Task[Result]:
        """Settle or release without waiting; `drain` waits for it."""
        return self._spawn(self._closed(command))

    async def keep(self) -> None:
        """Extend all live holds, each third of a lifetime, for ever."""
        while True:
            await asyncio.sleep(self._lifetime / SECOND / 3)
            if self._live:
                await self._try(Extend(tuple(self._live), self._clock() + self._lifetime))

    async def expire(self, every: float = 1.0) -> None:
        """Close the holds whose deadline passed, of whatever process, every so many seconds, for ever."""
        while True:
            done = await self._try(Expire(self._clock()))
            if isinstance(done, Done) and done.lost:
                log.error("%d holds ran out unsettled: %s", len(done.lost), " ".join(event.id for event in done.lost))
            await asyncio.sleep(every)

    async def drain(self) -> None:
        """Wait until every hold that is being closed is closed."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, command: Command) -> Result:
        (result,) = await self._ledger.submit([command])
        return result

    async def _closed(self, command: Settle | Release) -> Result:
        try:
            result = await self._one(command)
        except Exception:
            self._live.discard(command.event.id)
            log.exception("event %s could not be closed; its hold runs out at its deadline", command.event.id)
            raise
        self._live.discard(command.event.id)
        if isinstance(result, Refused):
            log.error("event %s was not closed: %s %s", command.event.id, result.reason, result.detail)
        return result

    async def _undo(self, draft: UsageEvent) -> None:
        """Release a hold that may or may not have been placed."""
        try:
            await self._one(Release(failed(draft, RELEASED_UNUSED, self._clock())))
        finally:
            self._live.discard(draft.id)

    async def _try(self, command: Command) -> Result | None:
        """Submit for a background task, which outlives a ledger that fails for a while."""
        try:
            return await self._one(command)
        except Exception:
            log.exception("%s failed; it is tried again", type(command).__name__)
            return None

    def _spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
