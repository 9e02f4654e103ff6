"""A hold says what its request came to: the prompt from its dispatch on, what was delivered whenever it is extended."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import orjson
import pytest

from tests.support.fakes import FakeDirectory, FakeLedger
from tests.support.shop import book, upstream
from tests.support.upstream import chunk, completion
from tokenworth.capture.commands import Command, Result, Settle
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.errors import LedgerError
from tokenworth.core.money import NANO
from tokenworth.flows.ports import Principal, SupplierRequest, SupplierResponse
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.service import Call, Service
from tokenworth.flows.serve.wire import chat
from tokenworth.wiring.serving import Backend, serving

BOOK = book({"up": upstream("http://nowhere")})
PROMPT = "sixteen bytes ok"
COST_IN, COST_OUT = 500, 2_000
"""Nano-dollars a token."""


class Pausing:
    """Sends eight bytes of text, then nothing more; `whole` answers at once."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.at_dispatch: list[UsageEvent] = []

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        self.at_dispatch = [hold.draft for hold in self.ledger.open.values()]
        return SupplierResponse(200, {}, self._body(stream=request.stream))

    async def _body(self, *, stream: bool) -> AsyncGenerator[bytes, None]:
        if stream:
            yield b"data: " + orjson.dumps(chunk({"content": "8 bytes."})) + b"\n\n"
            await asyncio.Event().wait()
        yield orjson.dumps(completion("8 bytes."))

    async def close(self) -> None:
        pass


class Unsettling(FakeLedger):
    """Fails at the first settlement."""

    failures = 1

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        if self.failures and isinstance(commands[0], Settle):
            self.failures -= 1
            raise LedgerError("the disk is full")
        return await super().submit(commands)


def ask(*, stream: bool) -> Call:
    return Call("s", orjson.dumps({"model": "up", "messages": [{"role": "user", "content": PROMPT}], "stream": stream}))


def backend(ledger: FakeLedger, supplier: Pausing) -> Backend:
    return Backend(ledger, FakeDirectory({"s": Principal("ada", "payg", "k1")}), {"up": supplier})


def spent(event: UsageEvent) -> tuple[dict[str, int], int, int]:
    return dict(event.counts), event.cost, event.charge


async def read(service: Service, call: Call) -> bytes:
    reply = await service.answer(chat.FORMAT, call)
    return reply.first + b"".join([piece async for piece in reply.rest])


async def test_a_hold_records_the_prompt_at_dispatch_and_what_was_delivered_later() -> None:
    ledger = FakeLedger({"ada": NANO})
    supplier = Pausing(ledger)
    async with serving(Shop(BOOK, BOOK.costs), backend(ledger, supplier), hold_seconds=1) as service:
        reading = asyncio.create_task(read(service, ask(stream=True)))
        async with asyncio.timeout(5):
            while not any(extended.drafts for extended in ledger.extended):  # noqa: ASYNC110 - the ledger has no event
                await asyncio.sleep(0.01)
        (hold,) = ledger.open.values()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert [spent(event) for event in supplier.at_dispatch] == [({"input": 4}, 4 * COST_IN, 0)]
    assert spent(hold.draft) == ({"input": 4, "output": 2}, 4 * COST_IN + 2 * COST_OUT, 0)
    assert (hold.draft.status, hold.draft.cost_card) == (Status.OPEN, "cost of up")


async def test_a_whole_answer_that_could_not_be_settled_is_not_charged() -> None:
    ledger = Unsettling({"ada": NANO})
    async with serving(Shop(BOOK, BOOK.costs), backend(ledger, Pausing(ledger))) as service:
        with pytest.raises(Exception):  # noqa: B017, PT011 - whichever the edge renders as 500
            await read(service, ask(stream=False))
    (event,) = ledger.events.values()
    assert (event.status, event.charge, event.alarm) == (Status.FAILED, 0, "unsettled")
    assert event.cost > 0
    assert ledger.credits["ada"] == NANO
