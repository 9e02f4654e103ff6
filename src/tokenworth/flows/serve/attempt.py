"""One attempt at one model: sent, read until there is something for the client, read on, closed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress

from tokenworth.core.errors import SupplierError
from tokenworth.flows.ports import Supplier, SupplierRequest
from tokenworth.flows.route.health import Breaker
from tokenworth.flows.route.verdict import WELL, Fault, Verdict, judge
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.wire.tap import Tap

USAGE_SECONDS = 5.0
"""How long the usage of a finished answer is awaited after its client has left: suppliers send it at once after the last text."""


class Attempt:
    """An order at the model of its maker. Where `broken` or a `status` from 400 on is set, it does not serve."""

    def __init__(self, order: Order, supplier: Supplier, breaker: Breaker, clock: Callable[[], int]) -> None:
        """Take over an order; once it is started it must be closed."""
        self.order = order
        self.tap: Tap = order.tap()
        self.status = 0
        """Of the supplier's answer; 0 where there is none."""
        self.headers: Mapping[str, str] = {}
        self.content = b""
        """The whole answer, of a refusal."""
        self.out = b""
        """What may go to the client first."""
        self.broken: SupplierError | None = None
        self.verdict = WELL
        """Whose fault it is that it does not serve, if it does not; known when it has started."""
        self.started = self.ended = False
        self.first_token = 0
        """Microseconds from the hold to the first content; 0 before it."""
        self._supplier = supplier
        self._breaker = breaker
        self._clock = clock
        self._body: AsyncGenerator[bytes, None] | None = None
        self._pending: asyncio.Task[bytes | None] | None = None
        self._told: Fault | None = None

    def _judge(self) -> Verdict:
        if self.broken or (self.tap.failed and not self.tap.begun):
            return Verdict(Fault.SUPPLIER)
        return judge(self.status, self.headers, self._clock())

    @property
    def serves(self) -> bool:
        """Whether the client has something of the model's, or all there is."""
        return self.tap.begun or self.tap.finished or self.tap.complete

    @property
    def outcome(self) -> str:
        """The code of why it does not serve, empty where it does."""
        broken = self.broken or self.tap.failed
        if broken:
            return broken.code
        return f"supplier_{self.status}" if self.status >= 400 else ""

    async def start(self) -> None:
        """Send, and read until the client can be given something or the answer has ended. No error of the supplier is raised."""
        self._breaker.begin(self._clock())
        self.started = True
        order = self.order
        try:
            request = SupplierRequest(order.bridge.path, order.body, stream=order.ask.stream, headers=order.bridge.headers(order.ask))
            response = await self._supplier.send(request)
            self.status, self.headers, self._body = response.status, response.headers, response.body
            if self.status >= 400:
                self.content = b"".join([chunk async for chunk in response.body])
                self.ended = True
            while not self.ended and not self.out:
                self.out = await self.more()
        except SupplierError as error:
            self.fail(error)
        if self.ended and not self.tap.complete and self.status < 400 and not self.broken and not self.tap.failed:
            self.broken = SupplierError("the supplier's answer ended before its end", code="supplier_broke_off")
        self._tell(self._judge())

    def fail(self, error: SupplierError) -> None:
        """Note that nothing more comes, and why."""
        self.broken, self.ended = error, True

    def too_slow(self, error: SupplierError) -> None:
        """Note that its start was given up."""
        self.fail(error)
        self._tell(self._judge())

    async def more(self) -> bytes:
        """Read on; return what may go to the client now."""
        tap = self.tap
        try:
            piece = await self._next()
            out = tap.end() if piece is None else tap.feed(piece)
        except SupplierError as error:
            self.fail(error)
            return b""
        self.ended = piece is None or tap.complete or tap.failed is not None
        if tap.begun and not self.first_token:
            self.first_token = self._clock() - self.order.draft.at
        return out

    async def read_on(self) -> None:
        """Wait for the usage of a finished answer whose client has left: hidden reasoning is in no byte that was delivered."""
        self.tap.gone = True
        with suppress(TimeoutError):
            async with asyncio.timeout(USAGE_SECONDS):
                while self.tap.finished and not self.ended:
                    await self.more()

    async def close(self) -> None:
        """Give the connection back, or end what is under way; tell the breaker how it ended."""
        if self._told is None:
            self._breaker.gave_up()
        elif self._told is Fault.NONE and (self.broken or self.tap.failed):
            self._breaker.failed(self._clock())
        if self._body is not None:
            await self._body.aclose()

    async def _next(self) -> bytes | None:
        """Return the supplier's next bytes, None at their end. Where only the usage is awaited, who cancels this does not cancel the supplier."""
        if not self.tap.finished or (self.tap.gone and self._pending is None):
            return await self._piece()
        pending = self._pending = self._pending or asyncio.ensure_future(self._piece())
        piece = await (pending if self.tap.gone else asyncio.shield(pending))
        self._pending = None
        return piece

    async def _piece(self) -> bytes | None:
        if self._body is not None:
            async for piece in self._body:
                return piece
        return None

    def _tell(self, verdict: Verdict) -> None:
        now, self.verdict, self._told = self._clock(), verdict, verdict.fault
        if verdict.fault is Fault.SUPPLIER:
            self._breaker.failed(now)
        elif verdict.fault is Fault.BUSY:
            self._breaker.leave_alone(now + verdict.pause)
        else:
            self._breaker.answered(now)
