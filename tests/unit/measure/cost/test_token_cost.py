"""Dollars a million tokens: published days, exact sums, and three ways to share them out."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.measure.cost.test_fleet import demands, sizings, works
from tokenworth.core.errors import InputError
from tokenworth.core.money import NANO
from tokenworth.feeds.gpu_prices import ownership
from tokenworth.measure.cost.allocate import Allocation, allocate, ramsey
from tokenworth.measure.cost.demand import CLASSES, Demand, Tokens
from tokenworth.measure.cost.estimate import Estimate, known
from tokenworth.measure.cost.fleet import Sizing
from tokenworth.measure.cost.table import measured
from tokenworth.measure.cost.tokens import Plan, dollars, token_cost
from tokenworth.measure.cost.work import Work, from_rates

DAY = 86_400
NODES, NODE = 226.75, 8
"""Average nodes of H800 that DeepSeek had in use on the day (open-infra-index, day 6, 2025-02-28)."""
INPUT, HIT, OUTPUT = 608e9, 342e9, 168e9
PREFILL, DECODE = 73_700 / NODE, 14_800 / NODE
PRICES = {"input": 0.55, "cache_read": 0.14, "output": 2.19}
ELASTICITY = {"input": 1.5, "cache_read": 2.0, "output": 1.2}


def deepseek() -> Plan:
    work = from_rates(PREFILL, DECODE, cached=0.1, hits=HIT / INPUT)
    return Plan(Demand(DAY, (Tokens(INPUT - HIT, HIT, OUTPUT),), "the day"), Sizing(gpus=round(NODES * NODE)), work, known(2.0))


def test_deepseeks_production_day_costs_87072_dollars() -> None:
    cost = token_cost(deepseek())
    assert cost.bill.total == 87_072 * NANO
    assert sum(cost.bill.shares.values()) == 87_072 * NANO
    # the published rates and the published nodes agree: they worked all day
    assert cost.bill.run.utilisation == pytest.approx(1, abs=0.001)
    assert cost.bill.run.served_share == pytest.approx(1, abs=0.001)


def test_deepseeks_income_was_12_91_dollars_a_gpu_hour() -> None:
    lived = token_cost(deepseek()).bill.run
    income = sum(PRICES[name] * getattr(lived.asked, name) / 1e6 for name in CLASSES)
    # published: $562,027, of counts that are rounded to billions
    assert income == pytest.approx(562_027, rel=2e-4)
    assert round(income / (lived.paid / 3600), 2) == 12.91


def test_the_output_of_a_node_costs_what_its_publisher_says() -> None:
    # lmsys.org, 2025-05-05: 22,300 tokens/s of output a node of eight H100; $0.20 a million at $2 a GPU-hour
    plan = Plan(Demand(3600, (Tokens(0, 0, 22_300 * 3600),), "an hour"), Sizing(), from_rates(52_300 / 8, 22_300 / 8, cached=0), known(2.0))
    assert token_cost(plan).real["output"].estimate.value == pytest.approx(0.20, abs=0.001)


def test_gpt_oss_on_b200_costs_about_two_cents_a_million_at_the_low_speed_end() -> None:
    # NVIDIA, October 2025; at what owning a B200 was surveyed to cost two months before
    points = [point for point in measured() if (point.stack.model, point.stack.gpu) == ("gpt-oss-120b", "b200_sxm")]
    slowest = min((p for p in points if p.stack.input_tokens == p.stack.output_tokens), key=lambda p: p.interactivity)
    hour = next(each.own_hyperscaler for each in ownership() if each.gpu == "b200_sxm")
    made = slowest.throughput * 3_600
    plan = Plan(Demand(3_600, (Tokens(made, 0, made),), "an hour"), Sizing(step=1), Work(0, 0, 1 / slowest.throughput), known(hour))
    bill = token_cost(plan).bill
    assert bill.total / NANO / bill.run.served.total * 1e6 == pytest.approx(0.02, abs=0.002)


@given(st.integers(-(10**15), 10**18), st.lists(st.floats(0, 1e18), min_size=1, max_size=6).filter(any))
def test_a_bill_is_shared_out_to_the_last_unit(bill: int, weights: list[float]) -> None:
    named = {str(at): weight for at, weight in enumerate(weights)}
    shares = allocate(bill, named)
    assert sum(shares.values()) == bill
    for name, weight in named.items():
        assert abs(shares[name] - bill * (weight / sum(weights))) <= 1 + abs(bill) * 1e-12


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}, {"a": float("inf")}])
def test_nobody_to_bear_it(weights: dict[str, float]) -> None:
    with pytest.raises(InputError):
        allocate(1, weights)


plans = st.builds(
    Plan,
    demand=demands,
    sizing=sizings,
    work=works,
    hour=st.floats(0.01, 100).map(known),
    resale=st.floats(0, 0.005),
    allocation=st.sampled_from(Allocation),
    elasticity=st.just(ELASTICITY),
)


@given(plans)
def test_the_classes_bear_the_bill_to_the_nano_dollar(plan: Plan) -> None:
    cost = token_cost(plan)
    for bill in (cost.bill, cost.full):
        assert sum(bill.shares.values()) == bill.total
        assert bill.rent == dollars(bill.run.paid, plan.hour.value)
    # what work takes is never more than what a fleet pays
    assert cost.full.rent <= cost.bill.rent + dollars(1, plan.hour.value)
    assert cost.bill.resold == dollars(cost.bill.run.whole_idle, plan.resale)
    # of work that fits, to the whole second
    assert cost.full.run.used * (1 - 1e-9) <= cost.full.run.paid <= cost.full.run.used * (1 + 1e-9) + 1


def test_at_half_the_utilisation_a_token_costs_twice() -> None:
    work = from_rates(1_000, 100, cached=0.1)
    demand = Demand(3_600, (Tokens(1e6, 1e6, 1e5),), "mix")
    plans = [Plan(demand, Sizing(step=8), work, known(2.0), utilisation=share) for share in (1.0, 0.5)]
    full, half = (token_cost(plan) for plan in plans)
    for name in CLASSES:
        assert half.real[name].estimate.value == pytest.approx(2 * full.real[name].estimate.value)
        assert full.full.per_million[name] == pytest.approx(half.full.per_million[name])
    # marginal GPU-seconds: a cached token bears a tenth, a decoded one ten times
    found = full.bill.per_million
    assert found["cache_read"] == pytest.approx(found["input"] / 10)
    assert found["output"] == pytest.approx(found["input"] * 10)


def test_a_stated_utilisation_is_that_of_the_whole_whatever_the_peaks() -> None:
    demand = Demand(3_600, tuple(Tokens(1e6 * each, 0, 1e5 * each) for each in (1, 9, 2)), "uneven")
    plan = Plan(demand, Sizing(step=1), from_rates(1_000, 100, cached=0.1), known(2.0), utilisation=0.9)
    lived = token_cost(plan).bill.run
    assert lived.utilisation == pytest.approx(0.9)
    assert lived.served_share == pytest.approx(1)
    with pytest.raises(InputError):
        Plan(demand, Sizing(autoscale=True), plan.work, plan.hour, utilisation=0.9)


def test_proportional_shares_make_every_token_cost_the_same() -> None:
    plan = Plan(
        Demand(3_600, (Tokens(3e6, 1e6, 1e5),), "m"), Sizing(), from_rates(1_000, 100, cached=0.1), known(2), allocation=Allocation.PROPORTIONAL
    )
    found = token_cost(plan).bill.per_million
    assert list(found.values()) == pytest.approx([found["input"]] * 3)


def test_ramseys_markups_fall_with_elasticity() -> None:
    costs = {"input": 10.0, "cache_read": 1.0, "output": 20.0}
    revenue = ramsey(costs, 50, ELASTICITY)
    assert sum(revenue.values()) == pytest.approx(50)
    lerner = {name: (revenue[name] - costs[name]) / revenue[name] * ELASTICITY[name] for name in costs}
    assert lerner["input"] == pytest.approx(lerner["output"])
    assert lerner["cache_read"] == pytest.approx(lerner["output"])
    assert revenue["output"] / 20 > revenue["input"] / 10 > revenue["cache_read"]


def test_equal_elasticities_are_an_equal_markup() -> None:
    revenue = ramsey({"input": 10.0, "output": 20.0}, 45, {"input": 1.3, "output": 1.3})
    assert revenue == {"input": pytest.approx(15), "output": pytest.approx(30)}


def test_a_bill_below_marginal_cost_is_shared_out_too() -> None:
    revenue = ramsey({"input": 10.0, "output": 20.0}, 12, {"input": 1.5, "output": 1.2})
    assert sum(revenue.values()) == pytest.approx(12)
    assert all(share > 0 for share in revenue.values())


@pytest.mark.parametrize("elasticity", [{}, {"input": 1.0}, {"input": 1.0, "output": 0.0}, {"input": 1.0, "output": -1.0}])
def test_ramsey_needs_every_elasticity(elasticity: dict[str, float]) -> None:
    with pytest.raises(InputError) as caught:
        ramsey({"input": 1.0, "output": 2.0}, 5, elasticity)
    assert caught.value.code == "bad_elasticity"


def test_an_interval_holds_what_an_input_may_be_and_says_which_moves_most() -> None:
    work = from_rates(1_000, 100, cached=0.1)
    demand = Demand(3_600, (Tokens(1e6, 1e6, 1e5),), "mix")
    plan = Plan(demand, Sizing(), work, Estimate(2.0, 1.0, 6.0), throughput=Estimate(1.0, 0.8, 1.25), utilisation=0.4)
    found = token_cost(plan).real["output"]
    assert [each.name for each in found.moved] == ["GPU-hour", "throughput"]
    assert found.estimate.low < found.estimate.value / 2
    assert found.estimate.high > found.estimate.value * 3


def test_idle_replicas_that_are_let_lower_the_bill() -> None:
    demand = Demand(3_600, (Tokens(0, 0, 3_600 * 8), Tokens(0, 0, 3_600)), "two hours")
    work = Work(0, 0, 1)
    kept, let = (token_cost(Plan(demand, Sizing(step=4), work, known(2.0), resale=resale)).bill for resale in (0.0, 0.5))
    assert (kept.total, let.total) == (32 * NANO, 30 * NANO)


def test_the_constants_are_those_of_the_claims() -> None:
    """Against the file that quotes the publishers."""
    text = (files("tokenworth") / "data" / "inference" / "public_claims.csv").read_text(encoding="utf-8")
    claims = {row["id"]: row["value"] for row in csv.DictReader(text.splitlines())}
    assert float(claims["dsk-day6-nodes"]) == NODES
    assert (float(claims["dsk-day6-input"]), float(claims["dsk-day6-output"])) == (INPUT, OUTPUT)
    assert float(claims["dsk-day6-prefill"]) == PREFILL * NODE
    assert float(claims["dsk-day6-decode"]) == DECODE * NODE
    assert float(claims["sgl-h100-96-out"]) == 22_300
