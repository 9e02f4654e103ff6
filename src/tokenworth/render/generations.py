"""Generations of GPUs: cost over speed, why it fell, and where a claim holds, for people and as data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from tokenworth.measure.cost.claims import Claim
from tokenworth.measure.cost.compare import Answer
from tokenworth.measure.cost.decompose import Fall
from tokenworth.measure.cost.frontier import Frontier
from tokenworth.measure.cost.generations import Generation
from tokenworth.measure.cost.points import Kind
from tokenworth.render.charts import curves
from tokenworth.render.frontiers import NAMES, between
from tokenworth.render.tables import Column, print_table

UNMARKED = "some of its points do not tell whether decoding was speculative"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two generations, the claim about them (times the throughput, part of the cost), and its answer."""

    pair: tuple[Generation, Generation]
    claim: tuple[float, float]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Report:
    """Generations, the speeds asked for, why cost fell at each, and the verdict on a claim; None where no two can be compared."""

    found: Sequence[Generation]
    speeds: Sequence[float]
    falls: Sequence[Fall]
    verdict: Verdict | None


def print_report(report: Report, sources: Mapping[str, str], promised: Sequence[Claim], console: Console) -> None:
    """Print cost by generation, why it fell, where the claim holds, and what vendors promise. `sources` tell where each GPU's price is from."""
    if not report.found:
        console.print("No GPU has both points and a price of its hour: give one with --gpu-hour.")
        return
    _print_costs(report, sources, console)
    if report.verdict:
        for fall in report.falls:
            _print_fall(fall, report.verdict.pair, console)
        _print_verdict(report.verdict, console)
    _print_claims(promised, console)


def _print_costs(report: Report, sources: Mapping[str, str], console: Console) -> None:
    titles = [
        Column("GPU"),
        Column("kind"),
        Column("engine"),
        Column("precision"),
        Column("points", number=True),
        Column("USD/GPU-hour", number=True),
        Column("price from"),
    ]
    columns = [*titles, *(Column(f"at {speed:g}", number=True) for speed in report.speeds)]
    rows = []
    for each in report.found:
        hour = f"{each.hour.value:.2f}" + ("" if each.hour.known else f" ({each.hour.low:.2f} to {each.hour.high:.2f})")
        costs = [f"{each.cost_at(speed).value:,.3f}" if each.frontier.covers(speed) else "-" for speed in report.speeds]
        names = [each.gpu, _kinds(each.frontier), _said(each.frontier, "engine"), _said(each.frontier, "precision")]
        rows.append([*names, str(len(each.frontier.points)), hour, sources[each.gpu], *costs])
    frontier = report.found[0].frontier
    stack = frontier.stack
    title = f"{stack.model}, {stack.input_tokens}/{stack.output_tokens}: USD a million output tokens, prompts included, at {NAMES[frontier.speed]}"
    print_table(title, columns, rows, console=console)


def _print_fall(fall: Fall, pair: tuple[Generation, Generation], console: Console) -> None:
    gpus = [each.gpu for each in pair]
    columns = [
        Column("step"),
        Column("cost x", number=True),
        Column("share", number=True),
        Column("tokens/s/GPU", number=True),
        Column("measured with"),
    ]
    rows = [["", "", "", f"{fall.before:,.1f}", gpus[0]]]
    for step in fall.steps:
        stacks = "; ".join(dict.fromkeys(f"{stack.gpu} {stack.engine} {stack.precision or 'precision not told'}" for stack in step.stacks))
        note = f" ({UNMARKED})" if step.unmarked and step.causes != ("price",) else ""
        rows.append([" and ".join(step.causes), f"{step.factor:.3f}", f"{step.share:.0%}", f"{step.made:,.1f}", stacks + note])
    rows.append(["all", f"{fall.factor:.3f}", "100%", "", f"USD {fall.cost[0]:,.3f} -> {fall.cost[1]:,.3f} a million output tokens"])
    early = f", engines as of {fall.early}" if fall.early else ""
    print_table(
        f"{gpus[0]} -> {gpus[1]} at {fall.speed:g} tokens/s/user{early}; one thing changes at a time, in this order", columns, rows, console=console
    )


def _print_verdict(verdict: Verdict, console: Console) -> None:
    (old, new), (times, part), told = verdict.pair, verdict.claim, verdict.answer
    shown = told.ratios[:: max(1, len(told.ratios) // 8)]
    console.print(f"[bold]Is {new.gpu} {times:g} times the throughput of {old.gpu}, at {part:g} of the cost?[/bold]", soft_wrap=True)
    columns = [Column("tokens/s/user", number=True), Column("throughput x", number=True), Column("cost x", number=True)]
    print_table("", columns, [[f"{r.speed:.1f}", f"{r.throughput:.2f}", f"{r.cost:.3f}"] for r in shown], console=console)
    console.print(f"{times:g} times the throughput: {_spans(told.throughput)}.", soft_wrap=True)
    console.print(f"{part:g} of the cost: {_spans(told.cost)}.", soft_wrap=True)
    if told.only_new:
        console.print(f"Above {told.only_new[0]:.1f} and up to {told.only_new[1]:.1f} tokens/s/user only {new.gpu} was measured.", soft_wrap=True)


def _print_claims(found: Sequence[Claim], console: Console) -> None:
    columns = [Column("claim"), Column("value", number=True), Column("unit"), Column("kind"), Column("conditions"), Column("source")]
    rows = [[c.claim, c.value, c.unit, c.kind, c.config, c.source] for c in found]
    print_table("Claims, not measurements", columns, rows, console=console)


def report_data(report: Report, sources: Mapping[str, str]) -> dict[str, Any]:
    """Return everything as JSON; null where a speed was not reached."""
    verdict = report.verdict
    return {
        "unit": "USD a million output tokens, prompts included",
        "generations": [
            {
                "gpu": each.gpu,
                "kinds": sorted({point.kind for point in each.frontier.points}),
                "hour": asdict(each.hour) | {"source": sources[each.gpu]},
                "range": each.frontier.range,
                "cost_at": {f"{speed:g}": asdict(each.cost_at(speed)) if each.frontier.covers(speed) else None for speed in report.speeds},
            }
            for each in report.found
        ],
        "falls": [asdict(fall) | {"factor": fall.factor} for fall in report.falls],
        "claim": {"old": verdict.pair[0].gpu, "new": verdict.pair[1].gpu, **asdict(verdict.answer)} if verdict else None,
    }


def cost_chart(found: Sequence[Generation]) -> Any:
    """Draw dollars a million output tokens over speed."""
    lines = [{"x": speed, "y": each.cost_at(speed).value, "series": each.gpu} for each in found for speed in between(each.frontier.range)]
    marks = [
        {"x": speed, "y": each.cost_at(speed).value, "series": each.gpu, "kind": point.kind, "engine": point.stack.engine, "source": point.source}
        for each in found
        for point in each.frontier.points
        for speed in (each.frontier.speed.of(point),)
    ]
    stack = found[0].frontier.stack
    title = f"{stack.model}, {stack.input_tokens}/{stack.output_tokens} tokens, all GPUs at work"
    return curves(lines, marks, (f"output {NAMES[found[0].frontier.speed]}", "USD a million output tokens"), title)


def answer_chart(verdict: Verdict) -> Any:
    """Draw throughput gained and tokens gained for a dollar over speed, and what was claimed of both."""
    pair, (times, part), told = verdict.pair, verdict.claim, verdict.answer
    first, last = told.ratios[0].speed, told.ratios[-1].speed
    lines = [
        line
        for ratio in told.ratios
        for line in (
            {"x": ratio.speed, "y": ratio.throughput, "series": "throughput"},
            {"x": ratio.speed, "y": 1 / ratio.cost, "series": "tokens a dollar"},
        )
    ]
    lines += [{"x": x, "y": times, "series": f"claimed: {times:g} times the throughput"} for x in (first, last)]
    lines += [{"x": x, "y": 1 / part, "series": f"claimed: {part:g} of the cost"} for x in (first, last)]
    return curves(lines, [], ("output tokens/s/user", "new over old"), f"{pair[1].gpu} over {pair[0].gpu}, {pair[0].frontier.stack.model}")


def _spans(spans: Sequence[tuple[float, float]]) -> str:
    return "at no speed" if not spans else "from " + ", ".join(f"{low:.1f} to {high:.1f}" for low, high in spans) + " tokens/s/user"


def _kinds(frontier: Frontier) -> str:
    told = {point.kind for point in frontier.points}
    return "+".join(kind for kind in Kind if kind in told)


def _said(frontier: Frontier, name: str) -> str:
    return "+".join(sorted({getattr(point.stack, name) or "not told" for point in frontier.points}))
