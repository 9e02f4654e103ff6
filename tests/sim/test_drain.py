"""SIGTERM: no new requests, the open ones end and are settled, the process exits with 0."""

import asyncio
from pathlib import Path

from tests.support.clients import send_all, statuses
from tests.support.gateway import Running, running_gateway
from tests.support.shop import simulated
from tokenworth.capture.events import Status
from tokenworth.core.money import NANO


async def stopped_midway(gateway: Running, secret: str) -> dict[int, int]:
    body = {"model": "sim", "messages": [{"role": "user", "content": "go"}], "max_tokens": 40, "seed": 1}
    sending = asyncio.create_task(send_all(gateway.url, secret, [body, {**body, "stream": True}] * 10, at_once=20))
    while gateway.open_holds() < 20:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.01)
    gateway.process.terminate()
    return statuses(await sending)


def test_a_stop_ends_open_requests_first(tmp_path: Path) -> None:
    with running_gateway(tmp_path / "ledger.db", {"sim": simulated(speed=1)}) as gateway:
        secret = gateway.customer("ada", NANO)
        assert asyncio.run(stopped_midway(gateway, secret)) == {200: 20}
        assert gateway.process.wait(10) == 0
        assert {event.status for event in gateway.events("ada")} == {Status.OK}
        assert gateway.open_holds() == 0
