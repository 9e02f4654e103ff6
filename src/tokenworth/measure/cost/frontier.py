"""Frontiers: the points that no other beats in both speed and throughput, and what lies between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.interpolate import interpolate
from tokenworth.measure.cost.points import Point, Stack


class Speed(StrEnum):
    """What a user's speed is measured by, in output tokens a second."""

    INTERACTIVITY = "interactivity"
    END_TO_END = "end_to_end"

    def of(self, point: Point) -> float:
        """Return a point's speed."""
        return point.interactivity if self is Speed.INTERACTIVITY else point.end_to_end


class OutsideFrontierError(InputError):
    """A speed that was not reached, or below which nothing was measured."""

    code = "outside_frontier"


@dataclass(frozen=True, slots=True)
class Frontier:
    """Points that no other beats in both; made by `frontier`.

    Attributes:
        points: by rising speed, and so by falling throughput; at least one.
        speed: the axis.
    """

    points: tuple[Point, ...]
    speed: Speed = Speed.INTERACTIVITY

    @property
    def stack(self) -> Stack:
        """Return the stack of the points."""
        return self.points[0].stack

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest speed, tokens/s/user."""
        return self.speed.of(self.points[0]), self.speed.of(self.points[-1])

    def covers(self, speed: float) -> bool:
        """Tell whether a speed lies in the range."""
        low, high = self.range
        return low <= speed <= high

    def throughput_at(self, speed: float) -> float:
        """Output tokens/s/GPU at a speed in tokens/s/user; OutsideFrontierError beyond the measured range."""
        low, high = self.range
        if not self.covers(speed):
            raise OutsideFrontierError(
                f"{self.stack.model} on {self.stack.gpu} was measured from {low:.4g} to {high:.4g} tokens/s/user, not at {speed:.4g}",
                mend="ask for a speed inside the range; nothing is extrapolated",
            )
        return interpolate([self.speed.of(point) for point in self.points], [point.throughput for point in self.points], speed)


def frontier(points: Iterable[Point], speed: Speed = Speed.INTERACTIVITY) -> Frontier:
    """Return the frontier of points, of one stack or of several that may stand for each other; InputError where there is none."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (-speed.of(p), -p.throughput)):
        if not best or point.throughput > best[-1].throughput:
            best.append(point)
    if not best:
        raise InputError("no point is left to draw a frontier from", mend="widen what you ask for", code="no_points")
    return Frontier(tuple(reversed(best)), speed)
