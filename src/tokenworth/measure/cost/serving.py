"""GPU-seconds a token from measured points: one stack at one speed, for prompts and answers of several lengths."""

from collections.abc import Iterable
from dataclasses import dataclass

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.estimate import Estimate
from tokenworth.measure.cost.frontier import OutsideFrontierError, frontier
from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.work import Shape, Work, from_shapes

UNTESTED = Estimate(1.0, 1 / 1.3, 1.3)
"""Of two shapes, which two figures explain whatever they are: of fits on three shapes or more, three in four lie inside."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What a stack takes at a speed.

    Attributes:
        engine: what serves.
        precision: of the weights.
        speculative: whether the points are known to be of speculative decoding.
        speed: output tokens a second and user.
        work: GPU-seconds a token.
        throughput: factor on what a GPU makes: 1, and as far to either side as the measured shapes lie off `work`.
        shapes: output tokens a second and GPU that it was fitted on, by tokens of prompt and answer.
    """

    engine: str
    precision: str
    speculative: bool
    speed: float
    work: Work
    throughput: Estimate
    shapes: dict[Shape, float]

    def __str__(self) -> str:
        """Name the stack and what was measured of it."""
        shapes = ", ".join(f"{i}/{o}" for i, o in sorted(self.shapes))
        how = " speculative" if self.speculative else ""
        return f"{self.engine} {self.precision}{how} at {self.speed:g} tokens/s/user, measured at {shapes} tokens in/out"


def servings(points: Iterable[Point], speed: float, *, cached: float) -> list[Serving]:
    """Return what each engine and precision, speculative or not, takes at a speed; those not measured there are left out.

    `points` are of one model on one GPU. InputError `one_shape` where none was measured at that speed with two ratios of lengths or more.
    """
    groups: dict[tuple[str, str, bool], dict[Shape, list[Point]]] = {}
    for point in points:
        stack = point.stack
        shapes = groups.setdefault((stack.engine, stack.precision, bool(stack.speculative)), {})
        shapes.setdefault((stack.input_tokens, stack.output_tokens), []).append(point)
    found = []
    for (engine, precision, speculative), shapes in sorted(groups.items()):
        made = {shape: rate for shape, of_shape in shapes.items() if (rate := _rate(of_shape, speed))}
        if len({i / o for i, o in made}) > 1:
            work, throughput = from_shapes(made, cached=cached)
            found.append(Serving(engine, precision, speculative, speed, work, throughput if len(made) > 2 else UNTESTED, made))
    if not found:
        measured = ", ".join(f"{engine} {precision} with {len(shapes)} shapes" for (engine, precision, _), shapes in sorted(groups.items()))
        raise InputError(
            f"nothing was measured at {speed:g} tokens/s/user with prompts and answers of two ratios of lengths: {measured or 'no points at all'}",
            mend="ask for another speed, model or GPU, or give the rates of prefill and decode",
            code="one_shape",
        )
    return found


def _rate(points: list[Point], speed: float) -> float | None:
    try:
        return frontier(points).throughput_at(speed)
    except OutsideFrontierError:
        return None
