"""Options about measured points that several commands share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from tokenworth.cli.options import NamedPath
from tokenworth.feeds.benchmarks.read import read_benchmarks
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


def with_points(command: F) -> F:
    """Add the option for points beside the shipped ones."""
    help_ = "More measured points: a CSV table that `tokenworth cost import` wrote, or InferenceX rows; may be repeated."
    return click.option("--points", multiple=True, type=NamedPath(exists=True, dir_okay=False), help=help_)(command)


def points_of(files: Sequence[Path]) -> Screened:
    """Return the shipped points and those of files, with what was dropped and mended of both."""
    own, more = shipped(), read_benchmarks(files)
    return Screened((*own.points, *more.points), (*own.dropped, *more.dropped), (*own.mended, *more.mended))
