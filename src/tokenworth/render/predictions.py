"""Predicted frontiers with their bands, and the statement of how far they can be trusted."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from rich.console import Console

from tokenworth.measure.cost.frontier import Frontier
from tokenworth.measure.cost.points import Kind, Stack
from tokenworth.measure.cost.predict.prediction import Prediction
from tokenworth.measure.cost.predict.published import Published
from tokenworth.measure.cost.predict.times import faster
from tokenworth.measure.cost.predict.validation import Check
from tokenworth.measure.cost.series import grouped
from tokenworth.render.charts import curves
from tokenworth.render.frontiers import between
from tokenworth.render.tables import Column, print_table

UNIT = "output tokens/s/GPU"


def print_prediction(found: Prediction, speeds: Sequence[float], measured: Frontier | None, console: Console) -> None:
    """Print throughput at speeds with its band, beside what was measured, and the points."""
    console.print(f"{_named(found.stack)}: {found.kind}", highlight=False)
    console.print(f"{found.basis}; it is to hold the truth in {found.band.level:.0%} of cases", highlight=False, soft_wrap=True)
    rows = []
    for speed in speeds:
        made = found.at(speed)
        known = f"{measured.throughput_at(speed):,.0f}" if measured and measured.covers(speed) else "-"
        rows.append([f"{speed:g}", f"{made.low:,.0f}", "-" if made.likely is None else f"{made.likely:,.0f}", f"{made.high:,.0f}", known])
    print_table(UNIT, [Column(title, number=True) for title in ("tokens/s/user", "low", found.kind, "high", "measured")], rows, console=console)
    titles = ["tokens/s/user", "tokens/s/GPU", "low", "high", "TTFT s", "TPOT ms", "under way", "GPUs"]
    columns = [*(Column(title, number=True) for title in titles), Column("parallelism"), Column("kind"), Column("source")]
    print_table("Points; low and high at the same load", columns, _points(found), console=console)


def print_checks(checks: Sequence[Check], rows: Sequence[Published], console: Console) -> None:
    """Print the statement of validation, and the check from outside."""
    columns = [Column("left out and asked for"), *(Column(title, number=True) for title in ("points", "groups", "median error", "9 in 10 below"))]
    columns += [Column(title, number=True) for title in ("held to", "band says", "covers groups", "covers points")]
    print_table("Errors of throughput", columns, [_check(check) for check in checks], console=console)
    _print_published(rows, console)


def prediction_data(found: Prediction, speeds: Sequence[float]) -> dict[str, Any]:
    """Return a prediction as JSON."""
    return {
        "stack": asdict(found.stack),
        "kind": found.kind,
        "basis": found.basis,
        "band": asdict(found.band),
        "points": [
            asdict(point) | {name: faster(point, edge).throughput for name, edge in (("low", found.band.low), ("high", found.band.high))}
            for point in found.points
        ],
        "throughput_at": {f"{speed:g}": asdict(found.at(speed)) for speed in speeds},
    }


def check_data(checks: Sequence[Check], rows: Sequence[Published]) -> dict[str, Any]:
    """Return the statement of validation as JSON."""
    outside = [asdict(row.stack) | {"layout": str(row.layout), "published": row.throughput, "predicted": row.predicted} for row in rows]
    return {"checks": [asdict(check) for check in checks], "published": outside}


def prediction_chart(found: Prediction, measured: Frontier | None) -> Any:
    """Draw a predicted frontier, the edges of its band, and what was measured."""
    edges = {found.kind.value: 1.0, f"band of {found.band.level:.0%}, low": found.band.low, f"band of {found.band.level:.0%}, high": found.band.high}
    drawn = {name: found.frontier(factor=factor) for name, factor in edges.items()}
    if measured:
        drawn[Kind.MEASURED.value] = measured
    lines = [{"x": speed, "y": each.throughput_at(speed), "series": name} for name, each in drawn.items() for speed in between(each.range)]
    marks = [
        {"x": point.interactivity, "y": point.throughput, "series": name, "parallelism": point.parallelism, "concurrency": point.concurrency}
        for name in (found.kind.value, Kind.MEASURED.value)
        if name in drawn
        for point in drawn[name].points
    ]
    return curves(lines, marks, ("output tokens/s/user", UNIT), _named(found.stack))


def _print_published(rows: Sequence[Published], console: Console) -> None:
    errors = {row: made / row.throughput - 1 for row in rows if (made := row.predicted)}
    told = []
    for (name, layout), group in grouped(errors, lambda row: (_named(row.stack).rpartition(" ")[0], str(row.layout))).items():
        of_group = [errors[row] for row in group]
        lengths = ", ".join(dict.fromkeys(f"{row.stack.input_tokens}/{row.stack.output_tokens}" for row in group))
        told.append([name, layout, str(len(group)), f"{median(of_group):+.1%}", f"{min(of_group):+.0%} to {max(of_group):+.0%}", lengths])
    title = f"Published at full load, seen by no calibration: median error {median(map(abs, errors.values())):.1%} of {len(errors)}"
    columns = [
        Column("stack"),
        Column("parallelism"),
        *(Column(name, number=True) for name in ("figures", "median error", "from")),
        Column("lengths"),
    ]
    print_table(title, columns, told, console=console)


def _named(stack: Stack) -> str:
    names = [stack.model, stack.gpu, stack.engine, stack.precision, f"{stack.input_tokens}/{stack.output_tokens}"]
    return " ".join([*filter(None, names), *(["speculative"] if stack.speculative else [])])


def _points(found: Prediction) -> list[list[str]]:
    rows = []
    for point in found.points:
        low, high = (faster(point, edge).throughput for edge in (found.band.low, found.band.high))
        figures = [f"{point.interactivity:.1f}", f"{point.throughput:,.1f}", f"{low:,.1f}", f"{high:,.1f}", f"{point.ttft:.2f}"]
        rows.append([*figures, f"{1000 * point.tpot:.2f}", f"{point.concurrency:g}", str(point.gpus), point.parallelism, point.kind, point.source])
    return rows


def _check(check: Check) -> list[str]:
    shares = (check.at_most, check.level, check.covered, check.covered_points)
    told = ["" if share is None else f"{share:.0%}" for share in shares]
    return [check.name, str(check.points), str(check.groups), f"{check.median:.1%}", f"{check.ninth_decile:.0%}", *told]
