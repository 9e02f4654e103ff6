"""One generation of GPUs against the next: what a token costs at equal speed."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tokenworth.measure.cost.estimate import Estimate
from tokenworth.measure.cost.frontier import Frontier, Speed, frontier
from tokenworth.measure.cost.points import Kind, Point
from tokenworth.measure.cost.series import grouped

SECONDS = 3600
"""Of a GPU-hour."""

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Release:
    """A GPU's place among the generations: architecture, and year and month in which it was announced."""

    gpu: str
    architecture: str
    announced: str


@dataclass(frozen=True, slots=True)
class Generation:
    """What a GPU makes of a model, and what an hour of it costs.

    Attributes:
        gpu: its canonical name.
        frontier: the best of what was measured, or predicted, of all engines and precisions.
        hour: dollars a GPU-hour.
    """

    gpu: str
    frontier: Frontier
    hour: Estimate

    def cost_at(self, speed: float) -> Estimate:
        """Dollars a million output tokens, their prompts included, all GPUs at work; OutsideFrontierError beyond the frontier."""
        return self.hour * (MILLION / SECONDS / self.frontier.throughput_at(speed))


def generations(points: Iterable[Point], hours: Mapping[str, Estimate], speed: Speed = Speed.INTERACTIVITY) -> list[Generation]:
    """Return the generations of points of one model and lengths, the oldest first; GPUs without a price are left out.

    What was measured of a GPU goes before what is predicted of it, and that before a bound.
    """
    by_gpu = {gpu: best_known(group) for gpu, group in grouped(points, lambda point: point.stack.gpu).items()}
    return [Generation(gpu, frontier(by_gpu[gpu], speed), hours[gpu]) for gpu in in_order(by_gpu) if gpu in hours]


def best_known(points: Sequence[Point]) -> list[Point]:
    """Return the points of the kind that is known best."""
    kinds = {point.kind for point in points}
    best = next(kind for kind in Kind if kind in kinds)
    return [point for point in points if point.kind is best]


def in_order(gpus: Iterable[str]) -> list[str]:
    """Return GPUs by the date on which they were announced; of whom it is not known, last."""
    dates = {release.gpu: release.announced for release in releases()}
    return sorted(gpus, key=lambda gpu: (dates.get(gpu, "9999"), gpu))


@cache
def releases() -> Sequence[Release]:
    """Return when GPUs were announced; sources stand in `data/inference/gpu_generations.csv`."""
    text = (files("tokenworth") / "data" / "inference" / "gpu_generations.csv").read_text(encoding="utf-8")
    return tuple(Release(row["gpu"], row["architecture"], row["announced"]) for row in csv.DictReader(text.splitlines()))
