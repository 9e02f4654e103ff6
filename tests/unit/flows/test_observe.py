"""What a gateway counts of itself, and the sum of several processes'."""

import asyncio
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.events import START, draft, failed, settled
from tests.support.fakes import FakeLedger
from tokenworth.capture.commands import Done, Expire, Hold, Record, Release, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import LedgerError
from tokenworth.flows.observe.current import CURRENT, Seen
from tokenworth.flows.observe.ledger import WatchedLedger
from tokenworth.flows.observe.meters import Meters
from tokenworth.flows.observe.metrics import Counter, Gauge, Histogram, merged, snapshot
from tokenworth.render.prometheus import exposition

LATER = START + 60


def samples(meters: Meters | dict[str, Any]) -> dict[str, float]:
    """Return samples as Prometheus' own parser reads them, by name and labels."""
    told = meters.snapshot() if isinstance(meters, Meters) else meters
    families = text_string_to_metric_families(exposition(told))
    return {" ".join([each.name, *each.labels.values()]): each.value for family in families for each in family.samples}


def test_amounts_are_exact_and_labels_are_escaped() -> None:
    charged = Counter("charged", "Charged.", ("product",), nano=True)
    charged.add(('a "b"\\\nc',), 3 * 10**18 + 1)
    text = exposition(snapshot([charged]))
    assert 'charged_total{product="a \\"b\\"\\\\\\nc"} 3000000000.000000001\n' in text
    (family,) = text_string_to_metric_families(text)
    assert family.samples[0].labels == {"product": 'a "b"\\\nc'}


def test_a_histogram_counts_up_to_its_bounds() -> None:
    seconds = Histogram("seconds", "Time.", ("tier",), bounds=(0.1, 1))
    for value in (0.05, 0.1, 0.5, 1, 3):
        seconds.observe(("flex",), value)
    assert samples(snapshot([seconds])) == {
        "seconds_bucket flex 0.1": 2,
        "seconds_bucket flex 1": 4,
        "seconds_bucket flex +Inf": 5,
        "seconds_count flex": 5,
        "seconds_sum flex": pytest.approx(4.65),
    }


def test_snapshots_of_processes_add_up_though_they_went_as_json() -> None:
    def process(times: int) -> Any:
        requests, open_, seconds = Counter("r", "", ("status",)), Gauge("o", ""), Histogram("s", "", bounds=(1,))
        for number in range(times):
            requests.add(("200" if number else "500",))
            open_.add(())
            seconds.observe((), 0.5 + number)
        return orjson.loads(orjson.dumps(snapshot([requests, open_, seconds])))

    total = samples(merged([process(1), process(3), process(0)]))
    assert total == {"r_total 500": 2, "r_total 200": 2, "o": 4, "s_bucket 1": 2, "s_bucket +Inf": 4, "s_count": 4, "s_sum": 0.5 + 0.5 + 1.5 + 2.5}


class Told(list[tuple[UsageEvent, Seen | None]]):
    def __call__(self, event: UsageEvent, seen: Seen | None) -> None:
        self.append((event, seen))


async def test_holds_settlements_and_what_is_lost_are_counted_where_they_pass() -> None:
    meters, told = Meters(), Told()
    clock = iter(range(100))
    ledger = WatchedLedger(FakeLedger({"ada": 1000}), meters, lambda: float(next(clock)), told=told)
    first, second, third = draft(1), draft(2)._replace(tier="flex"), draft(3)
    seen = Seen(0, {})
    CURRENT.set(seen)
    await ledger.submit([Hold(first, 100, LATER), Hold(second, 200, LATER), Hold(third, 300, LATER)])
    assert seen.draft is first
    (refused,) = await ledger.submit([Hold(draft(4), 10_000, LATER)])
    assert not isinstance(refused, Done)
    assert (samples(meters)["tokenworth_held credits"], samples(meters)["tokenworth_open_holds"]) == (600e-9, 3)
    close = Settle(settled(first, 60, counts={"input": 3, "output": 4}, cost=7, first_token=20_000))
    await ledger.submit([close])
    await ledger.submit([close])
    await ledger.submit([Release(failed(second))])
    await ledger.submit([Expire(LATER + 1)])
    got = samples(meters)
    assert (got.get("tokenworth_held credits"), got["tokenworth_open_holds"]) == (None, 0)
    assert got["tokenworth_events_total chat default chat ok"] == 1
    assert got["tokenworth_events_total chat flex chat failed"] == 1
    assert got["tokenworth_events_total chat default chat lost"] == 1
    assert (got["tokenworth_tokens_total chat default input"], got["tokenworth_tokens_total chat default output"]) == (3, 4)
    assert (got["tokenworth_charged_total chat default credits"], got["tokenworth_cost_total chat default USD"]) == (60e-9, 7e-9)
    assert got["tokenworth_alarms_total supplier_503"] == 1
    assert got["tokenworth_holds_refused_total insufficient_credits"] == 1
    assert (got["tokenworth_first_token_seconds_count default"], got["tokenworth_first_token_seconds_sum default"]) == (1, 0.02)
    # each asked the clock before and after
    assert (got["tokenworth_ledger_seconds_count"], got["tokenworth_ledger_seconds_sum"], got["tokenworth_ledger_queue"]) == (6, 6, 0)
    assert [event.status for event, _ in told] == ["ok", "failed", "lost"]


async def test_a_settlement_is_counted_once_though_who_waited_for_it_left_and_asked_again() -> None:
    class Slow(FakeLedger):
        async def submit(self, commands: Any) -> Any:
            done = await super().submit(commands)
            await asyncio.sleep(0)
            return done

    meters, told = Meters(), Told()
    ledger = WatchedLedger(Slow({"ada": 1000}), meters, lambda: 0.0, told=told)
    first = draft(1)
    await ledger.submit([Hold(first, 100, LATER)])
    close = Settle(settled(first, 60))
    task = asyncio.create_task(ledger.submit([close]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await ledger.submit([close])
    await ledger.submit([close])
    got = samples(meters)
    assert (got["tokenworth_events_total chat default chat ok"], got["tokenworth_charged_total chat default credits"]) == (1, 60e-9)
    assert len(told) == 1


async def test_usage_from_elsewhere_is_counted_and_is_no_request_of_ours() -> None:
    class Recorder:
        async def submit(self, commands: Any) -> Any:
            return [Done(1, command.event) for command in commands]

    meters, told = Meters(by_customer=True), Told()
    event = settled(draft(1)._replace(api="otlp"), 60, first_token=5)
    await WatchedLedger(Recorder(), meters, lambda: 0.0, told=told).submit([Record(event, "k", "b")])
    got = samples(meters)
    assert got["tokenworth_events_total chat default ada otlp ok"] == 1
    assert "tokenworth_first_token_seconds_count default" not in got
    assert told == []


async def test_a_ledger_that_fails_is_counted_and_raises() -> None:
    class Broken:
        async def submit(self, commands: Any) -> Any:
            del commands
            raise LedgerError("disk full")

    meters = Meters()
    with pytest.raises(LedgerError, match="disk full"):
        await WatchedLedger(Broken(), meters, lambda: 0.0).submit([Expire(0)])
    got = samples(meters)
    assert (got["tokenworth_ledger_failures_total"], got["tokenworth_ledger_queue"]) == (1, 0)


def test_customers_are_labels_only_where_the_operator_asks() -> None:
    for asked in (False, True):
        meters = Meters(by_customer=asked)
        meters.stored(settled(draft(1, "a-customer"), 1), served=True)
        assert ("a-customer" in exposition(meters.snapshot())) is asked
