"""`tokenworth cost predict`: the frontier of what nobody measured, with its band."""

import json
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console

from tokenworth.cli.options import NamedPath, as_json, said
from tokenworth.cli.points_options import Lengths
from tokenworth.core.errors import InputError
from tokenworth.measure.cost.frontier import Frontier, frontier
from tokenworth.measure.cost.gpus import gpu_named
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Kind, Stack
from tokenworth.measure.cost.predict.bands import LEVEL
from tokenworth.measure.cost.predict.prediction import Prediction, predict
from tokenworth.measure.cost.predict.published import published
from tokenworth.measure.cost.predict.shipped import plain
from tokenworth.measure.cost.predict.validation import validate
from tokenworth.measure.cost.table import measured, write_table
from tokenworth.render.charts import need_form, save
from tokenworth.render.predictions import check_data, prediction_chart, prediction_data, print_checks, print_prediction

SPEEDS = (20.0, 50.0, 100.0, 200.0)
HOW = {"kernels": Kind.PREDICTED, "roofline": Kind.BOUND}


@click.command()
@click.option("--model", callback=said, help="A model, such as llama-3.1-70b, or one that the predictor knows by its name on Hugging Face.")
@click.option("--gpu", callback=said, help="A GPU, such as b300, mi355x, tpu7x or vr200.")
@click.option("--engine", default="vllm", show_default=True, callback=said, help="vllm, sglang or trtllm.")
@click.option("--precision", type=click.Choice(["bf16", "fp8", "fp4", "int4"]), default="fp8", show_default=True, help="Of the weights.")
@click.option("--lengths", type=Lengths(), default="1024/1024", show_default=True, help="Tokens of prompt and answer.")
@click.option("--speculative", is_flag=True, help="With speculative decoding: by the gain that was measured elsewhere.")
@click.option("--from", "how", type=click.Choice(list(HOW)), help="What to predict from; kernels where they are known if absent.")
@click.option("--level", type=click.FloatRange(0.5, 0.95), default=LEVEL, show_default=True, help="Share of cases that the band is to cover.")
@click.option("--at", "speeds", multiple=True, type=click.FloatRange(0, min_open=True), help="Ask for the throughput at this speed; may be repeated.")
@click.option("--plot", type=NamedPath(dir_okay=False), help="Draw to FILE.png, FILE.svg or an interactive FILE.html.")
@click.option("--csv", "csv_", type=NamedPath(dir_okay=False), help="Write the points to a CSV file.")
@click.option("--validate", "validating", is_flag=True, help="Print how far predictions can be trusted, computed now from what ships.")
@as_json
def command(*, validating: bool, as_json: bool, level: float, **given: Any) -> None:
    """Predict the frontier of MODEL on GPU: what it makes at each speed, and the band in which the truth is expected.

    From kernels that were measured one by one, calibrated on measured serving (what does not ship needs the extra `predict`); where no kernels are
    known, from memory and arithmetic as the maker claims them and an efficiency fitted on measurements, called a bound.
    """
    if validating:
        checks = validate(level)
        if as_json:
            click.echo(json.dumps(check_data(checks, published()), indent=2))
        else:
            print_checks(checks, published(), Console())
        return
    if given["plot"]:
        need_form(given["plot"])
    stack = _stack(given)
    found = predict(stack, level=level, kind=HOW.get(given["how"]))
    known = _measured(stack)
    _files(found, known, **given)
    speeds = given["speeds"] or SPEEDS
    if as_json:
        click.echo(json.dumps(prediction_data(found, speeds), indent=2))
    else:
        print_prediction(found, speeds, known, Console())


def _stack(given: Mapping[str, Any]) -> Stack:
    if not (given["model"] and given["gpu"]):
        raise InputError("a prediction needs --model and --gpu", mend="name them, or ask for --validate", code="missing_option")
    prompt, answer = given["lengths"]
    names = (model_name(given["model"]), gpu_named(given["gpu"]).name, given["engine"].lower(), given["precision"])
    return Stack(*names, prompt, answer, given["speculative"] or None)


def _measured(stack: Stack) -> Frontier | None:
    """Return the measured frontier of the same stack, with speculative decoding or without as asked."""
    points = [p for p in measured() if plain(p.stack) == plain(stack) and (p.stack.speculative is True) == (stack.speculative is True)]
    return frontier(points) if points else None


def _files(found: Prediction, known: Frontier | None, **given: Any) -> None:
    if given["plot"]:
        save(prediction_chart(found, known), given["plot"])
    if given["csv_"]:
        with given["csv_"].open("w", encoding="utf-8", newline="") as out:
            write_table(found.points, out)
