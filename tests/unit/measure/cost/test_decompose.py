"""The fall of a token's cost, step by step: exact, and merged where nothing was measured between."""

import math

import pytest

from tests.support.points import point
from tokenworth.measure.cost.decompose import Fall, NotMeasuredError, Prices, decompose
from tokenworth.measure.cost.estimate import known
from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.select import Wanted, chosen
from tokenworth.measure.cost.table import measured

PRICES = Prices(known(2.0), known(3.0))
OLD, NEW = "h200_sxm", "b200_sxm"


def flat(made: float, **more: object) -> list[Point]:
    """Return a frontier that makes so much at 50 tokens/s/user: a power law through it."""
    return [point(speed, made * 50 / speed, **more) for speed in (25, 100)]


STATES = {
    "start": flat(100, gpu=OLD, measured="2025-11-01"),
    "silicon": flat(150, gpu=NEW, measured="2025-11-01"),
    "precision": flat(300, gpu=NEW, precision="fp4", measured="2025-11-01"),
    "engine": flat(450, gpu=NEW, precision="fp4", measured="2026-02-01", speculative=False),
    "speculative": flat(900, gpu=NEW, precision="fp4", measured="2026-02-01", speculative=True),
}


def fall(*without: str) -> Fall:
    points = [each for name, state in STATES.items() if name not in without for each in state]
    return decompose(points, (OLD, NEW), 50, PRICES)


def test_each_cause_has_its_factor() -> None:
    found = fall()
    assert {step.causes: step.factor for step in found.steps} == pytest.approx(
        {("silicon",): 100 / 150, ("precision",): 150 / 300, ("engine",): 300 / 450, ("speculative",): 450 / 900, ("price",): 1.5}
    )
    assert found.early == "2025-11-01"
    # 2 dollars an hour over 100 tokens/s; 3 over 900
    assert found.cost == pytest.approx((2e6 / 3600 / 100, 3e6 / 3600 / 900))


@pytest.mark.parametrize("without", [(), ("silicon",), ("precision",), ("engine",), ("silicon", "precision"), ("silicon", "precision", "engine")])
def test_factors_multiply_to_the_whole_and_shares_add_to_one(without: tuple[str, ...]) -> None:
    found = fall(*without)
    assert math.prod(step.factor for step in found.steps) == pytest.approx(found.factor, rel=1e-12)
    assert sum(step.share for step in found.steps) == pytest.approx(1, rel=1e-12)
    assert [cause for step in found.steps for cause in step.causes] == ["silicon", "precision", "engine", "speculative", "price"]


def test_what_cannot_be_told_apart_is_one_step() -> None:
    assert [step.causes for step in fall("silicon", "engine").steps] == [("silicon", "precision"), ("engine", "speculative"), ("price",)]


def test_steps_say_where_nobody_marked_speculative_decoding() -> None:
    assert [step.unmarked for step in fall().steps[:4]] == [True, True, False, False]


def test_without_both_ends_there_is_no_fall() -> None:
    with pytest.raises(NotMeasuredError, match="h200_sxm was not measured at 50"):
        fall("start")


def test_the_measured_fall_is_exact() -> None:
    points = chosen(measured(), Wanted(models=("deepseek-r1",), lengths=(8192, 1024)))
    for speed in (25.0, 30.0, 50.0, 60.0):
        found = decompose(points, (OLD, NEW), speed, PRICES)
        assert math.prod(step.factor for step in found.steps) == pytest.approx(found.factor, rel=1e-12)
        assert [step.causes for step in found.steps] == [("silicon",), ("precision",), ("engine",), ("speculative",), ("price",)]
