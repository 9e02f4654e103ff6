"""The end of a process: what still waits for suppliers is cut, as if they had broken off, so that what was delivered is charged and told."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any

from tokenworth.core.errors import SupplierError
from tokenworth.flows.ports import Supplier, SupplierRequest, SupplierResponse

CODE = "gateway_stopping"


class Cutter:
    """Knows which tasks wait for suppliers, and ends their waiting when asked to."""

    def __init__(self) -> None:
        """Cut nothing yet."""
        self.cutting = False
        self._waits: set[_Wait] = set()

    def over(self, suppliers: Mapping[str, Supplier]) -> Mapping[str, Supplier]:
        """Return suppliers that can be cut."""
        return {name: _Cuttable(self, supplier) for name, supplier in suppliers.items()}

    def cut(self) -> None:
        """End all that waits for a supplier, now and from now on, with a SupplierError."""
        self.cutting = True
        for wait in self._waits:
            wait.cut()

    def begin(self) -> "_Wait":
        """Note that somebody is about to wait, again and again until `end`."""
        wait = _Wait(self)
        self._waits.add(wait)
        return wait

    def end(self, wait: "_Wait") -> None:
        """Note that nobody will wait any more."""
        self._waits.discard(wait)


class _Wait:
    """One request's waits for its supplier: inside `with`, what waits can be cut."""

    __slots__ = ("_cut", "_cutter", "_task")

    def __init__(self, cutter: Cutter) -> None:
        self._cutter = cutter
        self._task: asyncio.Task[Any] | None = None
        self._cut = False

    def cut(self) -> None:
        if self._task is not None:
            self._cut = True
            self._task.cancel()

    def __enter__(self) -> None:
        if self._cutter.cutting:
            raise _stopping()
        self._task = asyncio.current_task()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        task, self._task = self._task, None
        if self._cut and kind is asyncio.CancelledError and task is not None and not task.uncancel():
            # only we cancelled it: its client has not left
            raise _stopping() from None


class _Cuttable:
    """A supplier whose answers a cutter can end."""

    def __init__(self, cutter: Cutter, supplier: Supplier) -> None:
        self._cutter = cutter
        self._supplier = supplier

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        wait = self._cutter.begin()
        try:
            with wait:
                response = await self._supplier.send(request)
        finally:
            self._cutter.end(wait)
        return SupplierResponse(response.status, response.headers, self._body(response.body))

    async def close(self) -> None:
        await self._supplier.close()

    async def _body(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        wait = self._cutter.begin()
        try:
            async with aclosing(body):
                while True:
                    with wait:
                        piece = await anext(body, None)
                    if piece is None:
                        return
                    yield piece
        finally:
            self._cutter.end(wait)


def _stopping() -> SupplierError:
    return SupplierError("the gateway is stopping", code=CODE)
