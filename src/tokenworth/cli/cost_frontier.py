"""`tokenworth cost frontier`: speed against throughput."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tokenworth.cli.options import NamedPath, as_json, said
from tokenworth.cli.points_options import Lengths, points_of, with_points
from tokenworth.measure.cost.frontier import Frontier, Speed
from tokenworth.measure.cost.screening import Screened
from tokenworth.measure.cost.select import Wanted, chosen, frontiers
from tokenworth.measure.cost.table import write_table
from tokenworth.render.charts import need_form, save
from tokenworth.render.frontiers import (
    frontier_chart,
    frontier_data,
    print_frontiers,
    print_models,
    print_points,
    print_verdicts,
    verdict_data,
)

SPEEDS = (20.0, 50.0, 100.0, 200.0)


@click.command()
@click.option("--model", "models", multiple=True, callback=said, help="A model; may be repeated.")
@click.option("--gpu", "gpus", multiple=True, callback=said, help="A GPU, such as h100; may be repeated.")
@click.option("--engine", "engines", multiple=True, callback=said, help="vllm, sglang or trtllm; may be repeated.")
@click.option("--precision", "precisions", multiple=True, callback=said, help="Of the weights: bf16, fp8, fp4, int4; may be repeated.")
@click.option("--lengths", type=Lengths(), help="Tokens of prompt and answer, such as 1024/1024.")
@click.option("--speculative/--not-speculative", default=None, help="Only with speculative decoding, or only without; where it was found out.")
@click.option("--best", is_flag=True, help="One frontier for each model, GPU and lengths: the best of all engines and precisions.")
@click.option(
    "--speed",
    type=click.Choice([each.value for each in Speed]),
    default=Speed.INTERACTIVITY.value,
    show_default=True,
    help="Speed after the first token, or of the whole answer, which prices the time to the first token in.",
)
@click.option("--at", "speeds", multiple=True, type=click.FloatRange(0, min_open=True), help="Ask for the throughput at this speed; may be repeated.")
@click.option("--plot", type=NamedPath(dir_okay=False), help="Draw to FILE.png, FILE.svg or an interactive FILE.html.")
@click.option("--csv", "csv_", type=NamedPath(dir_okay=False), help="Write the frontiers' points to a CSV file, in the form of --points.")
@click.option("--dropped", is_flag=True, help="List the rows that do not count, by rule, with the reason.")
@click.option("--mended", is_flag=True, help="List the rows that were read otherwise than they stand, or marked.")
@with_points
@as_json
def command(*, dropped: bool, mended: bool, as_json: bool, **given: Any) -> None:
    """Show what GPUs make at the speed at which users are served: the points that no other beats, and what lies between them.

    Throughput is output tokens a second and GPU, speed output tokens a second and user. Without a filter: what was measured.
    """
    if given["plot"]:
        need_form(given["plot"])
    table = points_of(given["points"])
    if dropped or mended:
        _verdicts(table, dropped=dropped, as_json=as_json)
        return
    wanted = Wanted(given["models"], given["gpus"], given["engines"], given["precisions"], given["lengths"], given["speculative"])
    points = chosen(table.points, wanted)
    found = frontiers(points, Speed(given["speed"]), best=given["best"])
    _files(found, given["plot"], given["csv_"])
    speeds = given["speeds"] or SPEEDS
    if as_json:
        click.echo(json.dumps(frontier_data(found, speeds), indent=2))
    elif wanted == Wanted():
        print_models(points, Console())
    else:
        _print(found, speeds)


def _verdicts(table: Screened, *, dropped: bool, as_json: bool) -> None:
    verdicts = table.dropped if dropped else table.mended
    if as_json:
        click.echo(json.dumps(verdict_data(verdicts), indent=2))
    else:
        print_verdicts(table, verdicts, Console())


def _print(found: Sequence[Frontier], speeds: Sequence[float]) -> None:
    console = Console()
    print_frontiers(found, speeds, console)
    if len(found) == 1:
        print_points(found[0], console)


def _files(found: Sequence[Frontier], plot: Path | None, csv_: Path | None) -> None:
    if plot:
        save(frontier_chart(found), plot)
    if csv_:
        with csv_.open("w", encoding="utf-8", newline="") as out:
            write_table([point for each in found for point in each.points], out)
