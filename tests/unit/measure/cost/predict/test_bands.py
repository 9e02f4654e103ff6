"""Bands cover as often as they say."""

from math import exp, inf, log

import numpy as np
import pytest
from numpy.typing import NDArray

from tokenworth.measure.cost.predict.bands import band


def groups(rng: np.random.Generator, number: int) -> list[NDArray[np.float64]]:
    """Draw groups of different sizes whose errors resemble each other."""
    return [rng.normal(0, 0.3) + rng.normal(0, 0.1, size=rng.integers(1, 60)) for _ in range(number)]


def test_the_edges_are_quantiles_in_which_groups_weigh_the_same() -> None:
    # nine points of one group weigh as much as the one of the other
    found = band([[0.0] * 9, [log(2)]], 0.5, new=False)
    assert (found.low, found.high) == (1.0, 2.0)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_a_new_group_is_covered_as_often_as_the_level_says(level: float) -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(600):
        *known, fresh = groups(rng, 31)
        made = band(known, level, new=True)
        inside.append(np.mean([made.covers(error) for error in fresh]))
    # standard error of the mean is below 0.02
    assert np.mean(inside) > level - 0.04
    assert np.mean(inside) < level + 0.08, "a band that covers everything says nothing"


def test_a_point_of_a_known_group_is_covered_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(600):
        among = [rng.normal(0, 0.1, size=21) for _ in range(20)]
        made = band([group[1:] for group in among], 0.8, new=False)
        inside.append(np.mean([made.covers(group[0]) for group in among]))
    assert 0.77 < np.mean(inside) < 0.83


def test_few_groups_say_little_of_a_new_one() -> None:
    found = band([[0.1], [-0.1], [0.0]], 0.8, new=True)
    assert (found.low, found.high) == (0.0, inf)


def test_errors_that_lean_to_one_side_make_a_band_that_does() -> None:
    found = band([[0.4 + step / 100 for step in range(100)]], 0.8, new=False)
    assert found.low == pytest.approx(exp(0.5), rel=0.02)
    assert found.high == pytest.approx(exp(1.3), rel=0.02)
