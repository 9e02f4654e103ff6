"""How far predictions can be trusted: measured points left out, and predicted. Everything is computed when it is asked, from what ships."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from tokenworth.measure.cost.frontier import Frontier, frontier
from tokenworth.measure.cost.holdout import loads_left_out
from tokenworth.measure.cost.points import Kind, Stack
from tokenworth.measure.cost.predict.bands import LEVEL, Band, band
from tokenworth.measure.cost.predict.calibration import Calibration, Evidence, Group, Pair, calibrate, group_of
from tokenworth.measure.cost.predict.evidence import FOLDS, Errors, alike, pairs, seen, unseen
from tokenworth.measure.cost.predict.prediction import most
from tokenworth.measure.cost.predict.shipped import estimates
from tokenworth.measure.cost.predict.times import faster
from tokenworth.measure.cost.series import grouped
from tokenworth.measure.cost.table import measured


@dataclass(frozen=True, slots=True)
class Check:
    """One way of leaving points out.

    Attributes:
        name: what was left out and asked for.
        points: how many.
        groups: of how many models, GPUs, engines and precisions.
        median: of the absolute relative errors of throughput.
        ninth_decile: of the same.
        at_most: what the median is held to; None where it is told for comparison.
        level: share that the band is to cover; None where there is no band.
        covered: share of points inside the band, each group weighing the same.
        covered_points: share of points inside the band, each point weighing the same.
    """

    name: str
    points: int
    groups: int
    median: float
    ninth_decile: float
    at_most: float | None = None
    level: float | None = None
    covered: float | None = None
    covered_points: float | None = None


def validate(level: float = LEVEL) -> list[Check]:
    """Return every check, from the surest to the boldest."""
    kernels, bounds = pairs(Kind.PREDICTED), pairs(Kind.BOUND)
    of_kernels, of_bounds = Evidence(kernels, Kind.PREDICTED), Evidence(bounds, Kind.BOUND)
    inside = loads_left_out(measured())
    series = len({pair.group for pair in bounds})
    return [
        Check("inside a measured series: a load left out, interpolated", inside.points, series, inside.median, inside.ninth_decile, 0.04),
        _check(f"seen stacks: {FOLDS} folds of their points", *_seen(kernels, level), level=level, at_most=0.10),
        _check("unseen stacks: each left out whole", *_unseen(of_kernels, Kind.PREDICTED, level), level=level, at_most=0.35),
        _check("unseen stacks: throughput at a measured speed", *_at_speed(of_kernels, level), level=level),
        _check("bound on unseen GPUs: each left out whole", *_unseen(of_bounds, Kind.BOUND, level), level=level),
        _check("kernels, not calibrated", _raw(kernels)),
        _check("roofline, without efficiency", _raw(bounds)),
    ]


Covered = Sequence[Sequence[bool]]
"""Of each point of each group, whether the band held it."""


def _check(name: str, errors: Errors, covered: Covered = (), *, level: float | None = None, at_most: float | None = None) -> Check:
    relative = np.abs(np.expm1(-np.concatenate([np.asarray(group) for group in errors.values()])))
    return Check(
        name=name,
        points=len(relative),
        groups=len(errors),
        median=float(np.median(relative)),
        ninth_decile=float(np.quantile(relative, 0.9)),
        at_most=at_most,
        level=level,
        covered=float(np.mean([np.mean(group) for group in covered])) if covered else None,
        covered_points=float(np.mean([inside for group in covered for inside in group])) if covered else None,
    )


def _raw(among: Sequence[Pair]) -> Errors:
    return {group: [pair.off for pair in points] for group, points in grouped(among, lambda pair: pair.group).items()}


def _seen(among: Sequence[Pair], level: float) -> tuple[Errors, Covered]:
    """Tell of each point how far off it is, and whether a band covers it that was made, with its calibration, without the point's fold."""
    fold = np.random.default_rng(0).permutation(len(among)) % FOLDS
    covered: dict[Group, list[bool]] = {}
    for left_out in range(FOLDS):
        rest = [pair for pair, its in zip(among, fold, strict=True) if its != left_out]
        made = band(seen(rest, FOLDS - 1).values(), level, new=False)
        from_rest = calibrate(rest)
        for pair, its in zip(among, fold, strict=True):
            if its == left_out:
                covered.setdefault(pair.group, []).append(made.covers(from_rest.left(pair)))
    return seen(among), list(covered.values())


def _unseen(evidence: Evidence, kind: Kind, level: float) -> tuple[Errors, Covered]:
    """Tell of each point how far off it is, and whether a band covers it that was made, with its calibration, without anything alike."""
    errors = unseen(evidence, kind)
    return errors, [[made.covers(error) for error in errors[group]] for group, made in _bands(evidence, kind, level)]


def _bands(evidence: Evidence, kind: Kind, level: float) -> Iterator[tuple[Group, Band]]:
    for group in evidence.groups:
        yield group, band(unseen(evidence, kind, alike(group, evidence.groups, kind)).values(), level, new=True)


def _at_speed(evidence: Evidence, level: float) -> tuple[Errors, Covered]:
    """Ask the predicted frontier of each measured stack, its group left out, for the throughput at each measured frontier point's speed."""
    bands = dict(_bands(evidence, Kind.PREDICTED, level))
    errors: dict[Group, list[float]] = {}
    covered: dict[Group, list[bool]] = {}
    for stack, points in grouped(measured(), lambda point: point.stack).items():
        group = group_of(stack)
        if group in bands and estimates(stack):
            expected = _frontier(stack, Calibration(evidence.common([group]), {}))
            for point in frontier(points).points:
                asked = point.interactivity
                if expected.covers(asked):
                    errors.setdefault(group, []).append(log(point.throughput / expected.throughput_at(asked)))
                low, high = (most(_scaled(expected, edge), asked) for edge in (bands[group].low, bands[group].high))
                covered.setdefault(group, []).append(low <= point.throughput <= high)
    return errors, list(covered.values())


def _frontier(stack: Stack, fitted: Calibration) -> Frontier:
    return frontier(faster(each.point(Kind.PREDICTED, ""), fitted.factor(each)) for each in estimates(stack))


def _scaled(whole: Frontier, factor: float) -> Frontier:
    return frontier(faster(point, factor) for point in whole.points)
