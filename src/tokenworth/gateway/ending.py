"""What a signal does to a server."""

import asyncio
from collections.abc import Callable
from typing import Protocol, runtime_checkable


@runtime_checkable
class Drainable(Protocol):
    """An application that ends its requests before the server stops."""

    async def drain(self) -> None:
        """Take no more requests and end the open ones."""
        ...


def ending(app: object, stop: Callable[[], None]) -> Callable[[], None]:
    """Return what a signal does: drain an application that can be drained, then stop the server; a second signal stops it at once."""
    tasks: list[asyncio.Task[None]] = []

    async def end() -> None:
        try:
            if isinstance(app, Drainable):
                await app.drain()
        finally:
            stop()

    def on_signal() -> None:
        if tasks:
            tasks[0].cancel()
        else:
            tasks.append(asyncio.get_running_loop().create_task(end()))

    return on_signal
