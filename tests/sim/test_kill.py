"""SIGKILL in the middle of many requests, and a start on the same file: nothing settled is lost or doubled, dead holds are freed."""

import asyncio
import signal
from pathlib import Path

from tests.support.clients import Seen, send_all
from tests.support.gateway import Running, running_gateway, until
from tests.support.shop import simulated
from tokenworth.capture.events import Status
from tokenworth.core.money import NANO
from tokenworth.store.sqlite.verify import verify

REQUESTS = 300


async def killed_midway(gateway: Running, secret: str) -> list[Seen]:
    """Kill the gateway when a third of the requests is settled."""
    bodies = [
        {"model": "sim", "messages": [{"role": "user", "content": "go"}], "max_tokens": 40, "seed": n, "stream": n % 2 == 1} for n in range(REQUESTS)
    ]
    sending = asyncio.create_task(send_all(gateway.url, secret, bodies, at_once=40))
    while len(gateway.events("ada")) < REQUESTS // 3:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.01)
    gateway.process.send_signal(signal.SIGKILL)
    return await sending


def test_a_killed_gateway_loses_and_doubles_nothing(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    suppliers = {"sim": simulated(speed=4)}
    with running_gateway(database, suppliers, hold_seconds=2) as first:
        secret = first.customer("ada", NANO)
        seen = asyncio.run(killed_midway(first, secret))
        dangling = first.open_holds()
    assert dangling > 0
    answered = {one.event: one.charge for one in seen if one.status == 200}
    assert len(answered) >= REQUESTS // 4
    with running_gateway(database, suppliers, hold_seconds=2) as second:
        until(lambda: second.open_holds() == 0)
        again = asyncio.run(send_all(second.url, secret, [{"model": "sim", "messages": [{"role": "user", "content": "on"}]}], at_once=1))
    assert [one.status for one in again] == [200]
    events = second.events("ada")
    settled = {event.id: event.charge for event in events if event.status is Status.OK}
    assert len(settled) == sum(event.status is Status.OK for event in events)
    assert answered.items() <= settled.items()
    lost = [event for event in events if event.status is Status.LOST]
    assert len(lost) == dangling
    assert sum(event.charge for event in lost) == 0
    # what their prompts cost was spent all the same
    assert all(event.counts["input"] and event.cost for event in lost)
    assert second.available("ada") == NANO - sum(settled.values())
    assert not verify(database).problems
