"""What a benchmark's file says of a point, and what must be said beside it."""

from dataclasses import dataclass, fields, replace

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.gpus import gpu_name
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Kind, Point, Stack


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of the machine and the load; None where they say nothing. What a person says goes before what a file says."""

    model: str | None = None
    gpu: str | None = None
    gpus: int | None = None
    engine: str | None = None
    precision: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    speculative: bool | None = None
    parallelism: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A point as far as a file tells it; None where it does not.

    Attributes:
        where: the file, and the place in it.
        said: stack and machine.
        concurrency: requests under way; found by Little's law where a file has none.
        ttft: mean seconds to the first token.
        tpot: mean seconds between the tokens after it.
        output_rate: output tokens/s of all GPUs together.
        measured: ISO date.
        version: of the engine.
    """

    where: str
    said: Given
    concurrency: float | None
    ttft: float | None
    tpot: float | None
    output_rate: float | None
    measured: str = ""
    version: str = ""


NEEDED = ("model", "gpu", "gpus", "engine", "input_tokens", "output_tokens")
FIGURES = {"ttft": "the time to the first token", "tpot": "the time between tokens", "output_rate": "output tokens a second"}


def finish(draft: Draft, given: Given) -> Point:
    """Return the point; InputError names all that is missing, and the option that says it."""
    said = replace(draft.said, **{each.name: value for each in fields(given) if (value := getattr(given, each.name)) is not None})
    draft = replace(draft, said=said)
    _need(draft)
    stack = Stack(
        model=model_name(said.model or ""),
        gpu=gpu_name(said.gpu or ""),
        engine=said.engine or "",
        precision=said.precision or "",
        input_tokens=said.input_tokens or 0,
        output_tokens=said.output_tokens or 0,
        speculative=said.speculative,
    )
    gpus, ttft, tpot, rate = said.gpus or 0, draft.ttft or 0.0, draft.tpot or 0.0, draft.output_rate or 0.0
    return Point(
        stack=stack,
        gpus=gpus,
        parallelism=said.parallelism or f"{gpus} GPUs",
        concurrency=draft.concurrency or rate / stack.output_tokens * (ttft + tpot * (stack.output_tokens - 1)),
        ttft=ttft,
        tpot=tpot,
        interactivity=1 / tpot,
        throughput=rate / gpus,
        kind=Kind.MEASURED,
        source=draft.where,
        measured=draft.measured,
        version=draft.version,
    )


def _need(draft: Draft) -> None:
    missing = [f"--{name.replace('_', '-')}" for name in NEEDED if not getattr(draft.said, name)]
    absent = [what for name, what in FIGURES.items() if not getattr(draft, name)]
    if absent:
        raise InputError(
            f"{draft.where} does not tell {' and '.join(absent)}",
            mend="measure again with answers streamed, so that the tool can time single tokens",
            code="bad_benchmark",
        )
    if missing:
        what = ", ".join(option.removeprefix("--").replace("-", " ") for option in missing)
        raise InputError(f"{draft.where} does not tell: {what}", mend=f"say it with {' '.join(missing)}", code="bad_benchmark")
