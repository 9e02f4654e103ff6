"""Which points are asked for, and the frontiers that they make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.frontier import Frontier, Speed, frontier
from tokenworth.measure.cost.gpus import gpu_name
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Point, Stack
from tokenworth.measure.cost.series import grouped


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; empty or None where anything is.

    Attributes:
        models, gpus, engines, precisions: names, as people write them.
        lengths: tokens of prompt and answer.
        speculative: whether with speculative decoding.
    """

    models: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    lengths: tuple[int, int] | None = None
    speculative: bool | None = None

    def has(self, stack: Stack) -> bool:
        """Tell whether a stack is asked for."""
        names = (
            (self.models, stack.model, model_name),
            (self.gpus, stack.gpu, gpu_name),
            (self.engines, stack.engine, str.lower),
            (self.precisions, stack.precision, str.lower),
        )
        return (
            all(not asked or has in {canonical(name) for name in asked} for asked, has, canonical in names)
            and self.lengths in (None, (stack.input_tokens, stack.output_tokens))
            and self.speculative in (None, stack.speculative)
        )


def chosen(points: Iterable[Point], wanted: Wanted) -> list[Point]:
    """Return the points of the stacks that are asked for; InputError where there is none, with what there is."""
    known = list(points)
    found = [point for point in known if wanted.has(point.stack)]
    if not found:
        raise InputError(f"no point was measured {_said(wanted)}", mend=_nearest(known, wanted), code="no_points")
    return found


def frontiers(points: Iterable[Point], speed: Speed = Speed.INTERACTIVITY, *, best: bool = False) -> list[Frontier]:
    """Return a frontier for each stack, or the best for each model, GPU and lengths: over engines, precisions, and speculative decoding or not.

    What was measured, predicted, or is a bound has frontiers of its own.
    """
    groups = grouped(points, lambda point: (_hardware(point.stack) if best else point.stack, point.kind))
    return sorted((frontier(group, speed) for group in groups.values()), key=lambda each: (str(each.stack), each.points[0].kind))


def _hardware(stack: Stack) -> Stack:
    return replace(stack, engine="", precision="", speculative=None)


def _said(wanted: Wanted) -> str:
    parts = [f"of {', '.join(wanted.models)}"] if wanted.models else []
    parts += [f"on {', '.join(wanted.gpus)}"] if wanted.gpus else []
    parts += [f"with {', '.join((*wanted.engines, *wanted.precisions))}"] if wanted.engines or wanted.precisions else []
    parts += [f"at {wanted.lengths[0]}/{wanted.lengths[1]} tokens"] if wanted.lengths else []
    return " ".join(parts) or "at all"


def _nearest(known: Sequence[Point], wanted: Wanted) -> str:
    """Say what there is of the model, or which models there are."""
    of_model = [point.stack for point in known if Wanted(models=wanted.models).has(point.stack)]
    if not of_model:
        return f"measured models are {', '.join(sorted({point.stack.model for point in known}))}"
    of_gpu = [stack for stack in of_model if Wanted(gpus=wanted.gpus).has(stack)] or of_model
    told = sorted({f"{s.gpu} {s.engine} {s.precision or 'precision not told'} {s.input_tokens}/{s.output_tokens}" for s in of_gpu})
    return f"measured are {'; '.join(told[:12])}{' and more' if len(told) > 12 else ''}"
