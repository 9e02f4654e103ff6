"""A request cancelled at any step leaves no hold: it is released, or what was delivered is charged."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import orjson
import pytest

from tests.support.fakes import FakeDirectory, FakeLedger
from tests.support.shop import book, upstream
from tests.support.upstream import USAGE, chunk, completion
from tokenworth.capture.commands import Command, Result
from tokenworth.capture.events import Status
from tokenworth.core.money import NANO
from tokenworth.flows.ports import Principal, SupplierRequest, SupplierResponse
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.service import Call, Service
from tokenworth.flows.serve.wire import chat
from tokenworth.wiring.serving import Backend, serving


class SlowLedger(FakeLedger):
    """Each commit takes two steps of the loop."""

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        done = await super().submit(commands)
        for _ in range(2):
            await asyncio.sleep(0)
        return done


class SlowSupplier:
    """Each piece of an answer takes a step of the loop; counts the answers whose end was reached, by finish or by cancellation."""

    def __init__(self) -> None:
        self.begun = self.ended = 0

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        await asyncio.sleep(0)
        return SupplierResponse(200, {"content-type": "text/event-stream"}, self._body(stream=request.stream))

    async def _body(self, *, stream: bool) -> AsyncGenerator[bytes, None]:
        self.begun += 1
        try:
            for piece in pieces(stream=stream):
                await asyncio.sleep(0)
                yield piece
        finally:
            self.ended += 1

    async def close(self) -> None:
        pass


def pieces(*, stream: bool) -> list[bytes]:
    if not stream:
        whole = orjson.dumps(completion("four words of answer"))
        return [whole[:30], whole[30:]]
    events = [chunk({"content": "four "}), chunk({"content": "words"}), chunk({}, "stop"), {**chunk({}), "choices": [], "usage": USAGE}]
    return [b"data: " + orjson.dumps(event) + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


async def read(service: Service, body: bytes) -> bytes:
    reply = await service.answer(chat.FORMAT, Call("s", body))
    return reply.first + b"".join([piece async for piece in reply.rest])


async def cancelled_after(steps: int, *, stream: bool) -> tuple[FakeLedger, SlowSupplier, bool]:
    made = book({"up": upstream("http://nowhere")})
    ledger, supplier = SlowLedger({"ada": NANO}), SlowSupplier()
    body = orjson.dumps({"model": "up", "messages": [{"role": "user", "content": "hi"}], "stream": stream})
    backend = Backend(ledger, FakeDirectory({"s": Principal("ada", "payg", "k1")}), {"up": supplier})
    async with serving(Shop(made, made.costs), backend) as service:
        task = asyncio.create_task(read(service, body))
        for _ in range(steps):
            await asyncio.sleep(0)
        ended = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await service.holds.drain()
        assert not service.holds.live
    return ledger, supplier, ended


@pytest.mark.parametrize("stream", [True, False])
def test_no_step_leaks_a_hold(stream: bool) -> None:
    statuses = []
    for steps in range(40):
        ledger, supplier, ended = asyncio.run(cancelled_after(steps, stream=stream))
        assert not ledger.open, steps
        assert supplier.begun == supplier.ended, steps
        assert ledger.credits["ada"] == NANO - sum(event.charge for event in ledger.events.values())
        statuses += [event.status for event in ledger.events.values()]
        if ended:
            assert len(statuses) > 4
            break
    else:
        pytest.fail("the request never ended")
    # on the way each kind of end is passed: before the answer, in it, after it; a whole answer is delivered at its end or not at all
    assert set(statuses) == {Status.FAILED, Status.OK} | ({Status.ESTIMATED} if stream else set())
