"""One request on its way: held, sent, delivered, settled.

    hold -> send -> feed ... feed -> end -> settle -> tail

Streaming or not, this is the path; what differs is which bytes the tap lets through before the settlement. However the way ends, the
hold is closed: by a settlement of what was delivered, or by a release where nothing was.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from tokenworth.capture.commands import Done, Refused, Release, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import SupplierError
from tokenworth.core.instants import SECOND
from tokenworth.core.money import format_amount
from tokenworth.flows.route.verdict import OPERATORS_OWN
from tokenworth.flows.schedule.gate import Expired
from tokenworth.flows.serve.attempt import Attempt
from tokenworth.flows.serve.holds import Holds
from tokenworth.flows.serve.meter import CLIENT_GONE, INTERNAL_ERROR, OVER_CAPACITY, SUPPLIER_GONE, UNSETTLED, Ending, failed, settled, so_far
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.tries import Tries
from tokenworth.flows.serve.wire.answer import reason
from tokenworth.price.card import Card

log = logging.getLogger(__name__)

PASSED_ON = ("content-type", "x-request-id", "retry-after")
"""Headers of the supplier that the client sees; its rate limits and its account are the operator's own business."""

NO_CAPACITY = "The request waited for a supplier as long as its service tier may. Nothing was charged; try again later."

Told = Callable[[UsageEvent], None]
"""Hears what came of a request, before the ledger does."""


def _nobody(_: UsageEvent) -> None:
    pass


class Exchange:
    """One held request. Read `headers` when the first bytes are there: then they say all that is known."""

    def __init__(self, order: Order, holds: Holds, costs: Card, tries: Tries, *, told: Told = _nobody) -> None:
        """Take over an order. Once its hold is placed `deliver` must be called, and closed; `told` hears once what came of it."""
        self._order = order
        self._holds = holds
        self._costs = costs
        self._clock = tries.clock
        self._told = told
        self._tries = tries
        self._started = self._closed = False
        self.event = order.draft.id
        self.status = 200
        self.headers: dict[str, str] = {
            "x-tokenworth-event": order.draft.id,
            "x-tokenworth-hold": format_amount(order.amount),
            "x-tokenworth-unit": order.draft.unit,
        }

    def so_far(self) -> UsageEvent:
        """Return the draft with what the request came to by now; where it is about to be sent, with what the prompt will have cost."""
        draft = self._so_served(self._order).draft
        if self._tries.waiting:
            return draft
        attempt = self._tries.current
        order = self._so_served(attempt.order if attempt else self._order)
        return so_far(order, attempt.tap if attempt else order.tap(), self._costs)

    async def deliver(self) -> AsyncGenerator[bytes, None]:
        """Yield what the client gets; the last of it after the settlement is durable. Refusal where nothing was delivered.

        To cancel it, or to close it before its end, is to say that the client has left.
        """
        attempt: Attempt | None = None
        try:
            async with aclosing(self._tries):
                attempt = await self._tries.first()
                if attempt.status >= 400:
                    yield await self._pass_on(attempt)
                    return
                self._keep_headers(attempt.headers)
                try:
                    out = attempt.out
                    while out or not attempt.ended:
                        if out:
                            self._started = True
                            yield out
                        out = b"" if attempt.ended else await attempt.more()
                except (asyncio.CancelledError, GeneratorExit):
                    await attempt.read_on()
                    raise
                # inside, so that the rest of the supplier's bytes come while the settlement is written, and the connection is kept
                yield await self._finish(attempt)
        except (asyncio.CancelledError, GeneratorExit):
            self._abandon("" if attempt and attempt.tap.complete else CLIENT_GONE, attempt)
            raise
        except Expired as expired:
            await self._release(OVER_CAPACITY)
            self.headers["retry-after"] = str(-(-expired.pause // SECOND))
            raise self._refusal(503, OVER_CAPACITY, NO_CAPACITY) from None
        except Refusal:
            raise
        except Exception as error:
            log.exception("event %s failed", self.event)
            self._abandon(INTERNAL_ERROR, attempt)
            raise self._refusal(500, INTERNAL_ERROR, "The gateway failed; the operator's log says why.") from error

    async def _pass_on(self, attempt: Attempt) -> bytes:
        """Give the supplier's own words for the client's faults, and ours for the operator's and the supplier's."""
        status, content = attempt.status, attempt.content
        await self._give_up(attempt.outcome)
        if attempt.broken:
            raise self._bad_gateway(attempt.broken)
        if status >= 500:
            raise self._refusal(502, "supplier_failed", f"The supplier failed with status {status}. Nothing was charged.")
        if status in OPERATORS_OWN:
            raise self._refusal(502, "supplier_refused", "The supplier refused this service's own account. Nothing was charged.")
        self._keep_headers(attempt.headers)
        said = attempt.order.bridge.refused(status, content)
        if not said:
            raise self._refusal(status, "supplier_rejected", f"The supplier refused the request: {reason(content) or status}")
        self.status = status
        return said

    async def _finish(self, attempt: Attempt) -> bytes:
        """Settle; or release and refuse, where the supplier broke off before the client got anything."""
        tap = attempt.tap
        broken = attempt.broken or tap.failed
        if not tap.complete and not broken:
            broken = SupplierError("the supplier's answer ended before its end", code="supplier_broke_off")
            attempt.fail(broken)
        error = self._bad_gateway(broken) if broken else None
        if broken and error and not tap.begun:
            note = await self._give_up(broken.code)
            if not self._started:
                raise error from broken
            return tap.tail(note, error)
        event = self._event(attempt, SUPPLIER_GONE if broken else "")
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

    async def _give_up(self, alarm: str) -> Mapping[str, str]:
        await self._tries.give_up()
        return await self._release(alarm)

    async def _release(self, alarm: str) -> Mapping[str, str]:
        event = failed(self._so_served(self._order).draft, alarm, self._clock())
        self._close(event)
        return self._note(event, await self._holds.close(Release(event)))

    def _abandon(self, alarm: str, attempt: Attempt | None) -> None:
        """Charge what was delivered, without waiting: the client is gone, this task is being cancelled, or we failed."""
        if self._closed:
            return
        end: Settle | Release = Release(failed(self._so_served(self._order).draft, alarm, self._clock()))
        if attempt and (attempt.tap.begun or attempt.tap.finished):
            try:
                end = Settle(self._event(attempt, alarm))
            except Exception:
                log.exception("event %s could not be metered; its hold is released", self.event)
        self._close(end.event)
        self._holds.close_soon(end)

    def _close(self, event: UsageEvent) -> None:
        self._closed = True
        self._tries.counts = event.counts
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

    def _event(self, attempt: Attempt, alarm: str) -> UsageEvent:
        now = self._clock()
        ending = Ending(now, attempt.first_token or now - self._order.draft.at, alarm)
        return settled(self._so_served(attempt.order), attempt.tap, self._costs, ending)

    def _so_served(self, order: Order) -> Order:
        """Return an order whose draft says how it was served so far."""
        tries = self._tries
        if not tries.queued and not tries.attempts:
            return order
        return replace(order, draft=order.draft._replace(queued=tries.queued, attempts=tries.attempts, wasted=tries.wasted))

    def _keep_headers(self, headers: Mapping[str, str]) -> None:
        self.headers.update({name: headers[name] for name in PASSED_ON if name in headers})
