"""What measurements say of a prediction: by how much it is off, as a function of the stack, its layout and its load.

The model, of the logarithm y of measured over predicted throughput at a point with features x, in two steps of ridge regression (Hoerl and
Kennedy 1970):

    common   y = a . x + rest          over all groups, each weighing the same; of x a part, see COLUMNS
    own      rest = b . x + noise      for each group that was measured, drawn to b = 0

A group is the points of one model, GPU, engine and precision, whatever their lengths. One that nobody measured has the common part alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenworth.measure.cost.points import Kind, Point, Stack
from tokenworth.measure.cost.predict.shipped import plain
from tokenworth.measure.cost.predict.times import Expected
from tokenworth.measure.cost.series import grouped

FEATURES = ("one", "load", "input", "output", "gpus", "data", "experts", "speculative")
"""What an error may depend on. Each moves by about one over the measurements."""

COLUMNS = {
    Kind.PREDICTED: ("one", "speculative"),
    Kind.BOUND: FEATURES,
}
"""Features of the common part. Kernels know what load, lengths and layout do; a roofline does not."""

HELD = 1.0
"""How many points' worth of evidence holds each of a group's own coefficients at 0. Errors change by a twentieth between a third and three of it."""


class Group(NamedTuple):
    """What one calibration holds for, whatever the lengths."""

    model: str
    gpu: str
    engine: str
    precision: str


def group_of(stack: Stack) -> Group:
    """Return a stack's group."""
    return Group(stack.model, stack.gpu, stack.engine, plain(stack).precision)


@dataclass(frozen=True)
class Pair:
    """A measured point and the estimate of its stack, layout and load, made without it."""

    measured: Point
    estimate: Expected

    @cached_property
    def off(self) -> float:
        """Logarithm of measured over estimated throughput."""
        return log(self.measured.throughput / self.estimate.point(Kind.PREDICTED, "").throughput)

    @cached_property
    def features(self) -> NDArray[np.float64]:
        """Of the estimate."""
        return features(self.estimate)

    @cached_property
    def group(self) -> Group:
        """Of the measured point."""
        return group_of(self.measured.stack)


def features(estimate: Expected) -> NDArray[np.float64]:
    """Return FEATURES of an estimate."""
    stack, layout = estimate.stack, estimate.layout
    return np.array(
        [
            1.0,
            log(estimate.concurrency / layout.gpus / 8) / 2,
            log(stack.input_tokens / 1024) / 1.5,
            log(stack.output_tokens / 1024) / 1.5,
            log(layout.gpus / 4),
            layout.data > 1,
            layout.experts > 1,
            stack.speculative is True,
        ],
        dtype=float,
    )


@dataclass(frozen=True)
class Fit:
    """Coefficients of FEATURES, and the lowest and highest of each that they were fitted on: beyond, the error is taken to be that of the edge."""

    coefficients: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def at(self, where: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is fitted at features, a row each."""
        fitted: NDArray[np.float64] = np.clip(where, self.low, self.high) @ self.coefficients
        return fitted


@dataclass(frozen=True)
class Calibration:
    """Made by `calibrate`.

    Attributes:
        common: of all groups.
        own: what a group's own add to it, by group and whether it decodes speculatively.
    """

    common: Fit
    own: Mapping[tuple[Group, bool], Fit]

    def knows(self, stack: Stack) -> bool:
        """Tell whether points of the stack's group were measured."""
        return _own_key(stack) in self.own

    def without_own(self) -> "Calibration":
        """Return the common part alone, as for a group that nobody measured."""
        return Calibration(self.common, {})

    def factor(self, estimate: Expected) -> float:
        """Return what an estimate's throughput is multiplied by."""
        return exp(self._log_factor(estimate.stack, features(estimate)))

    def left(self, pair: Pair) -> float:
        """Logarithm of measured over calibrated throughput."""
        return pair.off - self._log_factor(pair.measured.stack, pair.features)

    def _log_factor(self, stack: Stack, at: NDArray[np.float64]) -> float:
        own = self.own.get(_own_key(stack))
        return float(self.common.at(at) + (own.at(at) if own else 0.0))


class Evidence:
    """Each group's points, and their normal equations, so that leaving groups out costs no second look at the points."""

    def __init__(self, pairs: Sequence[Pair], kind: Kind) -> None:
        """Sum up pairs for an estimate of a kind."""
        self._columns = [FEATURES.index(name) for name in COLUMNS[kind]]
        self._points = {group: _arrays(members) for group, members in grouped(pairs, lambda pair: pair.group).items()}
        self._normal = {group: (x.T @ x / len(x), x.T @ off / len(x)) for group, (x, off) in self._points.items()}

    @property
    def groups(self) -> Collection[Group]:
        """Groups with points."""
        return self._points.keys()

    def common(self, without: Collection[Group] = ()) -> Fit:
        """Return the common part, fitted without some groups."""
        used = [group for group in self._points if group not in without]
        matrix = np.sum([self._normal[group][0] for group in used], axis=0)[np.ix_(self._columns, self._columns)]
        target = np.sum([self._normal[group][1] for group in used], axis=0)[self._columns]
        found = np.zeros(len(FEATURES))
        # a trace of weight keeps the system solvable where nothing speaks of a feature
        found[self._columns] = np.linalg.solve(matrix + 1e-6 * np.eye(len(self._columns)), target)
        low, high = (edge([edge(self._points[group][0], axis=0) for group in used], axis=0) for edge in (np.min, np.max))
        return Fit(found, low, high)

    def left(self, group: Group, without: Collection[Group]) -> NDArray[np.float64]:
        """Logarithms of measured over calibrated throughput of a group's points, calibrated without some groups."""
        design, off = self._points[group]
        return off - self.common(without).at(design)


def calibrate(pairs: Sequence[Pair], kind: Kind = Kind.PREDICTED) -> Calibration:
    """Fit a calibration to measured points and their estimates of one kind; at least one."""
    common = Evidence(pairs, kind).common()
    members = grouped(pairs, lambda pair: _own_key(pair.measured.stack))
    return Calibration(common, {key: _own(points, common) for key, points in members.items()})


def _arrays(pairs: Sequence[Pair]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array([pair.features for pair in pairs]), np.array([pair.off for pair in pairs])


def _own(pairs: Sequence[Pair], common: Fit) -> Fit:
    design, off = _arrays(pairs)
    found = np.linalg.solve(design.T @ design + HELD * np.eye(design.shape[1]), design.T @ (off - common.at(design)))
    return Fit(np.asarray(found, dtype=np.float64), design.min(axis=0), design.max(axis=0))


def _own_key(stack: Stack) -> tuple[Group, bool]:
    return group_of(stack), stack.speculative is True
