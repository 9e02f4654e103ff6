"""GPU-seconds of a token: from rates, from shapes, and from the shipped table."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.demand import Tokens
from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.serving import UNTESTED, servings
from tokenworth.measure.cost.table import measured
from tokenworth.measure.cost.work import Work, from_rates, from_shapes

SHAPES = [(1024, 1024), (8192, 1024), (1024, 8192)]
seconds = st.floats(1e-6, 1e-2)


@given(seconds, seconds, st.floats(0, 1))
def test_shapes_that_two_figures_explain_give_them_back(first: float, second: float, cached: float) -> None:
    work, made = from_shapes({(i, o): o / (i * first + o * second) for i, o in SHAPES}, cached=cached)
    assert [work.input, work.output] == pytest.approx([first, second], rel=1e-6)
    assert work.cache_read == pytest.approx(cached * first, rel=1e-6)
    assert [made.low, made.high] == pytest.approx([1, 1])


def test_no_figure_is_below_zero_and_the_error_says_what_that_costs() -> None:
    # the longer prompt is the faster one, which no work explains
    work, made = from_shapes({(1000, 1000): 100.0, (8000, 1000): 110.0}, cached=0)
    assert work.input == 0
    assert made.high / made.low == pytest.approx(1.1)


@pytest.mark.parametrize("shapes", [{}, {(1024, 1024): 50.0}, {(1000, 500): 50.0, (2000, 1000): 40.0}])
def test_one_ratio_of_lengths_does_not_tell_prefill_from_decode(shapes: dict[tuple[int, int], float]) -> None:
    with pytest.raises(InputError) as caught:
        from_shapes(shapes, cached=0)
    assert caught.value.code == "one_shape"


def test_a_prefill_rate_that_counted_hits() -> None:
    # of 100 tokens a second half were free, so the other half took the second
    assert from_rates(100, 10, cached=0, hits=0.5) == Work(1 / 50, 0, 1 / 10)
    work = from_rates(100, 10, cached=0.2, hits=0.5)
    assert work.of(Tokens(50, 50, 0)) == pytest.approx(1)


@pytest.mark.parametrize(("prefill", "decode"), [(0, 1), (1, 0), (-1, 1)])
def test_rates_of_nothing(prefill: float, decode: float) -> None:
    with pytest.raises(InputError):
        from_rates(prefill, decode, cached=0)


def of(model: str, gpu: str) -> list[Point]:
    return [point for point in measured() if (point.stack.model, point.stack.gpu) == (model, gpu)]


def test_a_stack_of_the_table() -> None:
    (found,) = [each for each in servings(of("llama-3.1-70b", "h100_sxm"), 50, cached=0.1) if each.engine == "vllm"]
    assert found.work.output > found.work.input > found.work.cache_read
    for (i, o), rate in found.shapes.items():
        explained = o / found.work.of(Tokens(i, 0, o))
        assert found.throughput.low * (1 - 1e-9) <= rate / explained <= found.throughput.high * (1 + 1e-9)


def test_a_speed_that_nobody_reached() -> None:
    with pytest.raises(InputError) as caught:
        servings(of("llama-3.1-70b", "h100_sxm"), 5_000, cached=0)
    assert caught.value.code == "one_shape"


def test_the_error_of_two_shapes_is_that_of_the_worst_fourth_of_the_others() -> None:
    errors = []
    pairs = {(point.stack.model, point.stack.gpu) for point in measured()}
    for pair in sorted(pairs):
        for speed in (20, 30, 50, 80):
            try:
                found = servings(of(*pair), speed, cached=0)
            except InputError:
                continue
            errors += [max(each.throughput.high, 1 / each.throughput.low) for each in found if len(each.shapes) > 2]
    assert len(errors) > 50
    assert statistics.quantiles(errors, n=4)[2] == pytest.approx(UNTESTED.high, abs=0.05)
