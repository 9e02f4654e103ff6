"""A figure with the interval that it may lie in, and what moves a result that is made of several."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tokenworth.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Estimate:
    """A positive figure, with the ends of the interval that holds it about four times in five."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse ends that do not hold the figure."""
        if not (0 <= self.low <= self.value <= self.high and math.isfinite(self.high)):
            raise InputError(
                f"{self.value:g} does not lie between {self.low:g} and {self.high:g}",
                mend="give a figure of zero or more, and a low and a high end that hold it",
                code="bad_interval",
            )

    def __mul__(self, factor: float) -> "Estimate":
        """Scale a figure and its interval by a number that is known."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    @property
    def known(self) -> bool:
        """Whether it has no width."""
        return self.low == self.high


def known(value: float) -> Estimate:
    """Return a figure without an interval."""
    return Estimate(value, value, value)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the quantile of at least one value, linear between neighbours (the definition 7 of Hyndman and Fan 1996)."""
    ranked = sorted(values)
    at = share * (len(ranked) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (at - below) * (ranked[above] - ranked[below])


@dataclass(frozen=True, slots=True)
class Moved:
    """What an input does to a result: the result's factors at the low and at the high end of that input alone."""

    name: str
    low: float
    high: float

    @property
    def swing(self) -> float:
        """How far apart the two are, as a ratio; 1 where the input moves nothing."""
        ends = (self.low, self.high, 1.0)
        return max(ends) / min(ends) if min(ends) > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Result:
    """What a function of uncertain inputs came to, and what each input moves, the most first."""

    estimate: Estimate
    moved: tuple[Moved, ...]


def combine(function: Callable[[Mapping[str, float]], Mapping[str, float]], inputs: Mapping[str, Estimate]) -> dict[str, Result]:
    """Return each figure of a function of independent inputs with its interval.

    Each input goes to its two ends alone; logarithms of the figure's factors are added in quadrature, upwards and downwards apart. That is exact
    for a product of lognormal inputs, and of the first order else.
    """
    middle = {name: one.value for name, one in inputs.items()}
    values = function(middle)
    ends = {name: (function(middle | {name: one.low}), function(middle | {name: one.high})) for name, one in inputs.items() if not one.known}
    return {figure: _result(value, {name: (low[figure], high[figure]) for name, (low, high) in ends.items()}) for figure, value in values.items()}


def _result(value: float, ends: Mapping[str, tuple[float, float]]) -> Result:
    if not value:
        return Result(known(0.0), ())
    moved = sorted((Moved(name, low / value, high / value) for name, (low, high) in ends.items()), key=lambda each: -each.swing)
    down = _quadrature([min(each.low, each.high, 1.0) for each in moved])
    up = _quadrature([max(each.low, each.high, 1.0) for each in moved])
    return Result(Estimate(value, value / down, value * up), tuple(each for each in moved if each.swing > 1))


def _quadrature(factors: Sequence[float]) -> float:
    """Return the factor, at least one, that independent factors of one direction come to."""
    if not all(factors):
        return math.inf
    return math.exp(math.sqrt(sum(math.log(factor) ** 2 for factor in factors)))
