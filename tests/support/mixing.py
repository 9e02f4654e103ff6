"""Products behind which several models stand, suppliers written out answer by answer, and what a client of them gets."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from tests.support.fakes import FakeDirectory, FakeLedger
from tests.support.shop import book, terms, upstream
from tests.support.upstream import USAGE, chunk, completion
from tokenworth.book.model import Asking, Book, Product, Rules, Tier
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import SupplierError
from tokenworth.core.money import NANO
from tokenworth.flows.ports import Principal, SupplierRequest, SupplierResponse
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.service import Call, Service
from tokenworth.flows.serve.wire import chat
from tokenworth.wiring.clock import now
from tokenworth.wiring.serving import Backend, serving

UNREACHABLE = SupplierError("the supplier cannot be reached", code="supplier_unreachable")
RESET = SupplierError("the supplier broke off its answer", code="supplier_broke_off")
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What a supplier does: waits, then an error, a status, a stream's pieces, or a whole answer."""

    wait: float = 0
    error: SupplierError | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    pieces: Sequence[bytes | float | SupplierError] | None = None
    """Bytes, seconds to wait, errors to raise; None for a whole answer or stream with `text`."""
    text: str = "hello"
    tier: str = ""


def line(content: Any) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


def stream(text: str, tier: str = "") -> list[bytes]:
    said = {"service_tier": tier} if tier else {}
    events = [chunk({"role": "assistant", "content": text}), chunk({}, "stop"), {**chunk({}), "choices": [], "usage": USAGE}]
    return [*(line({**event, **said}) for event in events), b"data: [DONE]\n\n"]


@dataclass
class Scripted:
    """A supplier that answers in turn as it is told, the last for ever; it counts what is under way."""

    answers: list[Answer]
    seen: list[Mapping[str, Any]] = field(default_factory=list)
    open: int = 0
    most: int = 0
    closed: bool = False

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        assert not self.closed
        self.seen.append(request.body)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(answer.wait)
        if answer.error:
            raise answer.error
        self.open += 1
        self.most = max(self.most, self.open)
        return SupplierResponse(answer.status, answer.headers, self._body(answer, stream=request.stream))

    async def _body(self, answer: Answer, *, stream: bool) -> AsyncGenerator[bytes, None]:
        try:
            for piece in _pieces(answer, stream=stream):
                if isinstance(piece, float):
                    await asyncio.sleep(piece)
                elif isinstance(piece, SupplierError):
                    raise piece
                else:
                    yield piece
        finally:
            self.open -= 1

    async def close(self) -> None:
        self.closed = True


def _pieces(answer: Answer, *, stream: bool) -> Sequence[bytes | float | SupplierError]:
    if answer.pieces is not None:
        return answer.pieces
    if answer.status >= 400:
        return [orjson.dumps({"error": {"message": "no", "type": "invalid_request_error", "code": "c", "param": None}})]
    whole = completion(answer.text) | ({"service_tier": answer.tier} if answer.tier else {})
    return globals()["stream"](answer.text, answer.tier) if stream else [orjson.dumps(whole)]


def mix(
    weights: Mapping[str, int],
    *,
    asking: Asking | None = None,
    rules: Rules | None = None,
    tiers: Sequence[Tier] = (),
    suppliers: Mapping[str, Mapping[str, int]] | None = None,
) -> Book:
    """Return a book whose product `chat` is served by models of the weights' names, each at a supplier of its name, at three tiers."""
    limits = {name: (suppliers or {}).get(name, {}) for name in weights}
    made = book({name: replace(upstream("http://nowhere"), **limit) for name, limit in limits.items()})  # type: ignore[arg-type]
    rates = {"flex": "1", "default": "2", "priority": "4"}
    cells = {("chat", tier): (terms({"input": rate, "cache_read": rate, "output": rate}, f"chat {tier}"),) for tier, rate in rates.items()}
    card = replace(made.cards["retail"], cells=cells)
    product = Product("chat", next(iter(weights)), mix=weights, asking=asking or Asking(), rules=rules or Rules())
    told = {tier.id: tier for tier in tiers}
    return replace(made, products={"chat": product}, cards={"retail": card}, tiers={**made.tiers, **told})


@dataclass
class Got:
    """What a client got, or why it got nothing, and what was stored of it."""

    content: bytes
    status: int
    headers: Mapping[str, str]
    refusal: Refusal | None
    event: UsageEvent | None

    @property
    def tried(self) -> list[tuple[str, str]]:
        assert self.event is not None
        return [(each["model"], each["outcome"]) for each in orjson.loads(self.event.attempts or b"[]")]


@dataclass
class Bench:
    """A service over scripted suppliers."""

    service: Service
    ledger: FakeLedger

    async def ask(self, *, session: str = "", secret: str = "s", read: int = 10**9, **more: Any) -> Got:
        """Send a request and read at most so many pieces of the answer."""
        body = orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]} | more)
        known = set(self.ledger.events)
        try:
            reply = await self.service.answer(chat.FORMAT, Call(secret, body, session=session))
        except Refusal as refusal:
            event = self.ledger.events.get(refusal.headers.get("x-tokenworth-event", ""))
            return Got(b"", refusal.status, refusal.headers, refusal, event)
        parts = [reply.first]
        async with aclosing(reply.rest) as rest:
            async for piece in rest:
                if len(parts) >= read:
                    break
                parts.append(piece)
        await self.service.holds.drain()
        assert reply.exchange.event not in known
        return Got(b"".join(parts), reply.status, reply.headers, None, self.ledger.events[reply.exchange.event])


@asynccontextmanager
async def bench(
    made: Book, suppliers: Mapping[str, Scripted], *, tier: str = "", credit: int = NANO, clock: Callable[[], int] = now
) -> AsyncGenerator[Bench, None]:
    """Run a service; at the end nothing may be held, under way or waiting."""
    ledger = FakeLedger({"ada": credit})
    backend = Backend(ledger, FakeDirectory({"s": Principal("ada", "payg", "k1", tier=tier)}), suppliers)
    async with serving(Shop(made, made.costs), backend, clock=clock) as service:
        yield Bench(service, ledger)
    assert not ledger.open
    assert not any(supplier.open for supplier in suppliers.values())
    for gate in service.gates.by_supplier.values():
        assert not len(gate.queue)
        assert not any(gate.queue.capacity.used.values())
    assert service.edition.users == 0
    assert ledger.credits["ada"] == credit - sum(event.charge for event in ledger.events.values())
