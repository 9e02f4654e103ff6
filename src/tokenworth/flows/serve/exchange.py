"""One request on its way: held, sent, delivered, settled.

    hold -> send -> feed ... feed -> end -> settle -> tail

Streaming or not, this is the path; what differs is which bytes the tap lets through before the settlement. However the way ends, the
hold is closed: by a settlement of what was delivered, or by a release where nothing was.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from tokenworth.capture.commands import Done, Refused, Release, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import SupplierError
from tokenworth.core.money import format_amount
from tokenworth.flows.ports import Supplier, SupplierRequest, SupplierResponse
from tokenworth.flows.serve.chat import PATH, StreamTap, Tap, WholeTap, supplier_body
from tokenworth.flows.serve.holds import Holds
from tokenworth.flows.serve.meter import CLIENT_GONE, SUPPLIER_GONE, Ending, failed, settled
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.price.card import Card

log = logging.getLogger(__name__)

PASSED_ON = ("content-type", "x-request-id", "retry-after")
"""Headers of the supplier that the client sees; its rate limits and its account are the operator's own business."""

OPERATORS_OWN = frozenset({401, 402, 403, 407})
"""Statuses that judge the operator's key or account, not the customer's: passed on they would accuse the customer and may quote the key."""


class Exchange:
    """One held request. Read `headers` when the first bytes are there: then they say all that is known."""

    def __init__(self, order: Order, holds: Holds, costs: Card, clock: Callable[[], int]) -> None:
        """Take over an order whose hold is placed; `deliver` must be called, and closed."""
        self._order = order
        self._holds = holds
        self._costs = costs
        self._clock = clock
        self._tap: Tap = (StreamTap if order.ask.stream else WholeTap)(order.ask, order.model)
        self._first_token = 0
        self._closed = False
        self._dispatched = False
        self.event = order.draft.id
        self.status = 200
        self.headers: dict[str, str] = {
            "x-tokenworth-event": order.draft.id,
            "x-tokenworth-hold": format_amount(order.amount),
            "x-tokenworth-unit": order.draft.unit,
        }

    async def deliver(self, supplier: Supplier) -> AsyncGenerator[bytes, None]:
        """Yield what the client gets; the last of it after the settlement is durable. Refusal where nothing was delivered."""
        try:
            response = await self._send(supplier)
            async with aclosing(response.body) as body:
                if response.status >= 400:
                    yield await self._pass_on(response)
                    return
                self._dispatched = True
                self._keep_headers(response.headers)
                broken = None
                try:
                    async for chunk in body:
                        if out := self._tap.feed(chunk):
                            self._first_token = self._first_token or self._since()
                            yield out
                        if self._tap.complete or self._tap.failed:
                            break
                    self._tap.end()
                except SupplierError as error:
                    broken = error
                # inside, so that the rest of the supplier's bytes come while the settlement is written, and the connection is kept
                yield await self._finish(broken)
        finally:
            if not self._closed:
                self._abandon()

    async def _send(self, supplier: Supplier) -> SupplierResponse:
        ask = self._order.ask
        try:
            return await supplier.send(SupplierRequest(PATH, supplier_body(ask, self._order.model), stream=ask.stream))
        except SupplierError as error:
            await self._release(error.code)
            raise _bad_gateway(error) from error

    async def _pass_on(self, response: SupplierResponse) -> bytes:
        """Give the supplier's own words for the client's faults, and ours for the operator's and the supplier's."""
        try:
            content = b"".join([chunk async for chunk in response.body])
        except SupplierError as error:
            await self._release(error.code)
            raise _bad_gateway(error) from error
        await self._release(f"supplier_{response.status}")
        if response.status >= 500:
            raise Refusal(502, "supplier_failed", f"The supplier failed with status {response.status}. Nothing was charged.")
        if response.status in OPERATORS_OWN:
            raise Refusal(502, "supplier_refused", "The supplier refused this service's own account. Nothing was charged.")
        self.status = response.status
        self._keep_headers(response.headers)
        return content

    async def _finish(self, broken: SupplierError | None) -> bytes:
        """Settle; or release and refuse, where the supplier broke off before the client got anything."""
        tap = self._tap
        if broken is None and (not tap.complete or tap.failed):
            broken = SupplierError("the supplier's answer ended before its end", code="supplier_broke_off")
        if broken is not None and not self._first_token:
            await self._release(broken.code)
            raise _bad_gateway(broken) from broken
        if not self._first_token:
            self._first_token = self._since()
        event = self._event(SUPPLIER_GONE if broken else "")
        self._closed = True
        done = await self._holds.close(Settle(event))
        note = self._note(event, done)
        return tap.tail(note, _bad_gateway(broken).body() if broken else None)

    def _note(self, event: UsageEvent, done: Done | Refused) -> Mapping[str, str]:
        """Say what was settled. A refused settlement charged nothing (its hold had run out), and is in the log."""
        stored = done.event if isinstance(done, Done) and done.event else event
        charged = stored.charge if isinstance(done, Done) else 0
        note = {
            "event": event.id,
            "charge": format_amount(charged),
            "balance": format_amount(done.available),
            "unit": event.unit,
        }
        self.headers.update({f"x-tokenworth-{name}": value for name, value in note.items()})
        return note

    async def _release(self, alarm: str) -> None:
        self._closed = True
        await self._holds.close(Release(failed(self._order.draft, alarm, self._clock())))

    def _abandon(self) -> None:
        """Charge what was made, without waiting: the client is gone, or this task is being cancelled."""
        self._closed = True
        release = Release(failed(self._order.draft, CLIENT_GONE, self._clock()))
        try:
            self._holds.close_soon(Settle(self._event(CLIENT_GONE)) if self._dispatched else release)
        except Exception:
            log.exception("event %s could not be metered; its hold is released", release.event.id)
            self._holds.close_soon(release)

    def _event(self, alarm: str) -> UsageEvent:
        return settled(self._order, self._tap, self._costs, Ending(self._clock(), self._first_token, alarm))

    def _keep_headers(self, headers: Mapping[str, str]) -> None:
        self.headers.update({name: headers[name] for name in PASSED_ON if name in headers})

    def _since(self) -> int:
        return self._clock() - self._order.draft.at


def _bad_gateway(error: SupplierError) -> Refusal:
    status = 504 if error.code == "supplier_timeout" else 502
    return Refusal(status, error.code, f"The supplier did not answer: {error.what}. What was not delivered is not charged.")
