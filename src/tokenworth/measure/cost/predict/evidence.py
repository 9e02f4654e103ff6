"""Measured points with the estimates of their own stacks, layouts and loads, and how far off the calibrated ones are where they are left out."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tokenworth.measure.cost.models import models
from tokenworth.measure.cost.points import Kind, Point
from tokenworth.measure.cost.predict.calibration import Calibration, Evidence, Group, Pair, calibrate
from tokenworth.measure.cost.predict.layout import layout
from tokenworth.measure.cost.predict.roofline import roofline
from tokenworth.measure.cost.predict.shipped import estimate_of
from tokenworth.measure.cost.predict.times import Expected
from tokenworth.measure.cost.table import measured

FOLDS = 5

Errors = Mapping[Group, Sequence[float] | NDArray[np.float64]]
"""Logarithms of measured over calibrated throughput of points that were left out, by group."""


@cache
def pairs(kind: Kind) -> Sequence[Pair]:
    """Return the measured points for which there is an estimate: from kernels for PREDICTED, from the roofline for BOUND."""
    estimate = estimate_of if kind is Kind.PREDICTED else _bound
    return tuple(Pair(point, found) for point in measured() if (found := estimate(point)))


@cache
def calibration(kind: Kind) -> Calibration:
    """Return the calibration on all measured points."""
    return calibrate(pairs(kind), kind)


def seen(among: Sequence[Pair], folds: int = FOLDS) -> Errors:
    """Return the errors of points of measured groups: each fold of the points by a calibration on the others. The folds are drawn by a fixed seed."""
    fold = np.random.default_rng(0).permutation(len(among)) % folds
    errors: dict[Group, list[float]] = {}
    for left_out in range(folds):
        fitted = calibrate([pair for pair, its in zip(among, fold, strict=True) if its != left_out])
        for pair, its in zip(among, fold, strict=True):
            if its == left_out:
                errors.setdefault(pair.group, []).append(fitted.left(pair))
    return errors


def unseen(evidence: Evidence, kind: Kind, hidden: Collection[Group] = ()) -> Errors:
    """Return the errors of groups of which nothing was measured: each by a calibration on the others. Hidden groups count nowhere.

    Where a bound is asked for, nothing was measured of the whole GPU: so there the others are those of other GPUs.
    """
    return {group: evidence.left(group, {*hidden, *alike(group, evidence.groups, kind)}) for group in evidence.groups if group not in hidden}


def alike(group: Group, groups: Collection[Group], kind: Kind) -> list[Group]:
    """Return the groups whose measurements would give a group away."""
    return [other for other in groups if other == group or (kind is Kind.BOUND and other.gpu == group.gpu)]


def _bound(point: Point) -> Expected | None:
    spread = layout(point.parallelism)
    if spread is None or point.stack.model not in models():
        return None
    return Expected(point.stack, spread, point.concurrency, roofline(point.stack, spread, point.concurrency))
