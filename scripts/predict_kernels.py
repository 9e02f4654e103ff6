"""Predict with aiconfigurator, once, what ships as `data/inference/kernel_times.csv.gz`: nothing else waits for the predictor.

Run it after a change of the predictor or of the measured table: `.venv/bin/python scripts/predict_kernels.py`, about half an hour on one core that
it has to itself. It predicts each measured point in its own layout, what `published_full_load.csv` has at rising load, and the frontier of each
measured stack and of a grid of models, GPUs, engines and lengths. Name parts of it (`measured`, `published`, `frontiers`) to make those anew, and
keep the other rows.
"""

import csv
import gzip
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenworth.measure.cost.gpus import gpus
from tokenworth.measure.cost.points import Stack
from tokenworth.measure.cost.predict.kernels import ENGINES, NotPredictedError, times
from tokenworth.measure.cost.predict.layout import layout
from tokenworth.measure.cost.predict.published import published
from tokenworth.measure.cost.predict.shipped import COLUMNS, estimates, plain, row_of, stacks
from tokenworth.measure.cost.predict.sweep import rising, sweep
from tokenworth.measure.cost.predict.times import Expected
from tokenworth.measure.cost.table import measured

FILE = Path(__file__).parent.parent / "src" / "tokenworth" / "data" / "inference" / "kernel_times.csv.gz"
GPUS = ("h100_sxm", "h200_sxm", "b200_sxm", "b300_sxm", "gb200", "gb300", "a100_sxm")
LENGTHS = ((1024, 1024), (8192, 1024), (1024, 8192))
PRECISIONS = {
    "llama-3.1-8b": ("bf16", "fp8", "fp4"),
    "llama-3.1-70b": ("bf16", "fp8", "fp4"),
    "qwen3-32b": ("bf16", "fp8", "fp4"),
    "qwen3-235b-a22b": ("fp8", "fp4"),
    "qwen3.5-397b-a17b": ("fp8", "fp4"),
    "deepseek-r1": ("fp8", "fp4"),
    "kimi-k2.5": ("int4", "fp4"),
    "minimax-m2.5": ("fp8", "fp4"),
    "glm-5": ("fp8", "fp4"),
    "gpt-oss-120b": ("fp4",),
}
"""Precisions in which each model is published."""

ANYWHERE = (("gpt-oss-120b", "fp4"), ("kimi-k2.5", "int4"))
"""4-bit weights that are multiplied in 16 bits where a GPU has no 4-bit arithmetic."""


def grid() -> Iterator[Stack]:
    """Yield the stacks whose frontiers ship beside those of the measured ones."""
    for gpu in GPUS:
        for engine in ENGINES:
            for model, precisions in PRECISIONS.items():
                for precision in precisions:
                    if precision in gpus()[gpu].flops or (model, precision) in ANYWHERE:
                        yield from (Stack(model, gpu, engine, precision, *lengths) for lengths in LENGTHS)


def at_measured_points() -> Iterator[Expected]:
    """Yield the prediction of each measured point whose layout is stated."""
    for point in measured():
        spread = layout(point.parallelism)
        if spread is None:
            continue
        stack = plain(point.stack)
        try:
            yield Expected(stack, spread, point.concurrency, times(stack, spread, point.concurrency))
        except NotPredictedError:
            continue


def at_full_load() -> Iterator[Expected]:
    """Yield the predictions of published stacks and layouts, up to the load that fits."""
    for row in published():
        yield from rising(row.stack, row.layout, times)


def frontiers() -> Iterator[Expected]:
    """Yield the predicted frontiers."""
    wanted = {plain(point.stack) for point in measured()} | set(grid())
    # one GPU and engine after the other: their kernels are read once
    for at, stack in enumerate(sorted(wanted, key=lambda s: (s.gpu, s.engine, s))):
        print(f"\r{at + 1} of {len(wanted)} frontiers  {stack.gpu} {stack.engine} {stack.model}".ljust(100), end="", file=sys.stderr, flush=True)
        yield from sweep(stack, times)


PARTS = {"measured": at_measured_points, "published": at_full_load, "frontiers": frontiers}


def main(names: Sequence[str]) -> None:
    """Make parts anew, all where none is named; the same bytes for the same estimates."""
    kept = [] if not names else [each for stack in stacks() for each in estimates(stack, fitting=False)]
    made = [estimate for name in names or PARTS for estimate in PARTS[name]()]
    rows = {tuple(row_of(estimate))[:8]: row_of(estimate) for estimate in [*kept, *made]}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(sorted(rows.values()))
    FILE.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    print(f"\n{FILE.name}: {len(rows)} rows", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
