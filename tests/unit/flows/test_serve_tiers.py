"""Service tiers on a request's way: whose rates it is charged at, how long it waits, and what becomes of who waits too long."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.support.mixing import Answer, Got, Scripted, bench, mix
from tests.support.shop import book, terms, upstream
from tokenworth.book.model import Book, Tier
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.instants import SECOND
from tokenworth.core.money import parse_amount, parse_rate
from tokenworth.flows.schedule.queue import State
from tokenworth.flows.serve.dispatch import Gates
from tokenworth.price.card import Card, compile_terms

TOKENS = 27
PATIENCE = {"flex": 300 * SECOND, "default": 30 * SECOND, "priority": 5 * SECOND}


def passing(made: Book, *tiers: str) -> Book:
    """Tiers are passed on to the suppliers, at three costs."""
    costs = {(name, tier): made.costs.cells[name, "default"] for name in made.models for tier in ("default", *tiers)}
    return replace(
        made,
        models={name: replace(model, tiers=tiers) for name, model in made.models.items()},
        costs=Card("costs", "USD", dict(made.costs.cells) | costs),
    )


async def served(made: Book, answer: Answer, *, key_tier: str = "", **more: Any) -> tuple[UsageEvent, Mapping[str, Any], Got]:
    supplier = Scripted([answer])
    async with bench(made, {"a": supplier}, tier=key_tier) as at:
        got = await at.ask(**more)
    assert got.event is not None
    return got.event, supplier.seen[0], got


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("asked", "said", "charged", "rate"),
    [
        ("priority", "priority", "priority", 4),
        ("priority", "default", "default", 2),
        ("priority", "standard", "default", 2),
        ("priority", "", "priority", 4),
        ("priority", "scale", "priority", 4),
        ("flex", "flex", "flex", 1),
        # more was served than was asked for: it was not authorised, so it is not charged
        ("flex", "default", "flex", 1),
        ("flex", "priority", "flex", 1),
        # of names, "default" comes before "flex"; of tiers, flex is the lowest
        ("default", "flex", "default", 2),
    ],
)
async def test_the_tier_that_was_served_is_charged_where_it_is_lower(stream: bool, asked: str, said: str, charged: str, rate: int) -> None:
    event, body, got = await served(passing(mix({"a": 1}), "flex", "priority"), Answer(tier=said), service_tier=asked, stream=stream)
    assert (event.tier, event.charged_tier, event.charge) == (asked, charged, rate * 1_000 * TOKENS)
    assert event.card == f"chat {charged}"
    assert event.charge <= parse_amount(got.headers["x-tokenworth-hold"])
    assert body.get("service_tier") == (asked if asked != "default" else None)


async def test_what_a_supplier_says_of_a_tier_that_is_the_operators_own_promise_is_not_heard() -> None:
    event, body, _ = await served(mix({"a": 1}), Answer(tier="default"), service_tier="priority")
    assert (event.served_tier, event.charged_tier, event.charge) == ("", "priority", 4_000 * TOKENS)
    assert "service_tier" not in body


@pytest.mark.parametrize(("named", "tier"), [({}, "flex"), ({"service_tier": "auto"}, "flex"), ({"service_tier": "priority"}, "priority")])
async def test_a_key_has_a_tier_for_requests_that_name_none(named: dict[str, str], tier: str) -> None:
    event, body, _ = await served(passing(mix({"a": 1}), "flex", "priority"), Answer(), key_tier="flex", **named)
    assert (event.tier, body["service_tier"]) == (tier, tier)


async def test_a_keys_tier_at_which_a_product_is_not_sold_is_passed_over() -> None:
    made = mix({"a": 1})
    cells = {cell: terms for cell, terms in made.cards["retail"].cells.items() if cell[1] != "flex"}
    event, _, _ = await served(replace(made, cards={"retail": Card("retail", "credits", cells)}), Answer(), key_tier="flex")
    assert event.tier == "default"


PROMISE = Tier("priority", PATIENCE["priority"], first_token=60_000, broken="flex")


@pytest.mark.parametrize(("wait", "promise", "charged", "rate"), [(0.0, "kept", "priority", 4), (0.1, "broken", "flex", 1)])
async def test_a_broken_promise_is_charged_at_the_lower_tier(wait: float, promise: str, charged: str, rate: int) -> None:
    event, _, _ = await served(mix({"a": 1}, tiers=[PROMISE]), Answer(wait=wait), service_tier="priority", stream=True)
    assert (event.tier, event.promise, event.charged_tier, event.charge) == ("priority", promise, charged, rate * 1_000 * TOKENS)
    assert event.card == f"chat {charged}"


async def test_a_broken_promise_is_charged_as_ever_where_the_book_says_nothing_or_the_lower_tier_is_dearer() -> None:
    event, _, _ = await served(mix({"a": 1}, tiers=[replace(PROMISE, broken="")]), Answer(wait=0.1), service_tier="priority", stream=True)
    assert (event.promise, event.charged_tier, event.charge) == ("broken", "priority", 4_000 * TOKENS)
    made = mix({"a": 1}, tiers=[PROMISE])
    odd = dict(made.cards["retail"].cells) | {("chat", "flex"): (terms({"input": "9", "cache_read": "9", "output": "9"}, "chat flex"),)}
    event, _, _ = await served(
        replace(made, cards={"retail": Card("retail", "credits", odd)}), Answer(wait=0.1), service_tier="priority", stream=True
    )
    assert (event.promise, event.charged_tier, event.charge, event.alarm) == ("broken", "priority", 4_000 * TOKENS, "")


async def test_a_slow_answer_breaks_a_promise_of_speed_and_a_whole_one_is_held_to_both() -> None:
    fast = Tier("priority", PATIENCE["priority"], first_token=SECOND, tokens_per_second=1_000)
    slow = Answer(pieces=[*(await pieces(0)), *(await pieces(1))])
    event, _, _ = await served(mix({"a": 1}, tiers=[fast]), slow, service_tier="priority", stream=True)
    assert event.promise == "broken", "6 tokens in 0.1 s"
    event, _, _ = await served(mix({"a": 1}, tiers=[fast]), Answer(wait=0.05), service_tier="priority")
    assert (event.promise, event.streamed) == ("kept", 0)
    only_first = replace(fast, tokens_per_second=0)
    event, _, _ = await served(mix({"a": 1}, tiers=[only_first]), Answer(), service_tier="priority")
    assert event.promise == "", "a whole answer shows no first token"


async def pieces(part: int) -> list[Any]:
    from tests.support.mixing import stream  # noqa: PLC0415 - a helper of one test

    first, *rest = stream("hello")
    return [first, 0.1] if part == 0 else rest


async def test_the_hold_is_for_the_tier_that_is_asked_for_and_its_long_context_step() -> None:
    made = mix({"a": 1})
    card = made.cards["retail"]
    steps = {above: {name: parse_rate(rate) for name in ("input", "cache_read", "output")} for above, rate in ((0, "4"), (100, "40"))}
    steep = compile_terms(currency="credits", since=0, source="chat priority", steps=steps)
    made = replace(made, cards={"retail": replace(card, cells=dict(card.cells) | {("chat", "priority"): (steep,)})})
    holds = {}
    for tier, size in (("default", 10), ("priority", 10), ("priority", 2_000)):
        _, _, got = await served(made, Answer(), service_tier=tier, max_tokens=100, messages=[{"role": "user", "content": "x" * size}])
        holds[tier, size] = parse_amount(got.headers["x-tokenworth-hold"])
    # 512 tokens may be added to a prompt of any size, so the step above 100 counts for both; `priority` has a byte more than `default`
    tokens = holds["default", 10] // 2_000 + 1
    assert holds["priority", 10] == 40_000 * tokens
    assert holds["priority", 2_000] == 40_000 * (tokens + 1_990)


def crowded(slots: int = 1, **more: Any) -> Book:
    tiers = more.pop("tiers", [Tier("flex", 2 * SECOND), Tier("default", SECOND), Tier("priority", SECOND // 2)])
    return mix({"a": 1}, tiers=tiers, suppliers={"a": {"concurrency": slots}}, **more)


async def test_who_finds_no_room_waits_and_holds_its_credits_meanwhile() -> None:
    supplier = Scripted([Answer(wait=0.2)])
    async with bench(crowded(), {"a": supplier}) as at:
        asked = [asyncio.create_task(at.ask()) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert (len(supplier.seen), len(at.ledger.open)) == (1, 3)
        events = [(await task).event for task in asked]
    assert supplier.most == 1
    waits = sorted(event.queued for event in events if event)
    assert waits[0] == 0
    assert 100_000 < waits[1] < waits[2]


async def test_priority_goes_first_and_flex_is_served_too() -> None:
    supplier = Scripted([Answer(wait=0.1)])
    async with bench(crowded(), {"a": supplier}) as at:
        asked = [asyncio.create_task(at.ask(service_tier=tier)) for tier in ("default", "flex", "default", "priority")]
        events = [(await task).event for task in asked]
    waits = {event.tier: event.queued for event in events[1:] if event}
    assert waits["priority"] < waits["default"] < waits["flex"]


async def test_who_leaves_the_queue_is_released_and_was_never_sent() -> None:
    supplier = Scripted([Answer(wait=0.3)])
    async with bench(crowded(), {"a": supplier}) as at:
        first = asyncio.create_task(at.ask())
        await asyncio.sleep(0.02)
        second = asyncio.create_task(at.ask())
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.wait([second])
        await first
        event = next(event for event in at.ledger.events.values() if event.status is Status.FAILED)
    assert len(supplier.seen) == 1
    assert (event.charge, event.alarm, event.attempts, event.cost) == (0, "client_gone", "", 0)


async def test_who_waits_until_its_deadline_is_told_and_pays_nothing() -> None:
    supplier = Scripted([Answer(wait=0.8)])
    async with bench(crowded(), {"a": supplier}) as at:
        first = asyncio.create_task(at.ask(service_tier="flex"))
        await asyncio.sleep(0.02)
        late = await at.ask(service_tier="priority")
        assert (await first).status == 200
    assert late.refusal is not None
    assert (late.status, late.refusal.code, late.headers["retry-after"]) == (503, "over_capacity", "1")
    assert late.event is not None
    assert (late.event.status, late.event.charge, late.event.alarm, late.event.attempts) == (Status.FAILED, 0, "over_capacity", "")


async def test_who_cannot_be_served_in_time_is_told_at_once_and_nothing_is_held() -> None:
    supplier = Scripted([Answer(wait=0.3)])
    async with bench(crowded(), {"a": supplier}) as at:
        for _ in range(3):
            await at.ask()
        waiting = [asyncio.create_task(at.ask(service_tier="priority")) for _ in range(2)]
        await asyncio.sleep(0.02)
        before = len(at.ledger.open)
        refused = await at.ask(service_tier="priority")
        assert len(at.ledger.open) == before
        await asyncio.gather(*waiting)
    assert refused.refusal is not None
    assert (refused.status, refused.refusal.code, refused.event) == (503, "over_capacity", None)
    assert refused.headers["retry-after"] == "1"


async def test_a_request_goes_to_the_supplier_that_has_room() -> None:
    suppliers = {"a": Scripted([Answer(wait=0.2)]), "b": Scripted([Answer(wait=0.2)])}
    made = mix({"a": 1, "b": 0}, suppliers={name: {"concurrency": 1} for name in "ab"})
    async with bench(made, suppliers) as at:
        events = [got.event for got in await asyncio.gather(*(at.ask() for _ in range(2)))]
    assert [event.model for event in events if event] == ["a", "b"]
    assert all(event.queued == 0 for event in events if event)


@pytest.mark.parametrize(("whole", "processes", "slots"), [(8, 1, 8), (8, 2, 4), (9, 2, 4), (1, 4, 1)])
async def test_several_processes_share_a_suppliers_capacity(whole: int, processes: int, slots: int) -> None:
    made = book({"up": replace(upstream("http://nowhere"), concurrency=whole, tokens_per_minute=6_000)})
    gates = Gates(lambda: 0, processes)
    gates.fit(made)
    gate = gates.by_supplier["up"]
    admitted = [gate.enter("default", 0, since=0) for _ in range(whole + 1)]
    assert sum(ticket.state is State.STARTED for ticket in admitted) == slots


async def test_whether_it_can_be_served_in_time_is_asked_for_the_tier_of_its_key() -> None:
    supplier = Scripted([Answer(wait=0.3)])
    tiers = [Tier("flex", 60 * SECOND), Tier("default", SECOND)]
    async with bench(crowded(tiers=tiers), {"a": supplier}, tier="flex") as at:
        for _ in range(3):
            await at.ask()
        # for a request at the default tier, which waits a second, there is no time left; for flex there is a minute
        waiting = [asyncio.create_task(at.ask(service_tier="default")) for _ in range(4)]
        await asyncio.sleep(0.02)
        assert (await at.ask(service_tier="default")).event is None
        mine = await at.ask()
        await asyncio.gather(*waiting)
    assert mine.refusal is None
    assert mine.event is not None
    assert mine.event.tier == "flex"
