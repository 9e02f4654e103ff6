"""Intervals: quantiles against the standard library, the spread of a product, and what moves it."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.estimate import Estimate, combine, known, quantile


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30))
def test_quantiles_are_those_of_the_standard_library(values: list[float]) -> None:
    cuts = statistics.quantiles(values, n=10, method="inclusive")
    assert [quantile(values, at / 10) for at in range(1, 10)] == pytest.approx(cuts)


def test_a_product_of_lognormal_inputs_has_the_quadrature_of_their_spreads() -> None:
    one, other = Estimate(2.0, 1.0, 4.0), Estimate(3.0, 3 / 1.5, 4.5)
    found = combine(lambda at: {"product": at["a"] / at["b"]}, {"a": one, "b": other, "c": known(7.0)})["product"]
    spread = math.exp(math.hypot(math.log(2), math.log(1.5)))
    assert found.estimate.value == pytest.approx(2 / 3)
    assert found.estimate.high / found.estimate.value == pytest.approx(spread)
    assert found.estimate.value / found.estimate.low == pytest.approx(spread)
    assert [each.name for each in found.moved] == ["a", "b"]
    assert found.moved[1].low == pytest.approx(1.5)


def test_an_input_that_may_be_nothing_may_make_it_nothing() -> None:
    found = combine(lambda at: {"x": at["a"] * at["b"]}, {"a": Estimate(0.1, 0.0, 0.2), "b": known(5.0)})["x"]
    assert (found.estimate.value, found.estimate.low) == (0.5, 0.0)
    assert found.estimate.high == pytest.approx(1.0)


def test_ends_must_hold_the_figure() -> None:
    with pytest.raises(InputError) as caught:
        Estimate(1.0, 2.0, 3.0)
    assert caught.value.code == "bad_interval"
