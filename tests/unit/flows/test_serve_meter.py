"""What an ended answer costs, by hand."""

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.support.events import draft
from tests.support.shop import COSTS, model, terms
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.flows.serve.makers import Maker
from tokenworth.flows.serve.meter import Ending, settled
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.wire import chat
from tokenworth.flows.serve.wire.chat.ask import parse
from tokenworth.flows.serve.wire.chat.same import ChatWhole
from tokenworth.flows.serve.wire.tap import Asked
from tokenworth.price.card import Card

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
CARD = Card("costs", "USD", {("m", tier): (terms({**COSTS, "input": rate}, tier, "USD"),) for tier, rate in (("default", "1"), ("fast", "3"))})


def event(rates: dict[str, str], answer: dict[str, Any], *, costs: Card = CARD, alarm: str = "", **more: Any) -> UsageEvent:
    made = replace(model("m", "s"), tiers=("fast",), **more)
    ask = parse(orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "x" * 9}]}))
    tap = ChatWhole(Asked(ask, made))
    tap.feed(orjson.dumps({"choices": [{"message": {"content": "y" * 8}}]} | answer))
    tap.end()
    order = Order(ask, Maker(made, chat.SAME, {}), terms(rates, "retail"), 10**9, draft(1))
    return settled(order, tap, costs, Ending(draft(1).at + 5, 3, alarm))


def test_charge_and_cost_are_rated_each_by_its_card() -> None:
    found = event({"input": "2", "output": "7"}, {"usage": USAGE})
    # nano-units: 100 x 2,000 + 10 x 7,000; 100 x 1,000 + 10 x 2,000
    assert (found.charge, found.cost, found.cost_card) == (270_000, 120_000, "default")
    assert (found.status, found.alarm, found.ended, found.first_token) == (Status.OK, "", draft(1).at + 5, 3)


def test_the_tier_that_the_supplier_served_is_the_cost() -> None:
    assert event({"input": "2", "output": "7"}, {"usage": USAGE, "service_tier": "fast"}).cost == 320_000
    assert event({"input": "2", "output": "7"}, {"usage": USAGE, "service_tier": "scale"}).cost == 120_000


def test_a_request_counts_where_it_has_a_rate() -> None:
    found = event({"input": "2", "output": "7", "request": "500"}, {"usage": USAGE})
    assert found.counts == {"input": 100, "output": 10, "request": 1}
    assert found.charge == 270_000 + 500_000
    assert (found.cost, found.cost_card) == (120_000, "default")


def test_what_has_no_rate_is_not_charged_and_alarms() -> None:
    found = event({"input": "2"}, {"usage": USAGE}, alarm="client_gone")
    assert (found.status, found.charge, found.alarm) == (Status.UNRATED, 0, "unpriced")
    assert found.counts == {"input": 100, "output": 10}
    assert found.cost == 120_000


def test_a_cost_that_is_unknown_alarms() -> None:
    found = event({"input": "2", "output": "7"}, {"usage": USAGE}, costs=Card("costs", "USD", {}))
    assert (found.status, found.charge, found.cost, found.alarm) == (Status.OK, 270_000, 0, "uncosted")


def test_explicit_zeros_are_usage() -> None:
    found = event({"input": "2", "output": "7"}, {"usage": dict.fromkeys(USAGE, 0)})
    assert (found.status, found.charge, found.counts) == (Status.OK, 0, {})


def test_an_unknown_class_of_tokens_is_estimated_not_dropped() -> None:
    found = event({"input": "2", "output": "7"}, {"usage": USAGE | {"prompt_tokens_details": {"smell_tokens": 5}}})
    assert (found.status, found.counts) == (Status.ESTIMATED, {"input": 3, "output": 2})
    assert found.alarm == "unknown_unit"


@pytest.mark.parametrize("depth", [100, 600, 1_000])
def test_a_usage_that_nests_without_end_is_estimated(depth: int) -> None:
    tangle = orjson.Fragment(b"[" * depth + b"1" + b"]" * depth)
    found = event({"input": "2", "output": "7"}, {"usage": USAGE | {"x": tangle}})
    assert (found.status, found.counts, found.alarm) == (Status.ESTIMATED, {"input": 3, "output": 2}, "unknown_unit")


@pytest.mark.parametrize("usage", [5, "x", [1], [USAGE], True, {"prompt_tokens": []}, {"prompt_tokens": 10**30}])
def test_a_usage_of_any_kind_is_estimated(usage: Any) -> None:
    answer = orjson.Fragment(json.dumps(usage))
    found = event({"input": "2", "output": "7"}, {"usage": answer})
    assert (found.status, found.counts, found.alarm) == (Status.ESTIMATED, {"input": 3, "output": 2}, "bad_usage")


def test_a_supplier_with_thoughts_beside_is_read_in_its_own_dialect() -> None:
    usage = {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "completion_tokens_details": {"reasoning_tokens": 94}}
    found = event({"input": "2", "output": "7"}, {"usage": usage}, list_price="x-ai/grok-4")
    assert (found.status, found.counts) == (Status.OK, {"input": 32, "output": 9, "reasoning": 94})


def test_a_router_is_read_in_its_own_dialect() -> None:
    routed = USAGE | {"cost": 0.002, "is_byok": False}
    assert event({"input": "2", "output": "7"}, {"usage": routed}, list_price="openrouter/x").status is Status.OK


@pytest.mark.parametrize(("excess", "alarm"), [(269_999, "over_hold"), (270_000, ""), (10**9, "")])
def test_beyond_a_hold_for_the_usual_answer_is_no_broken_assumption_within_what_the_request_allows(excess: int, alarm: str) -> None:
    made = model("m", "s")
    ask = parse(orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]}))
    tap = ChatWhole(Asked(ask, made))
    tap.feed(orjson.dumps({"choices": [], "usage": USAGE}))
    tap.end()
    order = Order(ask, Maker(made, chat.SAME, {}), terms({"input": "2", "output": "7"}, "retail"), 0, draft(1), excess=excess)
    found = settled(order, tap, CARD, Ending(draft(1).at + 5, 3))
    assert (found.charge, found.alarm) == (270_000, alarm)


def test_an_answer_without_usage_is_counted_by_the_models_tokenizer() -> None:
    made = model("m", "s")
    ask = parse(orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "one two three"}]}))
    tap = ChatWhole(Asked(ask, made))
    tap.feed(orjson.dumps({"choices": [{"message": {"content": "four five"}}]}))
    tap.end()
    order = Order(ask, Maker(made, chat.SAME, {}, lambda text: len(text.split())), terms({"input": "2", "output": "7"}, "retail"), 10**9, draft(1))
    found = settled(order, tap, CARD, Ending(draft(1).at + 5, 3))
    assert (found.status, found.alarm, found.counts) == (Status.ESTIMATED, "no_usage", {"input": 3, "output": 2})
