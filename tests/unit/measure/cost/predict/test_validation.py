"""The numbers that predictions are held to, computed from what ships."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from tokenworth.measure.cost.points import Stack
from tokenworth.measure.cost.predict.layout import Layout
from tokenworth.measure.cost.predict.published import Published, published
from tokenworth.measure.cost.predict.validation import Check, validate


@cache
def at(level: float) -> Sequence[Check]:
    return validate(level)


def named(start: str) -> Check:
    return next(check for check in at(0.8) if check.name.startswith(start))


@pytest.mark.parametrize(("name", "at_most"), [("inside a measured series", 0.04), ("seen stacks", 0.10), ("unseen stacks", 0.35)])
def test_median_errors_stay_below_what_was_promised(name: str, at_most: float) -> None:
    check = named(f"{name}:")
    assert check.at_most == at_most
    assert check.median <= at_most
    assert check.points > 1000


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_bands_cover_as_often_as_they_say(level: float) -> None:
    banded = [check for check in at(level) if check.covered is not None]
    assert len(banded) == 4
    for check in banded:
        assert check.covered is not None
        # of 40 groups one is 2.5 points
        assert check.covered >= level - 0.025, check.name
        assert check.covered < 1, check.name


def test_calibration_pays_and_kernels_beat_a_roofline() -> None:
    assert named("seen").median < named("kernels").median < named("roofline").median
    assert named("bound").median < named("roofline").median


def test_llama_70b_on_h100_at_full_load_is_within_a_tenth_of_its_documentation() -> None:
    stack = Stack("llama-3.1-70b", "h100_sxm", "trtllm", "fp8", 1000, 1000)
    rows = [row for row in published() if (row.stack, row.layout) == (stack, Layout(tensor=2))]
    assert [row.throughput for row in rows] == [2209.0, 2102.5]
    for row in rows:
        assert row.predicted == pytest.approx(row.throughput, rel=0.1)


def test_what_others_published_is_met_within_a_seventh_in_the_middle() -> None:
    assert len(published()) == 85
    assert np.median([abs(error(row)) for row in published()]) < 1 / 7


def error(row: Published) -> float:
    assert row.predicted is not None, row
    return row.predicted / row.throughput - 1
