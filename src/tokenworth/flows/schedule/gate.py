"""A supplier's queue for tasks: who finds room passes without a task, a timer or a wait."""

import asyncio
from collections.abc import Callable

from tokenworth.core.instants import SECOND
from tokenworth.flows.schedule.queue import Queue, State, Ticket


class Expired(Exception):  # noqa: N818 - no fault of anybody
    """A request waited until its deadline. It may come again after `pause` microseconds."""

    def __init__(self, pause: int) -> None:
        """Take the pause."""
        super().__init__(pause)
        self.pause = pause


class Gate:
    """The queue of one supplier on the running loop. `clock` gives the instant."""

    def __init__(self, queue: Queue, clock: Callable[[], int]) -> None:
        """Nobody waits."""
        self.queue = queue
        self._clock = clock
        self._futures: dict[Ticket, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, tier: str, tokens: int, *, since: int) -> Ticket:
        """Return a ticket, which must be ended whatever happens; `passed` waits where it has not started."""
        return self.queue.enter(tier, tokens, self._clock(), since=since)

    async def passed(self, ticket: Ticket) -> None:
        """Wait until a ticket is started; Expired where its deadline comes first."""
        if ticket.state is State.WAITING:
            future = self._futures[ticket] = asyncio.get_running_loop().create_future()
            self._set_timer()
            try:
                await future
            finally:
                self._futures.pop(ticket, None)
        if ticket.state is not State.STARTED:
            raise Expired(self.queue.too_late(ticket.tier, self._clock()) or SECOND)

    def end(self, ticket: Ticket, tokens: int | None = None) -> None:
        """Take a ticket back and let others pass; a second time does nothing. `tokens`: what the request came to, None where that is not known."""
        if ticket.state is not State.ENDED:
            self._wake(*self.queue.end(ticket, self._clock(), tokens))

    def moved(self) -> None:
        """Let pass whom a change of the capacity lets pass."""
        self._tick()

    def _tick(self) -> None:
        self._wake(*self.queue.tick(self._clock()))

    def _wake(self, started: list[Ticket], expired: list[Ticket]) -> None:
        for ticket in (*started, *expired):
            future = self._futures.get(ticket)
            if future and not future.done():
                future.set_result(None)
        if self._timer or len(self.queue):
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now = self._clock()
        at = self.queue.wake_at(now)
        if at is not None:
            # a little later than due rather than a turn too early
            self._timer = asyncio.get_running_loop().call_later((at - now) / SECOND + 0.001, self._tick)
