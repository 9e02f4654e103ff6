"""One request on its way: held, sent, delivered, settled.

    hold -> send -> feed ... feed -> end -> settle -> tail

Streaming or not, this is the path; what differs is which bytes the tap lets through before the settlement. However the way ends, the
hold is closed: by a settlement of what was delivered, or by a release where nothing was.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress

from tokenworth.capture.commands import Done, Refused, Release, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import SupplierError
from tokenworth.core.money import format_amount
from tokenworth.flows.ports import Supplier, SupplierRequest, SupplierResponse
from tokenworth.flows.serve.holds import Holds
from tokenworth.flows.serve.meter import CLIENT_GONE, INTERNAL_ERROR, SUPPLIER_GONE, UNSETTLED, Ending, failed, settled, so_far
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.answer import reason
from tokenworth.flows.serve.wire.tap import Tap
from tokenworth.price.card import Card

log = logging.getLogger(__name__)

PASSED_ON = ("content-type", "x-request-id", "retry-after")
"""Headers of the supplier that the client sees; its rate limits and its account are the operator's own business."""

OPERATORS_OWN = frozenset({401, 402, 403, 407})
"""Statuses that judge the operator's key or account, not the customer's: passed on they would accuse the customer and may quote the key."""

USAGE_SECONDS = 5.0
"""How long the usage of a finished answer is awaited after its client has left: suppliers send it at once after the last text."""


Told = Callable[[UsageEvent], None]
"""Hears what came of a request, before the ledger does."""


def _nobody(_: UsageEvent) -> None:
    pass


class Exchange:
    """One held request. Read `headers` when the first bytes are there: then they say all that is known."""

    def __init__(self, order: Order, holds: Holds, costs: Card, clock: Callable[[], int], *, told: Told = _nobody) -> None:
        """Take over an order. Once its hold is placed `deliver` must be called, and closed; `told` hears once what came of it."""
        self._order = order
        self._holds = holds
        self._costs = costs
        self._clock = clock
        self._told = told
        self._tap: Tap = order.bridge.tap(order.ask, order.model)
        self._pending: asyncio.Task[bytes | None] | None = None
        self._broken: SupplierError | None = None
        self._first_token = 0
        self._started = self._ended = self._closed = False
        self.event = order.draft.id
        self.status = 200
        self.headers: dict[str, str] = {
            "x-tokenworth-event": order.draft.id,
            "x-tokenworth-hold": format_amount(order.amount),
            "x-tokenworth-unit": order.draft.unit,
        }

    def so_far(self) -> UsageEvent:
        """Return the draft with what the request came to by now; before it is sent, with what the prompt will have cost."""
        return so_far(self._order, self._tap, self._costs)

    async def deliver(self, supplier: Supplier) -> AsyncGenerator[bytes, None]:
        """Yield what the client gets; the last of it after the settlement is durable. Refusal where nothing was delivered.

        To cancel it, or to close it before its end, is to say that the client has left.
        """
        try:
            response = await self._send(supplier)
            async with aclosing(response.body) as body:
                if response.status >= 400:
                    yield await self._pass_on(response)
                    return
                self._keep_headers(response.headers)
                try:
                    while not self._ended:
                        if out := await self._more(body):
                            self._started = True
                            yield out
                except (asyncio.CancelledError, GeneratorExit):
                    await self._read_on(body)
                    raise
                # inside, so that the rest of the supplier's bytes come while the settlement is written, and the connection is kept
                yield await self._finish()
        except (asyncio.CancelledError, GeneratorExit):
            self._abandon("" if self._tap.complete else CLIENT_GONE)
            raise
        except Refusal:
            raise
        except Exception as error:
            log.exception("event %s failed", self.event)
            self._abandon(INTERNAL_ERROR)
            raise self._refusal(500, INTERNAL_ERROR, "The gateway failed; the operator's log says why.") from error

    async def _send(self, supplier: Supplier) -> SupplierResponse:
        order = self._order
        try:
            return await supplier.send(SupplierRequest(order.bridge.path, order.body, stream=order.ask.stream))
        except SupplierError as error:
            await self._release(error.code)
            raise self._bad_gateway(error) from error

    async def _pass_on(self, response: SupplierResponse) -> bytes:
        """Give the supplier's own words for the client's faults, and ours for the operator's and the supplier's."""
        try:
            content = b"".join([chunk async for chunk in response.body])
        except SupplierError as error:
            await self._release(error.code)
            raise self._bad_gateway(error) from error
        await self._release(f"supplier_{response.status}")
        if response.status >= 500:
            raise self._refusal(502, "supplier_failed", f"The supplier failed with status {response.status}. Nothing was charged.")
        if response.status in OPERATORS_OWN:
            raise self._refusal(502, "supplier_refused", "The supplier refused this service's own account. Nothing was charged.")
        self._keep_headers(response.headers)
        said = self._order.bridge.refused(content)
        if not said:
            raise self._refusal(response.status, "supplier_rejected", f"The supplier refused the request: {reason(content) or response.status}")
        self.status = response.status
        return said

    async def _more(self, body: AsyncGenerator[bytes, None]) -> bytes:
        """Read on; return what may go to the client now."""
        tap = self._tap
        try:
            piece = await self._next(body)
            out = tap.end() if piece is None else tap.feed(piece)
        except SupplierError as error:
            self._broken, self._ended = error, True
            return b""
        self._ended = piece is None or tap.complete or tap.failed is not None
        if tap.begun and not self._first_token:
            self._first_token = self._since()
        return out

    async def _next(self, body: AsyncGenerator[bytes, None]) -> bytes | None:
        """Return the supplier's next bytes, None at their end. Where only the usage is awaited, who cancels this does not cancel the supplier."""
        if not self._tap.finished or (self._tap.gone and self._pending is None):
            return await _piece(body)
        pending = self._pending = self._pending or asyncio.ensure_future(_piece(body))
        piece = await (pending if self._tap.gone else asyncio.shield(pending))
        self._pending = None
        return piece

    async def _read_on(self, body: AsyncGenerator[bytes, None]) -> None:
        """Wait for the usage of a finished answer whose client has left: hidden reasoning is in no byte that was delivered."""
        self._tap.gone = True
        with suppress(TimeoutError):
            async with asyncio.timeout(USAGE_SECONDS):
                while self._tap.finished and not self._ended:
                    await self._more(body)

    async def _finish(self) -> bytes:
        """Settle; or release and refuse, where the supplier broke off before the client got anything."""
        tap = self._tap
        broken = self._broken or tap.failed
        if not tap.complete and not broken:
            broken = SupplierError("the supplier's answer ended before its end", code="supplier_broke_off")
        error = self._bad_gateway(broken) if broken else None
        if broken and error and not tap.begun:
            note = await self._release(broken.code)
            if not self._started:
                raise error from broken
            return tap.tail(note, error)
        self._first_token = self._first_token or self._since()
        event = self._event(SUPPLIER_GONE if broken else "")
        self._close(event)
        note = self._note(event, await self._holds.close(Settle(event), otherwise=self._undelivered(event)))
        self.headers.update({f"x-tokenworth-{name}": value for name, value in note.items()})
        return tap.tail(note, error)

    def _note(self, event: UsageEvent, done: Done | Refused) -> Mapping[str, str]:
        """Say how the hold ended. A refused settlement charged nothing (its hold had run out), and is in the log."""
        stored = done.event if isinstance(done, Done) and done.event else event
        charged = stored.charge if isinstance(done, Done) else 0
        return {
            "event": event.id,
            "charge": format_amount(charged),
            "balance": format_amount(done.available),
            "unit": event.unit,
        }

    async def _release(self, alarm: str) -> Mapping[str, str]:
        event = failed(self._order.draft, alarm, self._clock())
        self._close(event)
        return self._note(event, await self._holds.close(Release(event)))

    def _abandon(self, alarm: str) -> None:
        """Charge what was delivered, without waiting: the client is gone, this task is being cancelled, or we failed."""
        if self._closed:
            return
        end: Settle | Release = Release(failed(self._order.draft, alarm, self._clock()))
        if self._tap.begun or self._tap.finished:
            try:
                end = Settle(self._event(alarm))
            except Exception:
                log.exception("event %s could not be metered; its hold is released", self.event)
        self._close(end.event)
        self._holds.close_soon(end)

    def _close(self, event: UsageEvent) -> None:
        self._closed = True
        self._told(event)

    def _refusal(self, status: int, code: str, what: str) -> Refusal:
        """Return a refusal that names the event, as every answer to a held request does."""
        headers = {name: value for name, value in self.headers.items() if name != "content-type"}
        return Refusal(status, code, what, headers=headers)

    def _bad_gateway(self, error: SupplierError) -> Refusal:
        status = 504 if error.code == "supplier_timeout" else 502
        return self._refusal(status, error.code, f"The supplier did not answer: {error.what}. What was not delivered is not charged.")

    def _undelivered(self, event: UsageEvent) -> Release | None:
        """Return how an answer ends that waits for its settlement, where the ledger fails at it; a stream is delivered by then."""
        return None if self._order.ask.stream else Release(failed(event, UNSETTLED, event.ended))

    def _event(self, alarm: str) -> UsageEvent:
        return settled(self._order, self._tap, self._costs, Ending(self._clock(), self._first_token, alarm))

    def _keep_headers(self, headers: Mapping[str, str]) -> None:
        self.headers.update({name: headers[name] for name in PASSED_ON if name in headers})

    def _since(self) -> int:
        return self._clock() - self._order.draft.at


async def _piece(body: AsyncGenerator[bytes, None]) -> bytes | None:
    async for piece in body:
        return piece
    return None
