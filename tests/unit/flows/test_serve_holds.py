"""Live holds are extended together, late ones expired, and a failing ledger stops neither."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.support.events import START, draft
from tests.support.fakes import FakeLedger
from tokenworth.capture.commands import Command, Release, Result
from tokenworth.capture.events import Status
from tokenworth.core.errors import LedgerError
from tokenworth.flows.serve.holds import Holds
from tokenworth.flows.serve.meter import failed

LIFETIME = 30_000
"""Microseconds: extended each 10 ms."""


class Flaky(FakeLedger):
    """Fails while `broken`."""

    broken = False

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        if self.broken:
            raise LedgerError("the disk is full")
        return await super().submit(commands)


async def test_all_live_holds_are_extended_in_one_command() -> None:
    ledger = FakeLedger({"ada": 100})
    holds = Holds(ledger, lambda: START + 7, LIFETIME)
    for number in (1, 2, 3):
        await holds.place(draft(number), 10)
    await holds.close(Release(failed(draft(3), "over", START)))
    assert {hold.deadline for hold in ledger.open.values()} == {START + LIFETIME}
    keeping = asyncio.create_task(holds.keep())
    while not ledger.extended:  # noqa: ASYNC110 - the ledger has no event
        await asyncio.sleep(0.001)
    keeping.cancel()
    assert set(ledger.extended[0].holds) == {draft(1).id, draft(2).id} == holds.live
    assert {hold.deadline for hold in ledger.open.values()} == {START + 7 + LIFETIME}


async def test_holds_past_their_deadline_end_as_lost() -> None:
    ledger = FakeLedger({"ada": 100})
    time = [START]
    holds = Holds(ledger, lambda: time[0], LIFETIME)
    await holds.place(draft(1), 10)
    expiring = asyncio.create_task(holds.expire(every=0.001))
    await asyncio.sleep(0.01)
    assert ledger.open
    time[0] = START + LIFETIME + 1
    while ledger.open:  # noqa: ASYNC110 - the ledger has no event
        await asyncio.sleep(0.001)
    expiring.cancel()
    assert ledger.events[draft(1).id].status is Status.LOST


async def test_a_background_task_outlives_a_failing_ledger(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Flaky({"ada": 100})
    holds = Holds(ledger, lambda: START + 2 * LIFETIME, LIFETIME)
    await holds.place(draft(1), 10)
    ledger.broken = True
    expiring = asyncio.create_task(holds.expire(every=0.001))
    await asyncio.sleep(0.01)
    assert "tried again" in caplog.text
    ledger.broken = False
    while ledger.open:  # noqa: ASYNC110 - the ledger has no event
        await asyncio.sleep(0.001)
    expiring.cancel()


async def test_a_hold_that_the_ledger_did_not_take_is_not_live() -> None:
    ledger = Flaky({"ada": 100})
    holds = Holds(ledger, lambda: START, LIFETIME)
    await holds.place(draft(1), 101)
    ledger.broken = True
    with pytest.raises(LedgerError):
        await holds.place(draft(2), 10)
    assert holds.live == frozenset()


async def test_a_hold_that_cannot_be_closed_is_left_to_its_deadline() -> None:
    ledger = Flaky({"ada": 100})
    holds = Holds(ledger, lambda: START, LIFETIME)
    await holds.place(draft(1), 10)
    ledger.broken = True
    with pytest.raises(LedgerError):
        await holds.close(Release(failed(draft(1), "over", START)))
    assert holds.live == frozenset()
    assert ledger.open
