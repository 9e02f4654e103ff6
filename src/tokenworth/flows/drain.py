"""The end of a process: what still waits for suppliers is cut, as if they had broken off, so that what was delivered is charged and told."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from tokenworth.core.errors import SupplierError
from tokenworth.flows.ports import Supplier, SupplierRequest, SupplierResponse

T = TypeVar("T")
CODE = "gateway_stopping"


class Cutter:
    """Knows which tasks wait for suppliers, and ends their waiting when asked to."""

    def __init__(self) -> None:
        """Cut nothing yet."""
        self.cutting = False
        self._waiting: set[asyncio.Task[Any]] = set()
        self._cut: set[asyncio.Task[Any]] = set()

    def over(self, suppliers: Mapping[str, Supplier]) -> Mapping[str, Supplier]:
        """Return suppliers that can be cut."""
        return {name: _Cuttable(self, supplier) for name, supplier in suppliers.items()}

    def cut(self) -> None:
        """End all that waits for a supplier, now and from now on, with a SupplierError."""
        self.cutting = True
        for task in self._waiting:
            self._cut.add(task)
            task.cancel()

    async def wait(self, awaited: Coroutine[Any, Any, T]) -> T:
        """Wait for a supplier; SupplierError (gateway_stopping) where that is cut."""
        task = asyncio.current_task()
        if task is None or self.cutting:
            awaited.close()
            raise _stopping()
        self._waiting.add(task)
        try:
            return await awaited
        except asyncio.CancelledError:
            if task not in self._cut:
                raise
            self._cut.discard(task)
            if task.uncancel():
                # its client has left too
                raise
            raise _stopping() from None
        finally:
            self._waiting.discard(task)


class _Cuttable:
    """A supplier whose answers a cutter can end."""

    def __init__(self, cutter: Cutter, supplier: Supplier) -> None:
        self._cutter = cutter
        self._supplier = supplier

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        response = await self._cutter.wait(_sent(self._supplier, request))
        return replace(response, body=self._body(response.body))

    async def close(self) -> None:
        await self._supplier.close()

    async def _body(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async with aclosing(body):
            while (piece := await self._cutter.wait(_next(body))) is not None:
                yield piece


async def _sent(supplier: Supplier, request: SupplierRequest) -> SupplierResponse:
    return await supplier.send(request)


async def _next(body: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(body, None)


def _stopping() -> SupplierError:
    return SupplierError("the gateway is stopping", code=CODE)
