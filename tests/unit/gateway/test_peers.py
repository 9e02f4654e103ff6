"""Processes behind one port tell each other their metrics."""

import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tokenworth.flows.observe.metrics import Counter, snapshot
from tokenworth.gateway import peers


def counted(number: int) -> Any:
    counter = Counter("n", "")
    counter.add((), number)
    return snapshot([counter])


async def test_all_add_up_and_the_dead_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        for process in (1, 2, 3):
            monkeypatch.setattr("os.getpid", partial(int, process))
            await stack.enter_async_context(peers.telling(tmp_path, partial(counted, 10**process)))
        # of a process that was killed
        dead = tmp_path / "4.sock"
        dead.touch()
        total = await peers.together(tmp_path, counted(1000))
        assert total["n"]["rows"] == [[[], [1110]]]
        assert not dead.exists()
        sockets = [peers._socket(tmp_path, process) for process in (1, 2, 3)]
        assert all(map(os.path.exists, sockets))
    assert not any(map(os.path.exists, sockets))
