"""`tokenworth cost generations`: what a token costs from one generation of GPUs to the next, and why it fell."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console

from tokenworth.cli.options import NamedPath, as_json, said
from tokenworth.cli.points_options import GpuHour, Lengths, Pair, points_of, with_points
from tokenworth.core.errors import InputError
from tokenworth.measure.cost.claims import promised
from tokenworth.measure.cost.compare import answer
from tokenworth.measure.cost.decompose import Fall, NotMeasuredError, Prices, decompose
from tokenworth.measure.cost.frontier import Speed
from tokenworth.measure.cost.generations import Generation, best_known, generations
from tokenworth.measure.cost.gpus import gpu_name
from tokenworth.measure.cost.hourly import Terms
from tokenworth.measure.cost.points import Point
from tokenworth.measure.cost.select import Wanted, chosen
from tokenworth.measure.cost.series import grouped
from tokenworth.render.charts import need_form, save
from tokenworth.render.generations import Report, Verdict, answer_chart, cost_chart, print_report, report_data
from tokenworth.wiring.hours import hours_of

SPEEDS = (20.0, 30.0, 50.0, 100.0, 150.0)


@click.command()
@click.option("--model", required=True, callback=said, help="A model that was measured, such as deepseek-r1.")
@click.option("--lengths", type=Lengths(), help="Tokens of prompt and answer; those that were measured on most GPUs if absent.")
@click.option("--gpu", "gpus", multiple=True, callback=said, help="Only this GPU; may be repeated.")
@click.option("--at", "speeds", multiple=True, type=click.FloatRange(0, min_open=True), help="Output tokens/s/user; may be repeated.")
@click.option("--gpu-hour", "given", multiple=True, type=GpuHour(), help="USD a GPU-hour, such as h100=1.78 or h100=1.78:1.30:2.50; may be repeated.")
@click.option(
    "--terms", type=click.Choice([each.value for each in Terms]), default=Terms.RESERVED.value, show_default=True, help="Of prices not given."
)
@click.option("--from", "old", help="Explain the fall from this GPU; the oldest that shares speeds with the newest if absent.")
@click.option("--to", "new", help="To this one; the newest if absent.")
@click.option(
    "--claim", type=Pair(), default="5:0.1", show_default=True, help="Where is it so many times the throughput, and such a part of the cost?"
)
@click.option("--speed", type=click.Choice([each.value for each in Speed]), default=Speed.INTERACTIVITY.value, show_default=True)
@click.option("--plot", type=NamedPath(dir_okay=False), help="Draw cost over speed to FILE.png, FILE.svg or an interactive FILE.html.")
@click.option("--plot-claim", type=NamedPath(dir_okay=False), help="Draw the claim's answer over speed.")
@with_points
@as_json
def command(*, as_json: bool, model: str, lengths: tuple[int, int] | None, claim: tuple[float, float], **given: Any) -> None:
    """Say what a million output tokens cost at equal speed on each generation of GPUs, why that fell, and where a claim about it holds.

    Costs are of GPUs that are always at work, and carry the prompts: what `cost tokens` adds is how often they are, and the classes of tokens.
    """
    for file in (given["plot"], given["plot_claim"]):
        if file:
            need_form(file)
    points = _points(points_of(given["points"]).points, model, lengths, given["gpus"])
    hours = hours_of({point.stack.gpu for point in points}, dict(given["given"]), Terms(given["terms"]))
    found = generations(points, {gpu: hour.usd for gpu, hour in hours.items()}, Speed(given["speed"]))
    report = _report(points, found, speeds=given["speeds"] or SPEEDS, pair=_pair(found, given["old"], given["new"]), claim=claim)
    if given["plot"]:
        save(cost_chart(found), given["plot"])
    if given["plot_claim"] and report.verdict:
        save(answer_chart(report.verdict), given["plot_claim"])
    sources = {gpu: hour.source for gpu, hour in hours.items()}
    if as_json:
        click.echo(json.dumps(report_data(report, sources), indent=2))
    else:
        print_report(report, sources, promised(), Console())


def _report(
    points: Sequence[Point],
    found: Sequence[Generation],
    *,
    speeds: Sequence[float],
    pair: tuple[Generation, Generation] | None,
    claim: tuple[float, float],
) -> Report:
    if pair is None:
        return Report(found, speeds, (), None)
    verdict = Verdict(pair, claim, answer(*pair, times=claim[0], part=claim[1]))
    return Report(found, speeds, _falls(points, pair, speeds), verdict)


def _points(points: Sequence[Point], model: str, lengths: tuple[int, int] | None, gpus: tuple[str, ...]) -> list[Point]:
    of_model = chosen(points, Wanted(models=(model,), gpus=gpus))
    of_lengths = chosen(of_model, Wanted(lengths=lengths or _most_measured(of_model)))
    return [point for group in grouped(of_lengths, lambda point: point.stack.gpu).values() for point in best_known(group)]


def _most_measured(points: Sequence[Point]) -> tuple[int, int]:
    """Return the lengths that most GPUs were measured with, and of these the ones with most points."""
    by_lengths = grouped(points, lambda point: (point.stack.input_tokens, point.stack.output_tokens))
    ranks = Counter({pair: len({point.stack.gpu for point in group}) * len(points) + len(group) for pair, group in by_lengths.items()})
    return ranks.most_common(1)[0][0]


def _pair(found: Sequence[Generation], old: str | None, new: str | None) -> tuple[Generation, Generation] | None:
    """Return the two generations to compare; None where there are not two that share a speed, unless they were asked for."""
    if len(found) < 2 and not (old or new):
        return None
    last = _named(found, new) if new else found[-1]
    if old:
        return _named(found, old), last
    return next(((first, last) for first in found if first != last and _meet(first, last)), None)


def _named(found: Sequence[Generation], text: str) -> Generation:
    for generation in found:
        if generation.gpu == gpu_name(text):
            return generation
    raise InputError(f"{text} is not among them", mend=f"use one of {', '.join(each.gpu for each in found)}", code="unknown_gpu")


def _meet(first: Generation, last: Generation) -> bool:
    return max(first.frontier.range[0], last.frontier.range[0]) < min(first.frontier.range[1], last.frontier.range[1])


def _falls(points: Sequence[Point], pair: tuple[Generation, Generation], speeds: Sequence[float]) -> list[Fall]:
    """Explain the fall at the speeds that both reach, without speculative decoding on the old one."""
    (old, new), falls = pair, []
    for speed in speeds:
        try:
            falls.append(decompose(points, (old.gpu, new.gpu), speed, Prices(old.hour, new.hour)))
        except NotMeasuredError:
            continue
    return falls
