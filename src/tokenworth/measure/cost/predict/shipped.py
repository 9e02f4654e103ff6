"""Kernel predictions that ship, made by `scripts/predict_kernels.py`. Source, date and licence stand in `data/inference/README.md`."""

import csv
import gzip
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, replace
from functools import cache
from importlib.resources import files

from tokenworth.measure.cost.points import Point, Stack
from tokenworth.measure.cost.predict.layout import Layout, layout
from tokenworth.measure.cost.predict.times import Expected, Times

FILE = "kernel_times.csv.gz"
COLUMNS = ("model", "gpu", "engine", "precision", "input_tokens", "output_tokens", "parallelism", "concurrency", "ttft_s", "tpot_s", "fits")


@cache
def _estimates() -> Mapping[Stack, Mapping[tuple[Layout, float], Times]]:
    found: dict[Stack, dict[tuple[Layout, float], Times]] = {}
    packed = files("tokenworth") / "data" / "inference" / FILE
    with packed.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            spread = layout(row["parallelism"])
            if spread is None:
                raise ValueError(f"{FILE}: {row['parallelism']!r} is no layout")
            stack = Stack(row["model"], row["gpu"], row["engine"], row["precision"], int(row["input_tokens"]), int(row["output_tokens"]))
            times = Times(float(row["ttft_s"]), float(row["tpot_s"]), row["fits"] == "1")
            found.setdefault(stack, {})[spread, float(row["concurrency"])] = times
    return found


def plain(stack: Stack) -> Stack:
    """Return the stack as kernels see it: without speculative decoding, and in 16 bits where no precision is stated."""
    return replace(stack, precision=stack.precision or "bf16", speculative=None)


def stacks() -> Collection[Stack]:
    """Return the stacks of which estimates ship."""
    return _estimates().keys()


def estimates(stack: Stack, *, fitting: bool = True) -> Sequence[Expected]:
    """Return the shipped estimates of a stack, without those that do not fit into memory unless asked; none where none ship."""
    found = _estimates().get(plain(stack), {})
    return [Expected(stack, spread, load, times) for (spread, load), times in found.items() if times.fits or not fitting]


def estimate_of(point: Point) -> Expected | None:
    """Return the shipped estimate of a measured point's own stack, layout and load; None where there is none."""
    spread = layout(point.parallelism)
    if spread is None:
        return None
    times = _estimates().get(plain(point.stack), {}).get((spread, point.concurrency))
    return Expected(point.stack, spread, point.concurrency, times) if times else None


def row_of(estimate: Expected) -> list[str]:
    """Return an estimate as a row of the file."""
    stack = astuple(estimate.stack)[:6]
    times = (f"{estimate.times.ttft:.5g}", f"{estimate.times.tpot:.5g}", str(int(estimate.times.fits)))
    return [*map(str, stack), str(estimate.layout), f"{estimate.concurrency:g}", *times]
