"""An event loop whose time stands still while anything can run, and then jumps to what is due next."""

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
MOST_TURNS = 200_000
"""Of a loop: a life that goes on for longer waits for what never comes."""
START = 1_800_000_000_000_000


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code that waits for nothing but its own timers."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0
        self._turns = 0

    def time(self) -> float:
        return self._virtual

    def clock(self) -> int:
        """Return the instant in microseconds."""
        return START + round(self._virtual * 1e6)

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready and scheduled:
            self._virtual = max(self._virtual, scheduled[0]._when)
        self._turns += 1
        assert self._turns < MOST_TURNS, [task.get_stack()[-1] for task in asyncio.all_tasks(self) if task.get_stack()]
        super()._run_once()  # type: ignore[misc]


def run(loop: VirtualLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
