"""Series: points of one configuration in one run, by rising load."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.interpolate import interpolate
from tokenworth.measure.cost.points import Point, Stack


class OutsideLoadError(InputError):
    """A load at which nothing was measured."""

    code = "outside_load"


UNSTATED = "split not stated"
"""Parallelism of servers that work together in a way nobody tells: rows of equal GPU counts need not be one configuration."""

K = TypeVar("K")
P = TypeVar("P")


class Configuration(NamedTuple):
    """What runs where and how it is spread; expert parallelism aside, which sources state unevenly."""

    stack: Stack
    gpus: int
    spread: str


class Run(NamedTuple):
    """One configuration, measured once."""

    configuration: Configuration
    parallelism: str
    version: str
    measured: str


@dataclass(frozen=True, slots=True)
class Load:
    """One series as a function of its load.

    Attributes:
        points: of one configuration in one run, by rising concurrency; at least one.
    """

    points: tuple[Point, ...]

    def throughput_at(self, concurrency: float) -> float:
        """Output tokens/s/GPU with so many requests under way; OutsideLoadError beyond the measured range."""
        low, high = self.points[0].concurrency, self.points[-1].concurrency
        if not low <= concurrency <= high:
            raise OutsideLoadError(f"measured with {low:g} to {high:g} requests under way, not {concurrency:g}", mend="nothing is extrapolated")
        return interpolate([point.concurrency for point in self.points], [point.throughput for point in self.points], concurrency)


def configuration(point: Point) -> Configuration:
    """Return a point's configuration."""
    return Configuration(point.stack, point.gpus, re.sub(r" ep\d+$", "", point.parallelism))


def run(point: Point) -> Run:
    """Return the run that a point belongs to."""
    return Run(configuration(point), point.parallelism, point.version, point.measured)


def unmarked(stack: Stack) -> Stack:
    """Return a stack of which nobody says whether it decodes speculatively."""
    return replace(stack, speculative=None)


def grouped(points: Iterable[P], key: Callable[[P], K]) -> dict[K, list[P]]:
    """Group by a key, in order of first appearance."""
    groups: dict[K, list[P]] = {}
    for point in points:
        groups.setdefault(key(point), []).append(point)
    return groups


def longest_rise(points: Sequence[Point], slack: float) -> list[Point]:
    """Return the most points whose step never gets faster with load, by more than `slack`, nor slower at the same load."""
    ordered = sorted(points, key=lambda p: (p.concurrency, p.tpot))
    best: list[list[Point]] = []
    for point in ordered:
        before = max((chain for chain in best if _follows(chain[-1], point, slack)), key=len, default=[])
        best.append([*before, point])
    return max(best, key=len, default=[])


def _follows(earlier: Point, later: Point, slack: float) -> bool:
    if later.concurrency == earlier.concurrency:
        return later.tpot <= earlier.tpot * (1 + 2 * slack)
    return later.tpot >= earlier.tpot * (1 - slack)
