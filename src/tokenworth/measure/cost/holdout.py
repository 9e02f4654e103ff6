"""How far frontiers can be trusted: measured points left out, and asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations
from math import log

import numpy as np

from tokenworth.measure.cost.frontier import Frontier, OutsideFrontierError, Speed, frontier
from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.series import UNSTATED, Load, grouped, run


@dataclass(frozen=True, slots=True)
class Errors:
    """Relative errors of points that were left out.

    Attributes:
        points: how many were left out, one at a time.
        median: of the absolute relative errors of throughput.
        ninth_decile: of the same.
    """

    points: int
    median: float
    ninth_decile: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """How often the faster of two GPUs was told.

    Attributes:
        pairs: of two GPUs at a model, engine, precision, lengths and speed.
        right: those in which the one was predicted to make more that was measured to.
    """

    pairs: int
    right: int

    @property
    def share(self) -> float:
        """Right ones over all."""
        return self.right / self.pairs


def loads_left_out(points: Iterable[Point]) -> Errors:
    """Leave each inner load of each series out, and interpolate its throughput from the others."""
    errors = []
    for series in grouped(points, lambda point: (run(point), point.stack)).values():
        known = _rising(series)
        for at in range(1, len(known) - 1):
            predicted = Load(tuple(known[:at] + known[at + 1 :])).throughput_at(known[at].concurrency)
            errors.append(abs(predicted / known[at].throughput - 1))
    return _errors(errors)


def speeds_left_out(points: Iterable[Point], speed: Speed = Speed.INTERACTIVITY) -> Errors:
    """Leave each inner point of each stack's frontier out, and ask the rest for the throughput at its speed."""
    errors = []
    for stack in grouped(points, lambda point: point.stack).values():
        whole = frontier(stack, speed)
        for at in range(1, len(whole.points) - 1):
            left_out = whole.points[at]
            errors.append(abs(_without(whole, at).throughput_at(speed.of(left_out)) / left_out.throughput - 1))
    return _errors(errors)


def rankings_left_out(points: Iterable[Point], speed: Speed = Speed.INTERACTIVITY) -> Ranking:
    """Tell which of two GPUs makes more, without the measurements that say it.

    For each two GPUs that were measured with one model, engine, precision, lengths and speculative decoding, and each inner point of the one's
    frontier: the truth is that point against the other's whole frontier at its speed. The prediction has neither that point nor the other's nearest.
    """
    frontiers = [frontier(stack, speed) for stack in grouped(points, lambda point: point.stack).values()]
    told = [
        right
        for rivals in grouped(frontiers, lambda whole: replace(whole.stack, gpu="")).values()
        for one, other in permutations(rivals, 2)
        for right in _told(one, other)
    ]
    return Ranking(len(told), sum(told))


def _told(one: Frontier, other: Frontier) -> Iterator[bool]:
    for at in range(1, len(one.points) - 1):
        asked = one.speed.of(one.points[at])
        nearest = min(range(len(other.points)), key=lambda k: abs(log(other.speed.of(other.points[k]) / asked)))
        try:
            truth = one.points[at].throughput > other.throughput_at(asked)
            yield truth == (_without(one, at).throughput_at(asked) > _without(other, nearest).throughput_at(asked))
        except OutsideFrontierError:
            continue


def _without(whole: Frontier, at: int) -> Frontier:
    return Frontier(whole.points[:at] + whole.points[at + 1 :], whole.speed)


def _rising(series: Sequence[Point]) -> list[Point]:
    if series[0].parallelism == UNSTATED:
        return []
    ordered = sorted(series, key=lambda point: point.concurrency)
    return ordered[:1] + [later for earlier, later in pairwise(ordered) if later.concurrency > earlier.concurrency]


def _errors(errors: Sequence[float]) -> Errors:
    return Errors(len(errors), float(np.median(errors)), float(np.quantile(errors, 0.9)))
