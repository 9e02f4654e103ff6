"""Watts of a GPU that serves: as its maker rates it, and as it was measured. Source, date and licence stand in `data/inference/README.md`."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log
from statistics import median

from tokenworth.measure.cost.gpus import gpu_named
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Point

FILE = "measured_power.csv"


@dataclass(frozen=True, slots=True)
class Draw:
    """What the GPUs of one run drew, by their own meters.

    Attributes:
        model: canonical name.
        gpu: canonical name.
        requests: under way, a GPU.
        tokens: output tokens/s, a GPU.
        watts: mean, a GPU.
        joules: an output token, as published.
    """

    model: str
    gpu: str
    requests: float
    tokens: float
    watts: float
    joules: float


@dataclass(frozen=True, slots=True)
class Watts:
    """Watts a GPU, and how they are known."""

    watts: float
    basis: str


@cache
def draws() -> Sequence[Draw]:
    """Return the shipped measurements of power."""
    text = (files("tokenworth") / "data" / "inference" / FILE).read_text(encoding="utf-8")
    return tuple(_draw(row) for row in csv.DictReader(text.splitlines()))


def measured_watts(point: Point) -> Watts | None:
    """Return what the point's GPU drew with the same model at the nearest load, else with any, in the middle; None where nobody measured it."""
    of_gpu = [draw for draw in draws() if draw.gpu == point.stack.gpu]
    if not of_gpu:
        return None
    of_model = [draw for draw in of_gpu if draw.model == point.stack.model]
    if not of_model:
        return Watts(median(draw.watts for draw in of_gpu), f"median of {len(of_gpu)} runs with other models")
    load = point.concurrency / point.gpus
    nearest = min(of_model, key=lambda draw: abs(log(draw.requests / load)))
    return Watts(nearest.watts, f"same model at {nearest.requests:.0f} requests a GPU")


def _draw(row: Mapping[str, str]) -> Draw:
    gpus = int(row["gpus"])
    return Draw(
        model=model_name(row["model"]),
        gpu=gpu_named(row["gpu"]).name,
        requests=float(row["mean_requests"]) / gpus,
        tokens=float(row["output_tokens_s"]) / gpus,
        watts=float(row["watts"]) / gpus,
        joules=float(row["joules_output_token"]),
    )
