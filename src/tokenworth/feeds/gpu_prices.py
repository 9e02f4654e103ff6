"""Prices of a GPU-hour: the shipped snapshots, what surveys say of renting and owning, and files of the same columns.

Sources, dates and licences stand in `data/inference/README.md`.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

from tokenworth.core.errors import InputError
from tokenworth.feeds.columns import Line, read_file, read_lines
from tokenworth.measure.cost.hourly import Quote, Terms, Trend, trend

COLUMNS = ("date", "gpu", "provider", "terms", "region", "usd_gpu_hour", "offers", "low", "high", "source")
NEEDED = ("date", "gpu", "provider", "terms", "usd_gpu_hour")
SURVEY = "survey"
"""Provider of what SemiAnalysis found GPUs to be rented for."""
YEAR = 365
PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class Ownership:
    """What a survey found a GPU-hour to cost, in dollars, and its power.

    Attributes:
        date: ISO date.
        gpu: canonical name.
        all_in_kw: kilowatts drawn from the grid for it, cooling and network included.
        own_hyperscaler: to own at a hyperscaler.
        own_neocloud: to own at a smaller cloud.
        rental: to rent.
        status: quoted, unverified, or a placeholder where the publisher scaled another GPU's figures.
        note: where it was read.
    """

    date: str
    gpu: str
    all_in_kw: float
    own_hyperscaler: float
    own_neocloud: float
    rental: float
    status: str
    note: str


@cache
def shipped_quotes() -> Sequence[Quote]:
    """Return the shipped prices, surveys as reserved ones."""
    asked = read_lines("gpu_rental_prices.csv", _text("gpu_rental_prices.csv"), NEEDED, _quote)
    return (*asked, *(_surveyed(each) for each in ownership() if each.status != PLACEHOLDER))


@cache
def ownership() -> Sequence[Ownership]:
    """Return what the shipped surveys say, by date."""
    return tuple(read_lines("gpu_ownership_costs.csv", _text("gpu_ownership_costs.csv"), ("gpu",), _owned))


def read_quotes(path: Path) -> list[Quote]:
    """Return the prices of a file; InputError with all that is wrong in it."""
    return read_file(path, NEEDED, _quote)


def write_quotes(quotes: Iterable[Quote], path: Path) -> int:
    """Write prices as a file that `read_quotes` reads; return their number."""
    rows = [(q.date, q.gpu, q.provider, q.terms.value, "", f"{q.usd:.6g}", "", f"{q.low:.6g}", f"{q.high:.6g}", q.source) for q in quotes]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return len(rows)


def gpu_called(text: str, known: Iterable[str]) -> str:
    """Return the one of known names that a person calls so: `H100`, `h100-sxm`; a bare name means the SXM form. InputError lists them."""
    slug = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    names = sorted(set(known))
    for name in (slug, f"{slug}_sxm"):
        if name in names:
            return name
    raise InputError(f"no price of {text!r} is known", mend=f"use one of {', '.join(names)}, or give the price of a GPU-hour", code="unknown_gpu")


def rental_trend() -> Trend:
    """Return how surveyed rents moved from the first survey to the last; placeholders are left out."""
    found: dict[str, list[Ownership]] = {}
    for each in ownership():
        if each.status != PLACEHOLDER:
            found.setdefault(each.gpu, []).append(each)
    pairs = [(seen[0], seen[-1]) for seen in found.values() if len(seen) > 1]
    return trend([(first.rental, last.rental, _days(first.date, last.date) / YEAR) for first, last in pairs])


def _days(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def _text(name: str) -> list[str]:
    return (files("tokenworth") / "data" / "inference" / name).read_text(encoding="utf-8").splitlines()


def _quote(line: Line) -> Quote:
    usd = line.amount("usd_gpu_hour")
    terms = line.text("terms")
    if terms not in list(Terms):
        line.refuse("terms", f"{terms!r} are no terms", f"use one of {', '.join(Terms)}")
        terms = Terms.ON_DEMAND
    day = line.text("date")
    try:
        date.fromisoformat(day)
    except ValueError:
        line.refuse("date", f"{day!r} is not a date", "write it as 2026-01-31")
    return Quote(
        gpu=line.text("gpu"),
        provider=line.text("provider"),
        terms=Terms(terms),
        usd=usd,
        date=day,
        source=line.text("source") or line.file,
        low=line.amount("low", usd),
        high=line.amount("high", usd),
    )


def _owned(line: Line) -> Ownership:
    amounts = {name: line.amount(name) for name in ("all_in_kw", "own_hyperscaler", "own_neocloud", "rental")}
    return Ownership(date=line.text("date"), gpu=line.text("gpu"), status=line.text("status"), note=line.text("note"), **amounts)


def _surveyed(each: Ownership) -> Quote:
    return Quote(each.gpu, SURVEY, Terms.RESERVED, each.rental, each.date, f"{each.status}: {each.note}", each.rental, each.rental)
