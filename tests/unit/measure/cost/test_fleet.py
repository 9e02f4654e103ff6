"""Fleets: tables by hand, and the law that no GPU-second is in two sums."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.demand import Demand, Tokens, binned, from_rates
from tokenworth.measure.cost.fleet import Sizing, run
from tokenworth.measure.cost.work import Work

SECOND_EACH = Work(0, 0, 1)
"""A token of output takes a GPU-second."""


def asking(gpus: list[float], seconds: int = 100) -> Demand:
    """Return a demand that keeps so many GPUs busy in each interval."""
    return Demand(seconds, tuple(Tokens(0, 0, each * seconds) for each in gpus), "test")


def paid(gpus: list[float], sizing: Sizing) -> list[float]:
    return [each.paid / 100 for each in run(asking(gpus), SECOND_EACH, sizing).intervals]


@pytest.mark.parametrize(
    ("gpus", "sizing", "expected"),
    [
        ([3, 9, 5], Sizing(step=4), [12, 12, 12]),
        ([3, 8, 5], Sizing(step=4), [8, 8, 8]),
        ([3, 8, 5], Sizing(step=4, load=0.8), [12, 12, 12]),
        ([1, 2, 3, 4, 100], Sizing(step=1, peak=0.5), [3] * 5),
        ([3, 9, 5], Sizing(step=4, gpus=5), [5, 5, 5]),
        ([3, 9, 5, 1], Sizing(step=4, autoscale=True), [4, 4, 12, 8]),
        ([0, 0.001], Sizing(step=4), [4, 4]),
    ],
)
def test_how_many_gpus_are_paid(gpus: list[float], sizing: Sizing, expected: list[float]) -> None:
    assert paid(gpus, sizing) == expected


def test_a_starting_replica_is_paid_and_serves_nothing_yet() -> None:
    lived = run(asking([4, 8, 8, 8]), SECOND_EACH, Sizing(step=4, autoscale=True, start_up=150))
    # ordered when the third interval begins, ready in the middle of the fourth
    assert [each.paid for each in lived.intervals] == [400, 400, 800, 800]
    assert [each.starting for each in lived.intervals] == [0, 0, 400, 200]
    assert [each.used for each in lived.intervals] == [400, 400, 400, 600]
    assert [each.unserved for each in lived.intervals] == [0, 400, 400, 200]
    assert lived.served == Tokens(0, 0, 1800)


def test_the_youngest_replica_goes_first() -> None:
    lived = run(asking([4, 12, 8, 8]), SECOND_EACH, Sizing(step=4, autoscale=True, start_up=1_000))
    # eight were ordered and four of them taken back before any served
    assert [each.paid for each in lived.intervals] == [400, 400, 1200, 800]
    assert [each.starting for each in lived.intervals] == [0, 0, 800, 400]


def test_only_whole_idle_replicas_can_be_let_to_others() -> None:
    lived = run(asking([0.5, 4.5, 12]), SECOND_EACH, Sizing(step=4))
    assert lived.whole_idle == 800 + 400 + 0


def test_utilisation_and_what_was_served() -> None:
    lived = run(asking([2, 6, 4]), SECOND_EACH, Sizing(step=1, gpus=4))
    assert lived.utilisation == pytest.approx(10 / 12)
    assert lived.served_share == pytest.approx(10 / 12)
    assert lived.gpus == (4, 4, 4)


counts = st.floats(0, 1e6)
demands = st.builds(
    Demand,
    st.integers(1, 4_000),
    st.lists(st.builds(Tokens, counts, counts, counts.map(lambda n: n + 1)), min_size=1, max_size=30).map(tuple),
    st.just("t"),
)
sizings = st.builds(
    Sizing,
    step=st.integers(1, 16),
    load=st.floats(0.1, 1),
    gpus=st.one_of(st.none(), st.integers(1, 500)),
    peak=st.floats(0.01, 1),
    autoscale=st.booleans(),
    start_up=st.integers(0, 9_000),
)
works = st.builds(Work, st.floats(0, 1), st.floats(0, 1), st.floats(1e-6, 1))


@given(demands, works, sizings)
def test_no_gpu_second_is_in_two_sums(demand: Demand, work: Work, sizing: Sizing) -> None:
    lived = run(demand, work, sizing)
    for each, tokens in zip(lived.intervals, demand.intervals, strict=True):
        assert 0 <= each.starting <= each.paid
        assert 0 <= each.used <= each.paid - each.starting
        assert each.used + each.unserved == pytest.approx(work.of(tokens))
    assert lived.used + lived.whole_idle + lived.starting <= lived.paid * (1 + 1e-12)
    assert sum(work.by_class(lived.served).values()) == pytest.approx(lived.used)


@given(demands, works)
def test_a_fleet_for_the_highest_interval_serves_everything(demand: Demand, work: Work) -> None:
    lived = run(demand, work, Sizing(step=3))
    assert lived.served_share == pytest.approx(1)
    assert lived.served.total == pytest.approx(demand.total.total)


def test_requests_fall_into_the_interval_in_which_they_come() -> None:
    one = Tokens(1, 0, 1)
    made = binned([(1_000, one), (1_059.9, one), (1_060, one), (1_190, one)], 60, "t")
    assert [tokens.input for tokens in made.intervals] == [2, 1, 0, 1]
    assert made.duration == 240
    assert from_rates([2.0, 0.5], 600, one, source="t").intervals == (one * 1200, one * 300)


@pytest.mark.parametrize("wrong", [{"step": 0}, {"load": 0}, {"load": 1.1}, {"peak": 0}, {"gpus": 0}, {"start_up": -1}])
def test_what_sizes_nothing(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError):
        Sizing(**wrong)  # type: ignore[arg-type]


def test_a_demand_of_nothing() -> None:
    with pytest.raises(InputError) as caught:
        Demand(60, (Tokens(0, 0, 0),), "empty")
    assert caught.value.code == "no_demand"
    assert math.isfinite(Demand(60, (Tokens(1, 0, 0),), "one").total.total)
