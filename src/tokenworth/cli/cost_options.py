"""Options of the commands about fleets, and the types of their values."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from tokenworth.cli.options import NamedPath
from tokenworth.cli.points_options import with_points
from tokenworth.core.errors import InputError
from tokenworth.measure.cost.demand import CLASSES
from tokenworth.measure.cost.estimate import Estimate, known
from tokenworth.measure.cost.hourly import Terms
from tokenworth.wiring.fleets import CACHED, Asked

F = TypeVar("F", bound=Callable[..., Any])
ASKED = tuple(Asked.__slots__)


class Figure(click.ParamType[Estimate]):
    """A figure, alone or with its interval: `2.29` or `2.29:1.90:3.50`."""

    name = "value[:low:high]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Estimate:
        """Return the estimate that a text says, or fail."""
        if isinstance(value, Estimate):
            return value
        try:
            figures = [float(part) for part in str(value).split(":")]
            if len(figures) in (1, 3):
                return known(figures[0]) if len(figures) == 1 else Estimate(*figures)
        except InputError as error:
            self.fail(str(error), param, ctx)
        except ValueError:
            pass
        return self.fail(f"{value!r} is not a figure such as 2.29 or 2.29:1.90:3.50", param, ctx)


class ByClass(click.ParamType[tuple[str, float]]):
    """A figure of a class of tokens: `input=1.2`."""

    name = "class=figure"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Return class and figure, or fail."""
        if isinstance(value, tuple):
            return value
        name, _, text = str(value).partition("=")
        try:
            if name in CLASSES:
                return name, float(text)
        except ValueError:
            pass
        return self.fail(f"{value!r} is not a figure of {', '.join(CLASSES)}, such as input=1.2", param, ctx)


POSITIVE = click.FloatRange(min=0, min_open=True)
SHARE = click.FloatRange(0, 1)

DEMAND = [
    click.option(
        "--demand", required=True, help="A shipped series or trace, such as servegen:language/m-large, or a CSV file of requests or tokens."
    ),
    click.option("--scale", type=POSITIVE, default=1.0, show_default=True, help="How many times that demand."),
    click.option("--interval", type=click.IntRange(min=1), help="Seconds of an interval of requests; 60."),
    click.option("--hit-rate", type=SHARE, help="Share of the input that is cached; as the trace says if absent."),
    click.option(
        "--cache-tokens", type=click.IntRange(min=1), help="Size of the prefix cache, in tokens, for a trace with block hashes; unbounded if absent."
    ),
]
GPU_HOUR = [
    click.option("--gpu", help="Which GPU, such as h100."),
    click.option("--gpu-hour", "hour", type=Figure(), help="USD a GPU-hour, with its interval if you know it; the market's if absent."),
    click.option(
        "--terms", type=click.Choice([each.value for each in Terms]), default="on_demand", show_default=True, help="On which the GPU is rented."
    ),
    click.option("--prices", type=NamedPath(exists=True, dir_okay=False), help="A CSV file of prices to add to the shipped ones."),
]
WORK: list[Callable[[Any], Any]] = [
    with_points,
    click.option("--served", "model", help="The model as it was measured, such as llama-3.1-70b."),
    click.option("--engine", help="What serves it; of all measured ones, what takes least if absent."),
    click.option("--precision", help="Of the weights: bf16, fp8, fp4, int4."),
    click.option("--speed", type=POSITIVE, help="Output tokens a second that each user gets."),
    click.option("--prefill", type=POSITIVE, help="Input tokens a second and GPU that prefills, instead of measured points."),
    click.option("--decode", type=POSITIVE, help="Output tokens a second and GPU that decodes."),
    click.option(
        "--prefill-hits", type=click.FloatRange(0, 1, max_open=True), default=0.0, help="Share of --prefill that was cached when it was measured."
    ),
    click.option(
        "--cached",
        type=Figure(),
        default=CACHED,
        show_default=f"{CACHED.value:g}:{CACHED.low:g}:{CACHED.high:g}, assumed",
        help="GPU-seconds of a cached token as a share of another's.",
    ),
]
SIZE = [
    click.option("--step", type=click.IntRange(min=1), default=8, show_default=True, help="GPUs of a replica."),
    click.option(
        "--load", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Share of a GPU's time that is planned for."
    ),
    click.option(
        "--peak", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Quantile of demand that a constant fleet is for."
    ),
    click.option("--start-up", type=click.IntRange(min=0), default=300, show_default=True, help="Seconds until an ordered replica serves."),
    click.option("--resale", type=click.FloatRange(min=0), default=0.0, help="USD a GPU-hour for which idle replicas are let to others."),
]
BOOK = [
    click.option("--book", type=NamedPath(exists=True, file_okay=False), help="A book whose fleet it is; what it states need not be given."),
    click.option("--model", "id_", metavar="ID", help="The book's model that the fleet serves."),
]


def options(*groups: list[Callable[[F], F]]) -> Callable[[F], F]:
    """Return a decorator that adds the options of groups, in their order."""

    def add(command: F) -> F:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return add


def asked(given: Mapping[str, Any]) -> Asked:
    """Return what the options of a command say of demand, price and work."""
    said: dict[str, Any] = {name: given[name] for name in ASKED if given.get(name) is not None}
    return Asked(**said | {"terms": Terms(given["terms"])})
