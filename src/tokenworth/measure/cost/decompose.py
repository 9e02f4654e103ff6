"""Why a token became cheaper: the fall from one GPU to another, step by step.

One thing changes at a time, in this order, and each step is the ratio of two measured frontiers at the same speed:

    silicon      the old GPU -> the new one, at the old precision, with the old engine as of an early date
    precision    the old precision of the weights -> the new one, with that engine as of that date
    engine       that engine -> the best of all, and all that was measured since, without speculative decoding
    speculative  without speculative decoding -> with it, if anybody measured with it
    price        dollars an hour of the old GPU -> of the new one

The steps telescope: their product is the whole fall, exactly. Another order would share it out differently, but not all states exist: there is
no FP4 on Hopper. Where a state between two steps was not measured at that speed, the two are one step, and say so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.estimate import Estimate
from tokenworth.measure.cost.frontier import frontier
from tokenworth.measure.cost.points import Point, Stack


class NotMeasuredError(InputError):
    """A GPU that was not measured at a speed without speculative decoding, so that nothing can be told apart."""

    code = "not_measured"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the fall.

    Attributes:
        causes: what changed: one of silicon, precision, engine, speculative, price; several where they cannot be told apart.
        factor: cost after it over cost before it.
        share: of the whole fall, in logarithms; the shares sum to 1.
        made: output tokens/s/GPU after it.
        stacks: whose points lie around the speed after it.
    """

    causes: tuple[str, ...]
    factor: float
    share: float
    made: float
    stacks: tuple[Stack, ...]

    @property
    def unmarked(self) -> bool:
        """Whether points were used that do not tell whether decoding was speculative."""
        return any(stack.speculative is None for stack in self.stacks)


@dataclass(frozen=True, slots=True)
class Fall:
    """The whole fall.

    Attributes:
        speed: output tokens/s/user at which it is told.
        early: ISO date up to which engines are the old ones.
        before: output tokens/s/GPU of the old GPU.
        cost: dollars a million output tokens, before and after.
        steps: in order.
    """

    speed: float
    early: str
    before: float
    cost: tuple[float, float]
    steps: tuple[Step, ...]

    @property
    def factor(self) -> float:
        """Cost after over cost before."""
        return self.cost[1] / self.cost[0]


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars a GPU-hour of the old GPU and of the new one."""

    old: Estimate
    new: Estimate


class _State(NamedTuple):
    """What points of one state make at the speed."""

    made: float
    stacks: tuple[Stack, ...]


def decompose(points: Sequence[Point], gpus: tuple[str, str], speed: float, prices: Prices) -> Fall:
    """Return the fall from the first GPU to the second, of points of one model and lengths; NotMeasuredError where either end was not."""
    (early, states), old_hour, new_hour = _states(points, gpus, speed), prices.old.value, prices.new.value
    start, end = states[0][1], states[-1][1]
    if start is None or end is None:
        missing = gpus[0] if start is None else gpus[1]
        raise NotMeasuredError(f"{missing} was not measured at {speed:g} tokens/s/user", mend="ask for another speed, or another GPU")
    per_hour = 1_000_000 / 3600
    cost = (old_hour * per_hour / start.made, new_hour * per_hour / end.made)
    steps = _steps(states, log(cost[1] / cost[0]))
    price = new_hour / old_hour
    last = Step(("price",), price, log(price) / log(cost[1] / cost[0]), end.made, end.stacks)
    return Fall(speed, early, start.made, cost, (*steps, last))


def _steps(states: Sequence[tuple[str, _State | None]], whole: float) -> list[Step]:
    steps: list[Step] = []
    waiting: list[str] = []
    before = states[0][1].made if states[0][1] else 0.0
    for cause, state in states[1:]:
        waiting.append(cause)
        if state is not None:
            factor = before / state.made
            steps.append(Step(tuple(waiting), factor, log(factor) / whole, state.made, state.stacks))
            waiting, before = [], state.made
    return steps


def _states(points: Sequence[Point], gpus: tuple[str, str], speed: float) -> tuple[str, list[tuple[str, _State | None]]]:
    """Return the early date and the states of the path: of the dates at which most states were measured, the first."""
    dates = sorted({point.measured for point in points if point.measured and point.stack.gpu in gpus}) or [""]
    paths = [(early, _path(points, gpus, speed, early)) for early in dates]
    return max(paths, key=lambda path: (path[1][0][1] is not None, sum(state is not None for _, state in path[1])))


def _path(points: Sequence[Point], gpus: tuple[str, str], speed: float, early: str) -> list[tuple[str, _State | None]]:
    old, new = ([point for point in points if point.stack.gpu == gpu] for gpu in gpus)
    first, first_new = ([point for point in side if _is_early(point, early)] for side in (old, new))
    engine, before = _best(first, speed)
    _, after = _best(new, speed)
    path = [("start", _state(_with(first, engine), before, speed)), ("silicon", _state(_with(first_new, engine), before, speed))]
    if before != after:
        path.append(("precision", _state(_with(first_new, engine), after, speed)))
    late = [point.stack.speculative for point in new if not _is_early(point, early) and point.stack.precision == after]
    plain = [*first_new, *(point for point in new if point.stack.speculative is False)]
    if True not in late and None not in late:
        return [*path, ("engine", _state(plain, after, speed))]
    # where nothing tells late points without speculative decoding from those with it, the two are one step
    return [*path, ("engine", _state(plain, after, speed) if False in late else None), ("speculative", _state(new, after, speed))]


def _is_early(point: Point, early: str) -> bool:
    dated = point.measured <= early and bool(point.measured) if early else True
    return dated and not point.stack.speculative


def _with(points: Iterable[Point], engine: str) -> list[Point]:
    return [point for point in points if point.stack.engine == engine]


def _best(points: Sequence[Point], speed: float) -> tuple[str, str]:
    """Return the engine and precision that make most at the speed; empty where none covers it."""
    pairs = sorted({(point.stack.engine, point.stack.precision) for point in points})
    made = {pair: state.made for pair in pairs if (state := _state(_with(points, pair[0]), pair[1], speed))}
    return max(made, key=lambda pair: made[pair], default=("", ""))


def _state(points: Iterable[Point], precision: str, speed: float) -> _State | None:
    kept = [point for point in points if point.stack.precision == precision]
    if not kept or not (whole := frontier(kept)).covers(speed):
        return None
    above = next(at for at, point in enumerate(whole.points) if point.interactivity >= speed)
    around = whole.points[max(0, above - 1) : above + 1]
    return _State(whole.throughput_at(speed), tuple(dict.fromkeys(point.stack for point in around)))
