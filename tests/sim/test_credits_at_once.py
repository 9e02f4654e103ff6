"""1,000 requests at once against credits for exactly 137 of them: requests whose charge equals their hold."""

import asyncio

from tests.support.clients import send_all, statuses
from tests.support.gateway import Running
from tokenworth.capture.events import Status
from tokenworth.store.sqlite.verify import verify

TOKENS = 10
CHARGE = TOKENS * 1_000_000
"""Nano-credits of 10 tokens at 1,000 credits a million; input is free, so no hold is more than its charge."""


def test_exactly_137_of_1000_are_served(gateway: Running) -> None:
    secret = gateway.customer("crowd", 137 * CHARGE)
    body = {"model": "fixed", "messages": [{"role": "user", "content": "go"}], "max_completion_tokens": TOKENS, "seed": 0}
    bodies = [{**body, "stream": number % 2 == 1} for number in range(1000)]
    seen = asyncio.run(send_all(gateway.url, secret, bodies, at_once=1000))
    assert statuses(seen) == {200: 137, 402: 863}
    assert {one.charge for one in seen if one.status == 200} == {CHARGE}
    assert gateway.available("crowd") == 0
    events = gateway.events("crowd")
    assert [event.status for event in events] == [Status.OK] * 137
    assert sum(event.charge for event in events) == 137 * CHARGE
    assert not verify(gateway.database).problems
