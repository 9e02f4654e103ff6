"""Options about measured points that several commands share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from tokenworth.cli.options import NamedPath
from tokenworth.core.errors import InputError
from tokenworth.feeds.benchmarks.read import read_benchmarks
from tokenworth.measure.cost.estimate import Estimate, known
from tokenworth.measure.cost.gpus import gpu_name
from tokenworth.measure.cost.screening import Screened
from tokenworth.measure.cost.table import shipped

F = TypeVar("F", bound=Callable[..., Any])


class Lengths(click.ParamType[tuple[int, int]]):
    """Tokens of prompt and answer: `1024/1024`."""

    name = "in/out"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return both counts, or fail."""
        if isinstance(value, tuple):
            return value
        prompt, slash, answer = str(value).partition("/")
        if slash and prompt.isdecimal() and answer.isdecimal() and int(prompt) and int(answer):
            return int(prompt), int(answer)
        return self.fail(f"{value!r} is not a pair of token counts such as 1024/1024", param, ctx)


class Pair(click.ParamType[tuple[float, float]]):
    """Two positive figures: `5:0.1`."""

    name = "times:part"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Return both figures, or fail."""
        if isinstance(value, tuple):
            return value
        try:
            times, part = (float(figure) for figure in str(value).split(":"))
            if times > 0 and part > 0:
                return times, part
        except ValueError:
            pass
        return self.fail(f"{value!r} is not a pair of figures such as 5:0.1", param, ctx)


class GpuHour(click.ParamType[tuple[str, Estimate]]):
    """The price of a GPU-hour: `h100=1.78`, or with its interval `h100=1.78:1.30:2.50`."""

    name = "gpu=usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Estimate]:
        """Return GPU and price, or fail."""
        if isinstance(value, tuple):
            return value
        gpu, _, price = str(value).partition("=")
        try:
            figures = [float(figure) for figure in price.split(":")]
            if gpu and min(figures) > 0 and len(figures) in (1, 3):
                return gpu_name(gpu), known(figures[0]) if len(figures) == 1 else Estimate(*figures)
        except InputError as error:
            self.fail(str(error), param, ctx)
        except ValueError:
            pass
        return self.fail(f"{value!r} is not a price such as h100=1.78", param, ctx)


def with_points(command: F) -> F:
    """Add the option for points beside the shipped ones."""
    help_ = "More measured points: a CSV table that `tokenworth cost import` wrote, or InferenceX rows; may be repeated."
    return click.option("--points", multiple=True, type=NamedPath(exists=True, dir_okay=False), help=help_)(command)


def points_of(files: Sequence[Path]) -> Screened:
    """Return the shipped points and those of files, with what was dropped and mended of both."""
    own, more = shipped(), read_benchmarks(files)
    return Screened((*own.points, *more.points), (*own.dropped, *more.dropped), (*own.mended, *more.mended))
