"""Throughput at full load that others published, and that no calibration saw: a check from outside."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tokenworth.measure.cost.points import Kind, Stack
from tokenworth.measure.cost.predict import evidence
from tokenworth.measure.cost.predict.layout import Layout, layout
from tokenworth.measure.cost.predict.shipped import estimates

FILE = "published_full_load.csv"


@dataclass(frozen=True, slots=True)
class Published:
    """A stack on a layout, with more requests waiting than it can serve.

    Attributes:
        stack: what runs where.
        layout: how it is spread.
        throughput: output tokens/s/GPU, as published.
        source: where.
    """

    stack: Stack
    layout: Layout
    throughput: float
    source: str

    @property
    def predicted(self) -> float | None:
        """Output tokens/s/GPU at the load that fits and makes most, calibrated; None where no estimate of the layout ships."""
        mine = [estimate for estimate in estimates(self.stack) if estimate.layout == self.layout]
        factors = evidence.calibration(Kind.PREDICTED)
        return max((estimate.point(Kind.PREDICTED, "").throughput * factors.factor(estimate) for estimate in mine), default=None)


@cache
def published() -> Sequence[Published]:
    """Return the shipped rows. Source, date and licence stand in `data/inference/README.md`."""
    text = (files("tokenworth") / "data" / "inference" / FILE).read_text(encoding="utf-8")
    return tuple(_row(row) for row in csv.DictReader(text.splitlines()))


def _row(row: dict[str, str]) -> Published:
    spread = layout(row["parallelism"])
    if spread is None:
        raise ValueError(f"{FILE}: {row['parallelism']!r} is no layout")
    stack = Stack(row["model"], row["gpu"], row["engine"], row["precision"], int(row["input_tokens"]), int(row["output_tokens"]))
    return Published(stack, spread, float(row["output_tokens_s_gpu"]), row["source"])
