"""Frontiers: what no other point beats, and what lies between."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.points import point
from tokenworth.core.errors import InputError
from tokenworth.measure.cost.frontier import OutsideFrontierError, Speed, frontier
from tokenworth.measure.cost.points import Point

figures = st.floats(min_value=1, max_value=10_000, allow_nan=False)
clouds = st.lists(st.tuples(figures, figures), min_size=1, max_size=20, unique_by=lambda pair: pair[0])


def cloud(pairs: list[tuple[float, float]]) -> list[Point]:
    return [point(speed, throughput) for speed, throughput in pairs]


@given(clouds)
def test_no_point_beats_the_frontier(pairs: list[tuple[float, float]]) -> None:
    points = cloud(pairs)
    kept = frontier(points).points
    for each in points:
        assert any(f.interactivity >= each.interactivity and f.throughput >= each.throughput for f in kept)
    for f in kept:
        assert not any(g is not f and g.interactivity >= f.interactivity and g.throughput >= f.throughput for g in kept)


@given(clouds, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs: list[tuple[float, float]], shuffled: random.Random) -> None:
    points = cloud(pairs)
    other = shuffled.sample(points, len(points))
    assert frontier(points) == frontier(other)


@given(clouds, st.floats(0, 1), st.floats(0, 1))
def test_faster_is_never_more(pairs: list[tuple[float, float]], one: float, two: float) -> None:
    found = frontier(cloud(pairs))
    low, high = found.range
    slow, fast = sorted(min(high, low + (high - low) * share) for share in (one, two))
    assert found.throughput_at(slow) >= found.throughput_at(fast) * (1 - 1e-9)
    throughputs = [each.throughput for each in found.points]
    assert min(throughputs) * (1 - 1e-9) <= found.throughput_at(slow) <= max(throughputs) * (1 + 1e-9)


def test_measured_points_lie_on_it() -> None:
    found = frontier([point(10, 1000), point(20, 700), point(40, 300)])
    assert [found.throughput_at(speed) for speed in (10, 20, 40)] == pytest.approx([1000, 700, 300])


def test_between_two_points_it_is_a_power_of_speed() -> None:
    found = frontier([point(10, 1600), point(40, 100)])
    assert found.throughput_at(20) == pytest.approx(400)


@pytest.mark.parametrize("speed", [9.99, 40.01])
def test_nothing_is_extrapolated(speed: float) -> None:
    with pytest.raises(OutsideFrontierError, match="from 10 to 40"):
        frontier([point(10, 1600), point(40, 100)]).throughput_at(speed)


def test_end_to_end_prices_the_first_token_in() -> None:
    waits = point(100, 500, ttft=1024 / 100)
    # 10.24 s of waiting and 10.23 of decoding: half the speed
    assert waits.end_to_end == pytest.approx(1024 / (10.24 + 10.23))
    quick = point(90, 490, ttft=0.1)
    assert frontier([waits, quick]).points == (waits,)
    assert frontier([waits, quick], Speed.END_TO_END).points == (waits, quick)


def test_no_points_no_frontier() -> None:
    with pytest.raises(InputError, match="no point is left"):
        frontier([])
