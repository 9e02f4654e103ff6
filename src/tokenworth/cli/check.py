"""`tokenworth check`: validate a book and show its margins."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from tokenworth.book.guard import Report, check_margins
from tokenworth.book.load import examine_folder, place
from tokenworth.book.model import Book
from tokenworth.cli.options import NamedPath, as_json
from tokenworth.core.errors import Problem
from tokenworth.core.instants import SECOND, parse_instant
from tokenworth.render.margins import margin_data, print_margins
from tokenworth.wiring.clock import now
from tokenworth.wiring.costs import cost_card, list_price_problem

GOOD, BAD_MARGINS, INVALID = 0, 1, 2
DAY = 86_400 * SECOND


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: neither book nor report where the book is invalid."""

    book: Book | None
    report: Report | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        """How many problems are errors."""
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def status(self) -> int:
        """The exit code."""
        if self.report is None:
            return INVALID
        return BAD_MARGINS if self.errors else GOOD


@click.command()
@click.argument("folder", metavar="DIR", type=NamedPath())
@click.option("--at", help="Date from which to check margins; today. Later changes of rates and costs are checked as well.")
@as_json
def command(folder: Path, at: str | None, *, as_json: bool) -> None:
    """Validate the book in DIR and show the margin of every price.

    Exit code 0: all is well. 1: something is sold below cost, or the supplier bills what the card does not. 2: the book is invalid.
    """
    # from the day's start: what changes later today is checked as a later change
    found = _check(folder, now() // DAY * DAY if at is None else parse_instant(at))
    problems = [place(problem, folder) for problem in found.problems]
    if as_json:
        click.echo(json.dumps(_data(found, problems), indent=2))
    else:
        _print(found, problems, folder)
    sys.exit(found.status)


def _check(folder: Path, at: int) -> Checked:
    book, problems = examine_folder(folder, list_price_problem)
    if book is None:
        return Checked(None, None, tuple(problems))
    report = check_margins(book, cost_card(book), at)
    return Checked(book, report, (*problems, *report.problems))


def _print(found: Checked, problems: Sequence[Problem], folder: Path) -> None:
    for problem in problems:
        click.echo(f"{problem}" if problem.severity == "error" else f"{problem} (warning)", err=True)
    if found.book and found.report:
        print_margins(found.report, found.book, console=Console())
    warnings = len(problems) - found.errors
    counted = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((found.errors, "error"), (warnings, "warning")) if n]
    verdict = ("is good", "loses money or cannot charge", "is invalid")[found.status]
    click.echo(f"The book in {folder} {verdict}{': ' if counted else ''}{', '.join(counted)}.")


def _data(found: Checked, problems: Sequence[Problem]) -> dict[str, object]:
    return {
        "valid": found.status != INVALID,
        "good": found.status == GOOD,
        "book": found.book.id if found.book else None,
        "problems": [dataclasses.asdict(problem) for problem in problems],
        **(margin_data(found.report, found.book) if found.report and found.book else {}),
    }
