"""Live holds are extended together, late ones expired, and a failing ledger stops neither."""

import asyncio
import gc
from collections.abc import Sequence

import pytest

from tests.support.events import START, draft, settled
from tests.support.fakes import FakeLedger
from tokenworth.capture.commands import Command, Expire, Release, Result, Settle
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
    await Holds(ledger, lambda: time[0], LIFETIME).place(draft(1), 10)
    holds = Holds(ledger, lambda: time[0], LIFETIME)
    expiring = asyncio.create_task(holds.expire(every=0.001))
    await asyncio.sleep(0.01)
    assert ledger.open
    time[0] = START + LIFETIME + 1
    while ledger.open:  # noqa: ASYNC110 - the ledger has no event
        await asyncio.sleep(0.001)
    expiring.cancel()
    assert ledger.events[draft(1).id].status is Status.LOST


async def test_an_extended_hold_records_what_its_request_came_to(caplog: pytest.LogCaptureFixture) -> None:
    ledger = FakeLedger({"ada": 100})
    time = [START]
    holds = Holds(ledger, lambda: time[0], LIFETIME)
    for number in (1, 2, 3):
        await holds.place(draft(number), 10)
    words = [0]
    holds.watch(draft(1).id, lambda: draft(1)._replace(counts={"output": words[0]}, cost=5 * words[0]))
    holds.watch(draft(2).id, lambda: draft(2)._replace(cost=1 // words[0]))
    holds.watch("unknown", lambda: draft(4))
    keeping = asyncio.create_task(holds.keep())
    while len(ledger.extended) < 2:
        await asyncio.sleep(0.001)
        words[0] = len(ledger.extended) * 7
    keeping.cancel()
    assert [each.drafts for each in ledger.extended[:2]] == [
        (draft(1)._replace(counts={"output": 0}),),
        (draft(1)._replace(counts={"output": 7}, cost=35), draft(2)),
    ]
    assert "ZeroDivisionError" in caplog.text
    (lost,) = [event for event in (await ledger.submit([Expire(START + 9 * LIFETIME)]))[0].lost if event.id == draft(1).id]  # type: ignore[union-attr]
    assert (lost.status, lost.charge, lost.counts, lost.cost) == (Status.LOST, 0, {"output": 7}, 35)


async def test_own_holds_that_could_not_be_extended_are_not_lost() -> None:
    ledger = Flaky({"ada": 100})
    time = [START]
    holds = Holds(ledger, lambda: time[0], LIFETIME)
    await holds.place(draft(1), 10)
    ledger.broken = True
    tasks = [asyncio.create_task(holds.keep()), asyncio.create_task(holds.expire(every=0.001))]
    await asyncio.sleep(0.02)
    time[0] = START + 2 * LIFETIME
    ledger.broken = False
    await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    assert ledger.open.keys() == {draft(1).id}
    assert ledger.open[draft(1).id].deadline == START + 3 * LIFETIME


async def test_a_background_task_outlives_a_failing_ledger(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Flaky({"ada": 100})
    await Holds(ledger, lambda: START, LIFETIME).place(draft(1), 10)
    holds = Holds(ledger, lambda: START + 2 * LIFETIME, LIFETIME)
    ledger.broken = True
    expiring = asyncio.create_task(holds.expire(every=0.001))
    await asyncio.sleep(0.01)
    assert caplog.text.count("tried again") == 1
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


@pytest.mark.parametrize("command", [Settle(settled(draft(1), 7)), Release(failed(draft(1), "over", START))])
async def test_a_hold_that_cannot_be_closed_is_closed_when_the_ledger_recovers(
    command: Settle | Release, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokenworth.flows.serve.holds.FIRST_PAUSE", 0.001)
    ledger = Flaky({"ada": 100})
    holds = Holds(ledger, lambda: START, LIFETIME)
    await holds.place(draft(1), 10)
    ledger.broken = True
    with pytest.raises(LedgerError):
        await holds.close(command)
    await asyncio.sleep(0.02)
    assert holds.live == {draft(1).id}
    assert caplog.text.count("could not be closed") == 1
    ledger.broken = False
    await holds.drain()
    assert holds.live == frozenset()
    assert ledger.events == {draft(1).id: command.event}
    assert ledger.credits["ada"] == 100 - command.event.charge


async def test_who_does_not_wait_is_not_told_of_a_failure(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.flows.serve.holds.FIRST_PAUSE", 0.001)
    ledger = Flaky({"ada": 100})
    holds = Holds(ledger, lambda: START, LIFETIME)
    await holds.place(draft(1), 10)
    ledger.broken = True
    holds.close_soon(Settle(settled(draft(1), 7)))
    await asyncio.sleep(0.01)
    ledger.broken = False
    await holds.drain()
    gc.collect()
    assert "never retrieved" not in caplog.text
    assert ledger.credits["ada"] == 93


async def test_an_answer_that_waited_for_a_failed_settlement_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.flows.serve.holds.FIRST_PAUSE", 0.001)
    ledger = Flaky({"ada": 100})
    holds = Holds(ledger, lambda: START, LIFETIME)
    await holds.place(draft(1), 10)
    ledger.broken = True
    release = Release(failed(draft(1), "not delivered", START))
    with pytest.raises(LedgerError):
        await holds.close(Settle(settled(draft(1), 7)), otherwise=release)
    ledger.broken = False
    await holds.drain()
    assert ledger.events == {draft(1).id: release.event}


async def test_the_end_of_a_process_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Flaky({"ada": 100})
    holds = Holds(ledger, lambda: START, LIFETIME)
    await holds.place(draft(1), 10)
    ledger.broken = True
    with pytest.raises(LedgerError):
        await holds.close(Settle(settled(draft(1), 7)))
    await holds.drain(patience=0.01)
    assert draft(1).id in caplog.text
    assert ledger.open
