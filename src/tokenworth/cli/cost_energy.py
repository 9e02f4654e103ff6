"""`tokenworth cost energy`: joules of a token, and what power alone makes it cost."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click
from rich.console import Console

from tokenworth.cli.options import as_json, said
from tokenworth.cli.points_options import Lengths, points_of, with_points
from tokenworth.core.errors import InputError
from tokenworth.feeds.gpu_prices import ownership
from tokenworth.measure.cost.energy import Energy, Site, nameplate_watts
from tokenworth.measure.cost.frontier import Frontier
from tokenworth.measure.cost.gpus import gpu_named
from tokenworth.measure.cost.models import model_name
from tokenworth.measure.cost.points import Point, Stack
from tokenworth.measure.cost.power import Watts, measured_watts
from tokenworth.measure.cost.predict.prediction import predict
from tokenworth.measure.cost.select import Wanted, chosen, frontiers
from tokenworth.render.energy import energy_data, print_energies

SPEEDS = (20.0, 50.0, 100.0)


@click.command()
@click.option("--model", required=True, callback=said, help="A model, such as deepseek-r1.")
@click.option("--gpu", "gpus", multiple=True, callback=said, help="Only this GPU; may be repeated. One that nobody measured is predicted.")
@click.option("--lengths", type=Lengths(), default="1024/1024", show_default=True, help="Tokens of prompt and answer.")
@click.option("--precision", default="fp8", show_default=True, callback=said, help="Of the weights, where throughput is predicted.")
@click.option("--engine", default="vllm", show_default=True, callback=said, help="Where throughput is predicted.")
@click.option("--at", "speeds", multiple=True, type=click.FloatRange(0, min_open=True), help="Output tokens/s/user; may be repeated.")
@click.option("--power-price", type=click.FloatRange(0), default=0.08, show_default=True, help="USD a kilowatt-hour.")
@click.option(
    "--pue", type=click.FloatRange(1), default=1.25, show_default=True, help="Power of the building over that of GPUs known by nameplate only."
)
@with_points
@as_json
def command(*, model: str, gpus: Sequence[str], lengths: tuple[int, int], as_json: bool, **given: Any) -> None:
    """Say how many joules an output token takes on each GPU at equal speed, and the floor of its price: the power for it.

    Watts are the maker's nameplate, the GPU's own meter where ML.ENERGY published it, and all that is provisioned at the grid for a GPU where
    SemiAnalysis surveyed it. The frontier is the best of all engines and precisions that were measured.
    """
    site = Site(given["power_price"], given["pue"])
    found = list(_frontiers(points_of(given["points"]).points, model, gpus, lengths=lengths, given=given))
    energies = [each for frontier in found for speed in given["speeds"] or SPEEDS if (each := _energy(frontier, speed))]
    if not energies:
        ranges = "; ".join(f"{each.stack.gpu} {each.range[0]:.4g} to {each.range[1]:.4g}" for each in found)
        raise InputError("no GPU serves at these speeds", mend=f"ask --at tokens/s/user within: {ranges}", code="outside_frontier")
    if as_json:
        click.echo(json.dumps(energy_data(energies, site), indent=2))
    else:
        print_energies(f"{model_name(model)} {lengths[0]}/{lengths[1]}", energies, site, Console())


def _frontiers(points: Sequence[Point], model: str, gpus: Sequence[str], *, lengths: tuple[int, int], given: Any) -> Iterator[Frontier]:
    """Yield the best measured frontier of each GPU, and a predicted one of each that was asked for and not measured."""
    if not gpus:
        yield from frontiers(chosen(points, Wanted(models=(model,), lengths=lengths)), best=True)
    for gpu in gpus:
        wanted = Wanted(models=(model,), gpus=(gpu,), lengths=lengths)
        if any(wanted.has(point.stack) for point in points):
            yield from frontiers(chosen(points, wanted), best=True)
        else:
            yield predict(Stack(model_name(model), gpu_named(gpu).name, given["engine"], given["precision"], *lengths)).frontier()


def _energy(frontier: Frontier, speed: float) -> Energy | None:
    if not frontier.covers(speed):
        return None
    near = min(frontier.points, key=lambda point: abs(point.interactivity - speed))
    gpu = frontier.stack.gpu
    return Energy(gpu, near.kind, speed, frontier.throughput_at(speed), nameplate_watts(gpu), measured_watts(near), _all_in(gpu))


def _all_in(gpu: str) -> Watts | None:
    """Return the newest survey's watts that are not unverified; None where there is none."""
    surveys = [each for each in ownership() if each.gpu == gpu and each.status == "quoted"]
    return Watts(surveys[-1].all_in_kw * 1000, f"SemiAnalysis survey of {surveys[-1].date}, provisioned") if surveys else None
