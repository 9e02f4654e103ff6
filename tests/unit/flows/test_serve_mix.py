"""Requests of a product behind which several models stand: who serves, what is tried, what is charged and what that cost."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from tests.support.mixing import RESET, UNREACHABLE, Answer, Scripted, bench, line, mix
from tests.support.shop import CONTEXT, MAX_OUTPUT
from tests.support.upstream import USAGE, chunk
from tokenworth.book.model import Asking, Book, Rules
from tokenworth.capture.events import Status
from tokenworth.core.instants import SECOND
from tokenworth.flows.serve.wire.chat.ask import parse

MILLISECOND = SECOND // 1000
CHARGED = 2_000 * 27
"""Of USAGE: 20 tokens in and 7 out at 2 credits per million."""
COST = 500 * 15 + 50 * 5 + 2_000 * 7
PROMPT = 500
"""What the prompt `hi` is estimated to cost: a token."""


def preferring(first: str, *others: str) -> dict[str, int]:
    """Weights with which `first` is asked first; the others only where it fails, in whatever order."""
    return {first: 1, **dict.fromkeys(others, 0)}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("failure", "outcome", "cost"),
    [
        (Answer(error=UNREACHABLE), "supplier_unreachable", 0),
        (Answer(status=503), "supplier_503", 0),
        (Answer(status=401), "supplier_401", 0),
        (Answer(status=429, headers={"retry-after": "7"}), "supplier_429", 0),
        (Answer(pieces=[RESET]), "supplier_broke_off", PROMPT),
        (Answer(pieces=[]), "supplier_broke_off", PROMPT),
    ],
)
async def test_another_model_answers_where_the_first_fails(stream: bool, failure: Answer, outcome: str, cost: int) -> None:
    suppliers = {"a": Scripted([failure]), "b": Scripted([Answer()])}
    async with bench(mix(preferring("a", "b")), suppliers) as at:
        got = await at.ask(stream=stream)
    assert got.status == 200
    assert b"hello" in got.content
    assert got.event is not None
    assert (got.event.model, got.event.supplier, got.event.charge, got.event.cost) == ("b", "b", CHARGED, COST)
    assert got.event.cost_card == "cost of b"
    assert got.tried == [("a", outcome)] or (failure.pieces == [] and got.tried == [("a", "supplier_nonsense")])
    assert got.event.wasted == cost
    assert orjson.loads(got.event.attempts)[0]["known"] is (cost == 0)


@pytest.mark.parametrize("answer", [Answer(status=400), Answer(status=404), Answer(status=429)])
async def test_the_clients_own_fault_is_told_by_the_first(answer: Answer) -> None:
    suppliers = {"a": Scripted([answer]), "b": Scripted([Answer()])}
    async with bench(mix(preferring("a", "b")), suppliers) as at:
        got = await at.ask()
    assert (got.status, suppliers["b"].seen) == (answer.status, [])


async def test_after_the_first_byte_there_is_no_other_attempt() -> None:
    suppliers = {"a": Scripted([Answer(pieces=[line(chunk({"content": "12345678"})), RESET])]), "b": Scripted([Answer()])}
    async with bench(mix(preferring("a", "b")), suppliers) as at:
        got = await at.ask(stream=True)
    assert b"12345678" in got.content
    assert b"supplier_broke_off" in got.content
    assert suppliers["b"].seen == []
    assert got.event is not None
    assert (got.event.model, got.event.alarm, got.event.attempts) == ("a", "supplier_gone", "")


async def test_where_all_fail_the_last_one_is_told_and_nothing_is_charged() -> None:
    suppliers = {"a": Scripted([Answer(status=500)]), "b": Scripted([Answer(error=UNREACHABLE)])}
    async with bench(mix(preferring("a", "b")), suppliers) as at:
        got = await at.ask()
    assert got.refusal is not None
    assert (got.status, got.refusal.code) == (502, "supplier_unreachable")
    assert got.event is not None
    assert (got.event.status, got.event.charge, got.event.alarm) == (Status.FAILED, 0, "supplier_unreachable")
    assert got.tried == [("a", "supplier_500"), ("b", "supplier_unreachable")]


async def test_no_more_are_asked_than_the_product_says() -> None:
    suppliers = {name: Scripted([Answer(status=500)]) for name in "abcd"}
    async with bench(mix(preferring("a", "b", "c", "d"), asking=Asking(attempts=2)), suppliers) as at:
        got = await at.ask()
    assert got.status == 502
    assert sum(len(supplier.seen) for supplier in suppliers.values()) == 2


async def test_a_stream_without_a_first_byte_is_given_up_and_a_whole_answer_is_waited_for() -> None:
    slow = Answer(wait=0.3)
    made = mix(preferring("a", "b"), asking=Asking(first_byte=50 * MILLISECOND))
    suppliers = {"a": Scripted([slow]), "b": Scripted([Answer()])}
    async with bench(made, suppliers) as at:
        streamed = await at.ask(stream=True)
        whole = await at.ask()
    assert streamed.event is not None
    assert whole.event is not None
    assert (streamed.event.model, streamed.tried, streamed.event.wasted) == ("b", [("a", "supplier_timeout")], PROMPT)
    assert (whole.event.model, whole.tried) == ("a", [])


async def test_the_last_one_is_waited_for_as_long_as_it_takes() -> None:
    made = mix({"a": 1, "b": 0}, asking=Asking(first_byte=20 * MILLISECOND))
    async with bench(made, {"a": Scripted([Answer(status=500)]), "b": Scripted([Answer(wait=0.1)])}) as at:
        got = await at.ask(stream=True)
    assert got.status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_second_is_asked_beside_a_slow_first_and_the_slower_is_cancelled(stream: bool) -> None:
    made = mix(preferring("a", "b"), asking=Asking(hedge_after=30 * MILLISECOND))
    suppliers = {"a": Scripted([Answer(pieces=[60.0])]), "b": Scripted([Answer(wait=0.01)])}
    async with bench(made, suppliers) as at:
        got = await at.ask(stream=stream)
    assert got.event is not None
    assert (got.event.model, got.event.charge, got.tried) == ("b", CHARGED, [("a", "outrun")])
    assert got.event.wasted == PROMPT
    assert orjson.loads(got.event.attempts)[0]["known"] is False


async def test_the_first_may_win_a_race_it_began_slowly_and_a_quick_first_has_none() -> None:
    made = mix(preferring("a", "b"), asking=Asking(hedge_after=30 * MILLISECOND))
    suppliers = {"a": Scripted([Answer(wait=0.1), Answer()]), "b": Scripted([Answer(wait=60)])}
    async with bench(made, suppliers) as at:
        slow, quick = await at.ask(), await at.ask()
    assert slow.event is not None
    assert quick.event is not None
    assert (slow.event.model, slow.tried, quick.event.model, quick.tried) == ("a", [("b", "outrun")], "a", [])


async def test_of_two_that_race_one_may_fail() -> None:
    made = mix(preferring("a", "b", "c"), asking=Asking(hedge_after=20 * MILLISECOND))
    suppliers = {"a": Scripted([Answer(wait=0.15)]), "b": Scripted([Answer(status=500)]), "c": Scripted([Answer(status=500)])}
    async with bench(made, suppliers) as at:
        got = await at.ask()
    assert got.event is not None
    assert (got.event.model, len(got.tried)) == ("a", 1)


@pytest.mark.parametrize("asking", [Asking(), Asking(hedge_after=10 * MILLISECOND)])
async def test_a_client_that_leaves_before_anything_came_pays_nothing_and_all_is_cancelled(asking: Asking) -> None:
    suppliers = {"a": Scripted([Answer(pieces=[60.0])]), "b": Scripted([Answer(pieces=[60.0])])}
    async with bench(mix(preferring("a", "b"), asking=asking), suppliers) as at:
        task = asyncio.create_task(at.ask(stream=True))
        await asyncio.sleep(0.08)
        task.cancel()
        await asyncio.wait([task])
        await at.service.holds.drain()
        (event,) = at.ledger.events.values()
    assert (event.status, event.charge, event.alarm) == (Status.FAILED, 0, "client_gone")
    outcomes = [each["outcome"] for each in orjson.loads(event.attempts)]
    assert outcomes == ["client_gone"] * (2 if asking.hedge_after else 1)
    assert event.wasted == PROMPT * len(outcomes)


async def test_a_model_that_died_is_left_alone_and_asked_again_when_it_is_back() -> None:
    instant = 1_800_000_000 * SECOND
    suppliers = {"a": Scripted([Answer(status=500)]), "b": Scripted([Answer()])}
    async with bench(mix(preferring("a", "b")), suppliers, clock=lambda: instant) as at:
        for _ in range(8):
            got = await at.ask()
        assert len(suppliers["a"].seen) == 5, "the breaker opened"
        assert got.tried == []
        suppliers["a"].answers = [Answer()]
        instant += 5 * SECOND
        got = await at.ask()
        assert got.event is not None
        assert (got.event.model, got.tried) == ("a", [])
        assert len(suppliers["b"].seen) == 8


async def test_a_busy_supplier_is_left_alone_for_as_long_as_it_asked() -> None:
    instant = 1_800_000_000 * SECOND
    suppliers = {"a": Scripted([Answer(status=429, headers={"retry-after": "3"}), Answer()]), "b": Scripted([Answer()])}
    async with bench(mix(preferring("a", "b")), suppliers, clock=lambda: instant) as at:
        for expected in ("b", "b"):
            got = await at.ask()
            assert got.event is not None
            assert got.event.model == expected
        assert len(suppliers["a"].seen) == 1
        instant += 3 * SECOND
        got = await at.ask()
        assert got.event is not None
        assert got.event.model == "a"


async def test_one_session_stays_with_one_model_and_many_share_by_weight() -> None:
    suppliers = {"a": Scripted([Answer()]), "b": Scripted([Answer()])}
    async with bench(mix({"a": 3, "b": 1}), suppliers) as at:
        for number in range(400):
            await at.ask(session=f"s{number}")
        share = len(suppliers["a"].seen) / 400
        assert abs(share - 0.75) < 4 * (0.75 * 0.25 / 400) ** 0.5
        before = len(suppliers["a"].seen), len(suppliers["b"].seen)
        for _ in range(20):
            await at.ask(session="mine")
        moved = len(suppliers["a"].seen) - before[0], len(suppliers["b"].seen) - before[1]
        assert sorted(moved) == [0, 20]


def of(made: Book, **models: dict[str, object]) -> Book:
    return replace(made, models={name: replace(model, **models.get(name, {})) for name, model in made.models.items()})  # type: ignore[arg-type]


async def test_the_hold_is_for_the_dearest_of_all_who_may_serve() -> None:
    made = of(mix({"a": 1, "b": 1}), a={"max_output": 100, "context": 1_000}, b={"max_output": MAX_OUTPUT, "context": CONTEXT})
    body = orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]})
    most = min(len(body) + 512, CONTEXT) + MAX_OUTPUT
    suppliers = {"a": Scripted([Answer()]), "b": Scripted([Answer()])}
    async with bench(made, suppliers) as at:
        got = await at.ask()
    assert got.headers["x-tokenworth-hold"] == f"{2 * most / 10**6:f}".rstrip("0")


async def test_rules_keep_models_out_whatever_their_weight() -> None:
    made = of(
        mix({"a": 9, "b": 1}, rules=Rules(min_quality=50, regions=frozenset({"eu"}))),
        a={"quality": 60, "regions": frozenset({"us"})},
        b={"quality": 50, "regions": frozenset({"eu"})},
    )
    suppliers = {"a": Scripted([Answer()]), "b": Scripted([Answer(status=500)])}
    async with bench(made, suppliers) as at:
        assert (await at.ask()).status == 502
    assert suppliers["a"].seen == []


async def test_a_model_that_costs_more_than_the_product_allows_is_left_out_and_all_of_them_is_a_refusal() -> None:
    for most, status in ((500_000, 200), (499_999, 503)):
        suppliers = {"a": Scripted([Answer()])}
        async with bench(mix({"a": 1}, rules=Rules(max_cost={"input": most})), suppliers) as at:
            got = await at.ask()
        assert got.status == status
    assert got.refusal is not None
    assert got.refusal.code == "no_model"


IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]


async def test_a_picture_goes_to_who_can_see() -> None:
    made = of(mix({"a": 9, "b": 1}), a={"modalities": frozenset({"text"})}, b={"modalities": frozenset({"text", "image"})})
    suppliers = {"a": Scripted([Answer()]), "b": Scripted([Answer()])}
    async with bench(made, suppliers) as at:
        got = await at.ask(messages=IMAGE)
        assert got.event is not None
        assert got.event.model == "b"
        refused = await at.ask(messages=[{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AAAA"}}]}])
    assert (refused.status, str(refused.refusal)) == (400, "`chat` takes no audio.")


async def test_a_long_prompt_goes_to_who_has_room_for_it() -> None:
    made = of(mix({"a": 99, "b": 1}), a={"context": 1_000}, b={"context": 4_000})
    suppliers = {"a": Scripted([Answer()]), "b": Scripted([Answer()])}
    async with bench(made, suppliers) as at:
        for size, model in ((300, "a"), (6_000, "b"), (60_000, "b")):
            got = await at.ask(messages=[{"role": "user", "content": "x" * size}], user="u3")
            assert got.event is not None
            assert got.event.model == model, size


def test_what_a_prompt_holds_is_found_wherever_it_stands() -> None:
    assert not parse(orjson.dumps({"model": "m", "messages": IMAGE})).text_only


async def test_usage_of_the_one_that_lost_a_race_is_what_it_cost() -> None:
    """Its usage had come, but not its end."""
    events = [line({**chunk({}), "choices": [], "usage": USAGE})]
    made = mix(preferring("a", "b"), asking=Asking(hedge_after=20 * MILLISECOND))
    suppliers = {"a": Scripted([Answer(pieces=[*events, 60.0])]), "b": Scripted([Answer()])}
    async with bench(made, suppliers) as at:
        got = await at.ask(stream=True)
    assert got.event is not None
    (tried,) = orjson.loads(got.event.attempts)
    assert (tried["cost"], tried["known"]) == (COST, True)
