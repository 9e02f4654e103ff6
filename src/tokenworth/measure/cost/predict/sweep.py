"""The ways in which a stack can be served, each at rising load."""

from collections.abc import Callable, Iterator

from tokenworth.measure.cost.frontier import frontier
from tokenworth.measure.cost.models import models
from tokenworth.measure.cost.points import Kind, Stack
from tokenworth.measure.cost.predict.kernels import NotPredictedError
from tokenworth.measure.cost.predict.layout import Layout, layouts
from tokenworth.measure.cost.predict.times import Expected, Times

SIZES = (1, 2, 4, 8)
"""GPUs of one deployment in one piece."""

LOADS = tuple(sorted({step * 2**power for step in (2, 3) for power in range(10)} | {1}))
"""Requests under way on one copy of attention."""

Timed = Callable[[Stack, Layout, float], Times]
"""What predicts the times of a stack on a layout with so many requests under way: `kernels.times` or `roofline.roofline`."""


def sweep(stack: Stack, timed: Timed) -> list[Expected]:
    """Return the estimates on the frontier of a stack; none where it fits no layout."""
    return best([estimate for spread in spreads(stack.model) for estimate in rising(stack, spread, timed)])


def best(estimates: list[Expected]) -> list[Expected]:
    """Return the estimates that no other beats in both speed and throughput."""
    by_point = {estimate.point(Kind.PREDICTED, ""): estimate for estimate in estimates}
    return [by_point[point] for point in frontier(by_point).points] if by_point else []


def spreads(model: str) -> list[Layout]:
    """Return the layouts that are worth a look for a model."""
    known = models().get(model)
    return [spread for gpus in SIZES for spread in layouts(gpus, experts=known.experts if known else 1)]


def rising(stack: Stack, spread: Layout, timed: Timed) -> Iterator[Expected]:
    """Yield a layout's estimates at rising load, as long as all requests fit into memory."""
    for load in LOADS:
        concurrency = load * spread.data
        try:
            found = timed(stack, spread, concurrency)
        except NotPredictedError:
            return
        if not found.fits:
            return
        yield Expected(stack, spread, concurrency, found)
