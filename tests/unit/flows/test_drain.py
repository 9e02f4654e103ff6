"""Waiting for suppliers is cut; what is cancelled by its client stays cancelled."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from tokenworth.core.errors import SupplierError
from tokenworth.flows.drain import Cutter
from tokenworth.flows.ports import SupplierRequest, SupplierResponse

REQUEST = SupplierRequest("/chat/completions", {}, stream=True)


class Slow:
    """Sends a piece, then waits; or waits before it answers."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.closed = False

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        del request
        if not self.answers:
            await asyncio.sleep(60)
        return SupplierResponse(200, {}, self._body())

    async def _body(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await asyncio.sleep(60)
        finally:
            self.closed = True

    async def close(self) -> None:
        pass


async def read(cutter: Cutter, supplier: Slow) -> list[bytes]:
    response = await cutter.over({"s": supplier})["s"].send(REQUEST)
    async with aclosing(response.body) as body:
        return [piece async for piece in body]


@pytest.mark.parametrize("answers", [True, False])
async def test_what_waits_hears_that_the_gateway_stops(answers: bool) -> None:
    cutter, supplier = Cutter(), Slow(answers=answers)
    task = asyncio.create_task(read(cutter, supplier))
    await asyncio.sleep(0.01)
    cutter.cut()
    with pytest.raises(SupplierError) as caught:
        await task
    assert caught.value.code == "gateway_stopping"
    assert supplier.closed is answers
    assert task.cancelling() == 0


async def test_what_comes_after_the_cut_is_not_sent() -> None:
    cutter = Cutter()
    cutter.cut()
    with pytest.raises(SupplierError, match="stopping"):
        await read(cutter, Slow())


async def test_a_client_that_leaves_cancels_as_ever() -> None:
    cutter, supplier = Cutter(), Slow()
    task = asyncio.create_task(read(cutter, supplier))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert supplier.closed
    # both at once: the client has left
    other = asyncio.create_task(read(cutter, Slow()))
    await asyncio.sleep(0.01)
    other.cancel()
    cutter.cut()
    with pytest.raises(asyncio.CancelledError):
        await other
