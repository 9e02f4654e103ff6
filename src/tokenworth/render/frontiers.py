"""Frontiers and screened tables, for people and as data."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from math import exp, log
from typing import Any

from rich.console import Console

from tokenworth.measure.cost.frontier import Frontier, Speed
from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.screening import RULES, Screened, Verdict
from tokenworth.measure.cost.series import grouped
from tokenworth.measure.cost.table import FILE
from tokenworth.render.charts import curves
from tokenworth.render.tables import Column, print_table

SAID = {None: "not told", True: "yes", False: "no"}
"""Whether decoding was speculative."""
STEPS = 60
"""Points of a drawn curve."""

STACK = [Column("model"), Column("GPU"), Column("engine"), Column("precision"), Column("in/out", number=True), Column("speculative"), Column("kind")]
NAMES = {Speed.INTERACTIVITY: "tokens/s/user", Speed.END_TO_END: "tokens/s/user end to end"}


def print_frontiers(found: Sequence[Frontier], speeds: Sequence[float], console: Console) -> None:
    """Print a row a frontier: its range, and output tokens/s/GPU at speeds."""
    unit = NAMES[found[0].speed]
    columns = [*STACK, Column("points", number=True), Column(unit, number=True), *(Column(f"at {speed:g}", number=True) for speed in speeds)]
    rows = [[*_stack(each), str(len(each.points)), _range(each), *(_made(each, speed) for speed in speeds)] for each in found]
    print_table(f"Output tokens/s/GPU at {unit}", columns, rows, console=console)


def print_points(frontier: Frontier, console: Console) -> None:
    """Print the points of a frontier, each with its source."""
    columns = ["tokens/s/user", "end to end", "tokens/s/GPU", "TTFT s", "TPOT ms", "under way", "GPUs"]
    titles = [*(Column(title, number=True) for title in columns), Column("parallelism"), Column("kind"), Column("measured"), Column("source")]
    title = " ".join(part for part in _stack(frontier)[:5] if part)
    print_table(title, titles, [_point(point) for point in frontier.points], console=console)


def print_models(points: Sequence[Point], console: Console) -> None:
    """Print what was measured, a row a model."""
    columns = [Column("model"), Column("points", number=True), Column("stacks", number=True), Column("GPUs"), Column("engines"), Column("measured")]
    rows = []
    for model, of_model in sorted(grouped(points, lambda point: point.stack.model).items()):
        stacks = {point.stack for point in of_model}
        dates = sorted({point.measured for point in of_model if point.measured}) or ["not told"]
        gpus, engines = ({getattr(stack, name) for stack in stacks} for name in ("gpu", "engine"))
        span = " to ".join(dict.fromkeys([dates[0], dates[-1]]))
        rows.append([model, str(len(of_model)), str(len(stacks)), ", ".join(sorted(gpus)), ", ".join(sorted(engines)), span])
    print_table("Measured points", columns, rows, console=console)


def print_verdicts(table: Screened, verdicts: Sequence[Verdict], console: Console) -> None:
    """Print what screens dropped, or mended: how many by rule, what each rule says, then each row."""
    counts = Counter(verdict.rule for verdict in verdicts)
    columns = [Column("rule"), Column("rows", number=True), Column("what it says")]
    print_table(
        f"{len(table.points)} points count",
        columns,
        [[rule, str(counts[rule]), text] for rule, text in RULES.items() if counts[rule]],
        console=console,
    )
    rows = [[verdict.rule, _row(verdict.source), verdict.reason] for verdict in sorted(verdicts, key=lambda v: (list(RULES).index(v.rule), v.source))]
    print_table("", [Column("rule"), Column("row"), Column("reason")], rows, console=console)


def frontier_data(found: Sequence[Frontier], speeds: Sequence[float]) -> list[dict[str, Any]]:
    """Return frontiers as JSON: stack, range, points, and throughput at speeds, null outside the range."""
    return [
        {
            "stack": asdict(each.stack),
            "speed": each.speed,
            "range": each.range,
            "points": [asdict(point) | {"end_to_end": point.end_to_end} for point in each.points],
            "throughput_at": {f"{speed:g}": each.throughput_at(speed) if each.covers(speed) else None for speed in speeds},
        }
        for each in found
    ]


def verdict_data(verdicts: Sequence[Verdict]) -> list[dict[str, str]]:
    """Return verdicts as JSON."""
    return [asdict(verdict) for verdict in verdicts]


def frontier_chart(found: Sequence[Frontier]) -> Any:
    """Draw frontiers: throughput over speed, and their points. What all have in common is the title, what they differ in the legend."""
    names = [_stack(each) for each in found]
    common = [len(set(column)) == 1 for column in zip(*names, strict=True)]
    labels = [" ".join(part for part, shared in zip(name, common, strict=True) if not shared) or name[1] for name in names]
    drawn = list(zip(found, labels, strict=True))
    lines = [{"x": speed, "y": each.throughput_at(speed), "series": label} for each, label in drawn for speed in between(each.range)]
    marks = [_mark(each, point, label) for each, label in drawn for point in each.points]
    title = ", ".join(part for part, shared in zip(names[0][:5], common, strict=False) if shared) or "Frontiers"
    return curves(lines, marks, (f"output {NAMES[found[0].speed]}", "output tokens/s/GPU"), title)


def _mark(frontier: Frontier, point: Point, label: str) -> dict[str, Any]:
    told = {"concurrency": point.concurrency, "gpus": point.gpus, "parallelism": point.parallelism, "kind": point.kind, "source": point.source}
    return {"x": frontier.speed.of(point), "y": point.throughput, "series": label, **told}


def between(span: tuple[float, float]) -> list[float]:
    """Return speeds from one end of a range to the other, evenly in logarithms."""
    low, high = span
    inner = [exp(log(low) + (log(high) - log(low)) * at / STEPS) for at in range(1, STEPS)]
    return [low, *inner, high] if high > low else [low]


def _stack(frontier: Frontier) -> list[str]:
    """Name the stack; what several stacks of one frontier differ in is named together."""
    stacks = [point.stack for point in frontier.points]
    engine, precision = ("+".join(sorted({getattr(stack, name) or "not told" for stack in stacks})) for name in ("engine", "precision"))
    said = "+".join(dict.fromkeys(SAID[stack.speculative] for stack in stacks))
    first = stacks[0]
    return [first.model, first.gpu, engine, precision, f"{first.input_tokens}/{first.output_tokens}", said, frontier.points[0].kind.value]


def _range(frontier: Frontier) -> str:
    low, high = frontier.range
    return f"{low:.1f} to {high:.1f}"


def _made(frontier: Frontier, speed: float) -> str:
    return f"{frontier.throughput_at(speed):,.0f}" if frontier.covers(speed) else "-"


def _point(point: Point) -> list[str]:
    figures = [f"{point.interactivity:.1f}", f"{point.end_to_end:.1f}", f"{point.throughput:,.1f}", f"{point.ttft:.2f}", f"{1000 * point.tpot:.2f}"]
    return [*figures, f"{point.concurrency:g}", str(point.gpus), point.parallelism, point.kind, point.measured, _row(point.source)]


def _row(source: str) -> str:
    """Name a row; of the shipped table the file need not be said."""
    return source.removeprefix(f"{FILE} ")
