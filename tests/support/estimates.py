"""Estimates and pairs for tests of predictions."""

from dataclasses import replace
from typing import Any

from tests.support.points import STACK
from tokenworth.measure.cost.points import Kind
from tokenworth.measure.cost.predict.calibration import Pair
from tokenworth.measure.cost.predict.layout import Layout
from tokenworth.measure.cost.predict.times import Expected, Times, faster


def expected(concurrency: float = 64, *, tensor: int = 8, **stack: Any) -> Expected:
    """Return an estimate of 10 ms a token; what is said of the stack's fields goes there."""
    return Expected(replace(STACK, **stack), Layout(tensor=tensor), concurrency, Times(0.2, 0.01))


def pair(factor: float, concurrency: float = 64, **stack: Any) -> Pair:
    """Return an estimate and a measured point that is so many times as fast."""
    made = expected(concurrency, **stack)
    return Pair(faster(made.point(Kind.MEASURED, "test"), factor), made)
