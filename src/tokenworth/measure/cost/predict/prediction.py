"""The frontier of a stack that nobody measured, with the band in which its true one is expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.frontier import Frontier, Speed, frontier
from tokenworth.measure.cost.points import Kind, Point, Stack
from tokenworth.measure.cost.predict import evidence, kernels, shipped
from tokenworth.measure.cost.predict.bands import LEVEL, Band, band
from tokenworth.measure.cost.predict.calibration import Evidence, group_of
from tokenworth.measure.cost.predict.roofline import roofline
from tokenworth.measure.cost.predict.sweep import sweep
from tokenworth.measure.cost.predict.times import Expected, faster


@dataclass(frozen=True, slots=True)
class Throughput:
    """Output tokens/s/GPU at a speed.

    Attributes:
        low: lower edge of the band; 0 where its frontier does not reach the speed.
        likely: None where the speed is outside the predicted frontier.
        high: upper edge.
    """

    low: float
    likely: float | None
    high: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """Made by `predict`.

    Attributes:
        stack: what was asked for.
        kind: PREDICTED from measured kernels, or BOUND by the roofline.
        points: calibrated, on the frontier, by rising speed.
        band: factors on the points' speed and throughput.
        basis: what the calibration and the band rest on, in words.
    """

    stack: Stack
    kind: Kind
    points: Sequence[Point]
    band: Band
    basis: str

    def frontier(self, speed: Speed = Speed.INTERACTIVITY, factor: float = 1.0) -> Frontier:
        """Return the frontier, or that of the band's edge where `factor` is `band.low` or `band.high`: all times are longer or shorter."""
        return frontier((faster(point, factor) for point in self.points), speed)

    def at(self, asked: float, speed: Speed = Speed.INTERACTIVITY) -> Throughput:
        """Return throughput at a speed in tokens/s/user. The band's edges are the frontiers of all times longer or shorter."""
        likely = self.frontier(speed)
        low, high = (most(self.frontier(speed, factor), asked) for factor in (self.band.low, self.band.high))
        return Throughput(low, likely.throughput_at(asked) if likely.covers(asked) else None, high)


def most(whole: Frontier, speed: float) -> float:
    """Return the most throughput at a speed or a higher one, output tokens/s/GPU; 0 where no point is as fast."""
    low, high = whole.range
    return whole.throughput_at(max(speed, low)) if speed <= high else 0.0


def predict(stack: Stack, *, level: float = LEVEL, kind: Kind | None = None) -> Prediction:
    """Predict the frontier of a stack, from kernels where they are known and else, or where BOUND is asked for, from the roofline.

    Raises:
        InputError: the model fits no layout, its size is not known, or speculative decoding is asked of a roofline.
        TokenworthError: the prediction does not ship, and the extra `predict` is not installed.
    """
    found = [] if kind is Kind.BOUND else _from_kernels(stack)
    if found:
        return _calibrated(stack, Kind.PREDICTED, found, level)
    if kind is Kind.PREDICTED:
        raise kernels.NotPredictedError(
            f"no kernels of {stack.engine} on {stack.gpu} serve {stack.model} in {stack.precision}", mend="ask for a bound"
        )
    bounded = sweep(stack, roofline)
    if not bounded:
        raise InputError(
            f"{stack.model} in {stack.precision} fits on no deployment of up to 8 {stack.gpu}", mend="ask for a lower precision", code="too_large"
        )
    return _calibrated(stack, Kind.BOUND, bounded, level)


def _from_kernels(stack: Stack) -> Sequence[Expected]:
    if stack.gpu not in kernels.GPUS or stack.engine not in kernels.ENGINES:
        return ()
    return shipped.estimates(stack) or sweep(stack, kernels.times)


def _calibrated(stack: Stack, kind: Kind, estimates: Sequence[Expected], level: float) -> Prediction:
    fitted = evidence.calibration(kind)
    # a bound stands for what nobody measured, whatever is known of the group
    own = kind is Kind.PREDICTED and fitted.knows(stack)
    source = f"aiconfigurator {kernels.VERSION}, calibrated" if kind is Kind.PREDICTED else "roofline x fitted efficiency"
    factors = fitted if own else fitted.without_own()
    points = frontier(faster(estimate.point(kind, source), factors.factor(estimate)) for estimate in estimates).points
    return Prediction(stack, kind, points, _band(kind, own, level), _basis(stack, kind, own))


@cache
def _band(kind: Kind, own: bool, level: float) -> Band:
    among = evidence.pairs(kind)
    errors = evidence.seen(among) if own else evidence.unseen(Evidence(among, kind), kind)
    return band(errors.values(), level, new=not own)


def _basis(stack: Stack, kind: Kind, own: bool) -> str:
    among = evidence.pairs(kind)
    if own:
        mine = sum(pair.group == group_of(stack) for pair in among)
        return f"calibrated on {mine} measured points of this model, GPU, engine and precision; band from points left out"
    groups = {pair.group for pair in among}
    if kind is Kind.PREDICTED:
        return f"nothing measured of this model, GPU, engine and precision; calibrated on {len(groups)} others; band from others left out"
    gpus = sorted({group.gpu for group in groups})
    return f"no kernels known; efficiency fitted on {len(among)} points of {', '.join(gpus)}; band from GPUs left out"
