"""The attempts of one request: one after another, or a second beside a slow first, until one has something for the client.

Whoever does not serve is closed at once and kept in the record, with what it may have cost. After the client's first byte there is no other attempt.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from tokenworth.core.errors import SupplierError
from tokenworth.core.instants import SECOND
from tokenworth.flows.schedule.gate import Gate
from tokenworth.flows.schedule.queue import State, Ticket
from tokenworth.flows.serve.attempt import Attempt
from tokenworth.flows.serve.dispatch import Dispatch
from tokenworth.flows.serve.makers import Maker
from tokenworth.flows.serve.meter import CLIENT_GONE, so_far
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.wire.text import BYTES_PER_TOKEN
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import Card

OUTRUN = "outrun"
"""Outcome of an attempt that another one outran."""
UNBILLED = frozenset({"supplier_unreachable"})
"""Outcomes after which a supplier has nothing to bill; so it is where it answered with an error."""


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that did not serve. `cost` in nano-units of the currency; an estimate of the prompt's, where `known` is false."""

    model: str
    supplier: str
    outcome: str
    cost: int
    known: bool


class Tries:
    """All attempts of an order at `ranked` makers. To be closed whatever happens: that ends what is under way."""

    def __init__(self, order: Order, ranked: Sequence[Maker], dispatch: Dispatch, costs: Card) -> None:
        """Try nothing yet. `costs` say what an attempt that did not serve came to."""
        self.clock = dispatch.clock
        self.queued = 0
        """Microseconds in queues."""
        self.waiting = False
        """Whether it waits in a queue, and nothing is under way."""
        self.counts: Mapping[str, int] = {}
        """What the one that served came to."""
        self._order = order
        self._left = list(ranked)
        self._allowed = order.asking.attempts
        self._dispatch = dispatch
        self._costs = costs
        self._tried: list[Tried] = []
        self._open: dict[Attempt, tuple[Gate, Ticket] | None] = {}

    @property
    def current(self) -> Attempt | None:
        """The attempt that was started first of those under way."""
        return next(iter(self._open), None)

    @property
    def attempts(self) -> str:
        """What did not serve, as JSON; empty for nothing."""
        return orjson.dumps(self._tried).decode() if self._tried else ""

    @property
    def wasted(self) -> int:
        """What it is estimated to cost, in nano-units of the currency."""
        return sum(tried.cost for tried in self._tried)

    async def first(self) -> Attempt:
        """Return the attempt that serves, or the last one where none does. Expired where it waited for a supplier until its deadline."""
        while True:
            attempt = await self._enter()
            if self._order.asking.hedge_after and self._more:
                attempt = await self._race(attempt)
            else:
                await self._start(attempt)
            if not attempt.verdict.elsewhere or not self._more:
                return attempt
            await self._end(attempt, attempt.outcome)

    async def give_up(self) -> None:
        """End all that is under way as what did not serve."""
        for attempt in list(self._open):
            await self._end(attempt, attempt.outcome or CLIENT_GONE)

    async def aclose(self) -> None:
        """End what is under way: connections, slots, queues. No more is asked of the suppliers."""
        try:
            for attempt in list(self._open):
                if attempt.started and not attempt.serves:
                    await self._end(attempt, attempt.outcome or CLIENT_GONE)
                else:
                    await self._close(attempt, self.counts)
        finally:
            self._dispatch.edition.leave()

    @property
    def _more(self) -> bool:
        return bool(self._left) and self._allowed > 0

    async def _enter(self) -> Attempt:
        """Take a place at the first supplier that has room now, else wait for the first."""
        maker = next((maker for maker in self._left if self._has_room(maker)), self._left[0])
        attempt, place = self._take(maker)
        if place and place[1].state is not State.STARTED:
            gate, ticket = place
            self.waiting = True
            try:
                await gate.passed(ticket)
            finally:
                self.waiting = False
            self.queued += ticket.waited
        return attempt

    def _has_room(self, maker: Maker) -> bool:
        gate = self._dispatch.gates.get(maker.model.supplier)
        return gate is None or gate.queue.has_room(self._order.ask.tier, self._dispatch.clock())

    def _take(self, maker: Maker) -> tuple[Attempt, tuple[Gate, Ticket] | None]:
        self._left.remove(maker)
        self._allowed -= 1
        gate = self._dispatch.gates.get(maker.model.supplier)
        ask = self._order.ask
        place = (gate, gate.enter(ask.tier, ask.size // BYTES_PER_TOKEN, since=self._order.draft.at)) if gate else None
        order = self._order.by(maker)
        attempt = Attempt(
            order, self._dispatch.edition.suppliers[maker.model.supplier], self._dispatch.router.breaker(maker.model.id), self._dispatch.clock
        )
        self._open[attempt] = place
        return attempt, place

    async def _start(self, attempt: Attempt) -> None:
        """Start an attempt; where others are left, a stream has so long to its first byte as the product says."""
        limit = self._order.asking.first_byte
        if not limit or not self._order.ask.stream or not self._more:
            await attempt.start()
            return
        try:
            async with asyncio.timeout(limit / SECOND) as timer:
                await attempt.start()
        except TimeoutError:
            if not timer.expired():
                raise
            attempt.too_slow(SupplierError(f"the supplier sent nothing for {limit // SECOND} s", code="supplier_timeout"))

    async def _race(self, first: Attempt) -> Attempt:
        """Start an attempt, and a second one beside it where it is slow and another supplier has room; return the first to serve."""
        racing = {asyncio.ensure_future(self._start(first)): first}
        try:
            done, _ = await asyncio.wait(racing, timeout=self._order.asking.hedge_after / SECOND)
            if not done and (maker := next((maker for maker in self._left if self._has_room(maker)), None)):
                second, _ = self._take(maker)
                racing[asyncio.ensure_future(self._start(second))] = second
            while True:
                done, _ = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    attempt = racing.pop(task)
                    task.result()
                    if not attempt.verdict.elsewhere or not racing:
                        await self._outrun(racing)
                        return attempt
                    await self._end(attempt, attempt.outcome)
        finally:
            for task in racing:
                task.cancel()
            await asyncio.gather(*racing, return_exceptions=True)

    async def _outrun(self, racing: Mapping[asyncio.Task[None], Attempt]) -> None:
        """Cancel the attempts that were slower."""
        for task, attempt in racing.items():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._end(attempt, attempt.outcome or OUTRUN)

    async def _end(self, attempt: Attempt, outcome: str) -> None:
        """Close an attempt that did not serve, and keep what it may have cost."""
        billed = attempt.started and outcome not in UNBILLED and attempt.status < 400
        known = not billed or attempt.tap.usage is not None
        model = attempt.order.model
        self._tried.append(Tried(model.id, model.supplier, outcome, so_far(attempt.order, attempt.tap, self._costs).cost if billed else 0, known))
        await self._close(attempt, None if billed else {})

    async def _close(self, attempt: Attempt, counts: Mapping[str, int] | None) -> None:
        """Close an attempt and give its place back: what it came to is None where nobody knows."""
        place = self._open.pop(attempt)
        try:
            await attempt.close()
        finally:
            if place:
                gate, ticket = place
                usage = None if counts is None else Usage(counts)
                gate.end(ticket, None if usage is None else usage.input_tokens + usage.output_tokens)
