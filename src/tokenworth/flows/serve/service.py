"""Serve a request: who asks, what it may cost at most, hold that, let the supplier answer, settle what was used."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tokenworth.capture.commands import Reason, Refused
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.ids import ENTROPY_BYTES, digest, sortable_id
from tokenworth.flows.ports import Directory, Principal, Supplier
from tokenworth.flows.rates import Admitted, Limiter
from tokenworth.flows.route.router import Router
from tokenworth.flows.serve.count import Counted, count_tokens
from tokenworth.flows.serve.dispatch import Dispatch, Gates
from tokenworth.flows.serve.edition import Edition
from tokenworth.flows.serve.exchange import Exchange
from tokenworth.flows.serve.holds import Holds
from tokenworth.flows.serve.limits import admit, headers
from tokenworth.flows.serve.order import Order, Shop, order, sold
from tokenworth.flows.serve.refusal import Refusal, bad_request, not_held, too_late, unknown_product
from tokenworth.flows.serve.tries import Tries
from tokenworth.flows.serve.wire import messages
from tokenworth.flows.serve.wire.format import Format
from tokenworth.measure.usage.counts import Usage

MAX_KEY = 255
"""Characters of an idempotency key."""
LARGE_BODY = 256 * 1024
"""Bytes above which a body is parsed in a thread, while the loop serves others."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What a client sent: its secret (empty for none), the raw body, its idempotency key (empty for none)."""

    secret: str
    body: bytes
    key: str = ""
    betas: str = ""
    """Of Anthropic's clients: what they want to try."""
    session: str = ""
    """What the client says its requests belong together by, empty for nothing."""


@dataclass(slots=True)
class Service:
    """The use-case with what it needs. `edition` may be replaced while requests run: each keeps the one it began with."""

    edition: Edition
    directory: Directory
    gates: Gates
    holds: Holds
    clock: Callable[[], int]
    entropy: Callable[[int], bytes]
    limiter: Limiter = field(default_factory=Limiter)
    router: Router = field(default_factory=Router)
    _living: list[Edition] = field(default_factory=list)
    """Editions that were replaced and have requests yet."""
    _retiring: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def shop(self) -> Shop:
        """What is sold now."""
        return self.edition.shop

    @property
    def suppliers(self) -> Mapping[str, Supplier]:
        """Who makes it, by id."""
        return self.edition.suppliers

    async def answer(self, spoken: Format, call: Call) -> "Reply":
        """Answer a request in the format that the client speaks; returns when its first bytes are there. Refusal where it is not served."""
        principal = self.caller(call.secret)
        if len(call.key) > MAX_KEY:
            raise bad_request(f"An Idempotency-Key has at most {MAX_KEY} characters.", code="invalid_idempotency_key")
        ask = await asyncio.to_thread(spoken.parse, call.body) if len(call.body) > LARGE_BODY else spoken.parse(call.body)
        if call.betas:
            ask = replace(ask, betas=call.betas)
        at = self.clock()
        edition = self.edition
        ordered = order(edition.shop, principal, ask, event=sortable_id(at, self.entropy(ENTROPY_BYTES)), at=at)
        dispatch = Dispatch(edition, self.router, self.gates.by_supplier, self.clock)
        ranked = dispatch.ranked(ordered, call.session)
        if (pause := dispatch.too_late(ranked, ordered.ask.tier, at)) is not None:
            raise too_late(pause)
        lease = admit(self.limiter, ordered)
        tries = Tries(ordered, ranked, dispatch, edition.shop.costs)
        exchange = Exchange(ordered, self.holds, edition.shop.costs, tries, told=partial(self._ended, ordered, lease))
        exchange.headers.update(headers(lease.standings, at, ask.api))
        edition.enter()
        try:
            await self._hold(exchange, ordered, call)
        except BaseException:
            lease.end(0)
            edition.leave()
            raise
        self.holds.watch(exchange.event, exchange.so_far)
        rest = exchange.deliver()
        return Reply(exchange, await anext(rest), rest, stream=ask.stream)

    async def _hold(self, exchange: Exchange, ordered: Order, call: Call) -> None:
        body = digest(call.body) if call.key else ""
        held = await self.holds.place(exchange.so_far(), ordered.amount, key=call.key, body=body)
        if isinstance(held, Refused):
            if held.reason is Reason.CONFLICT:
                log.error("event %s was not held: %s", ordered.draft.id, held.detail)
            raise not_held(held, ordered.draft.unit)

    def _ended(self, ordered: Order, lease: Admitted, event: UsageEvent) -> None:
        """Give back what was taken of the key's limits, and learn how long the answer was."""
        used = Usage(event.counts)
        lease.end(used.input_tokens + used.output_tokens)
        if event.status is Status.OK and not event.alarm:
            self.shop.sizes.learn(event.product, -(-used.output_tokens // ordered.ask.choices))

    def change(self, edition: Edition) -> None:
        """Serve another edition from now on; suppliers that only older ones have close when the last of their requests is over."""
        old, self.edition = self.edition, edition
        self.gates.fit(edition.shop.book)
        self._living.append(old)
        task = asyncio.get_running_loop().create_task(self._retire(old))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        """Close the suppliers of all editions; nothing may be under way."""
        for task in list(self._retiring):
            task.cancel()
        suppliers = {id(supplier): supplier for edition in (*self._living, self.edition) for supplier in edition.suppliers.values()}
        for supplier in suppliers.values():
            await supplier.close()

    async def _retire(self, edition: Edition) -> None:
        await edition.idle.wait()
        self._living.remove(edition)
        needed = {id(supplier) for other in (*self._living, self.edition) for supplier in other.suppliers.values()}
        for supplier in edition.suppliers.values():
            if id(supplier) not in needed:
                await supplier.close()

    async def count_tokens(self, call: Call) -> Counted:
        """Count the tokens of a request in Anthropic's format. Refusal where it is malformed, or its product is not sold to the caller."""
        principal = self.caller(call.secret)
        ask = replace(messages.parse_count(call.body), betas=call.betas)
        edition = self.edition
        shop = edition.shop
        if ask.product not in {model["id"] for model in sold(shop, principal, self.clock())}:
            raise unknown_product(ask.product)
        weights = shop.book.products[ask.product].weights
        models = [shop.book.models[id_] for id_ in sorted(weights, key=weights.__getitem__, reverse=True)]
        edition.enter()
        try:
            return await count_tokens(shop, edition.suppliers, models, ask)
        finally:
            edition.leave()

    def models(self, secret: str) -> Sequence[Mapping[str, Any]]:
        """List what the caller's plan sells now."""
        return sold(self.shop, self.caller(secret), self.clock())

    def caller(self, secret: str) -> Principal:
        """Return whom a secret belongs to, else Refusal (401)."""
        principal = self.directory.find_key(secret) if secret else None
        if principal is None:
            why = "The API key is unknown or revoked." if secret else "Send an API key: `Authorization: Bearer <key>`, or `x-api-key: <key>`."
            raise Refusal(401, "invalid_api_key", why, headers={"www-authenticate": "Bearer"})
        return principal


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose first bytes are there. `rest` must be read to its end or closed: that closes the hold."""

    exchange: Exchange
    first: bytes
    rest: AsyncGenerator[bytes, None]
    stream: bool

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.exchange.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, in small letters; of a whole answer with charge and balance."""
        return self.exchange.headers
