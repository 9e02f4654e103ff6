"""Demand over time by name: shipped series and request traces, or a file of one's own, such as `tokenworth export events --format csv` writes.

Sources, dates and licences stand in `data/traces/README.md`.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from math import isfinite
from pathlib import Path

from tokenworth.core.errors import InputError, InstantError
from tokenworth.core.instants import SECOND, parse_instant
from tokenworth.core.units import UNITS, Unit
from tokenworth.feeds import traces
from tokenworth.feeds.columns import Line, read_file
from tokenworth.measure.cost.demand import CLASSES, Demand, Tokens, binned, from_rates
from tokenworth.measure.cost.prefix import Prompt, hits

SERVEGEN = "servegen:"
SERIES_SECONDS = 600
REQUEST_SECONDS = 60
"""Length of an interval of requests unless asked otherwise."""
NEEDED = ("at", "input", "output")


def names() -> list[str]:
    """Return what `shipped` knows."""
    return [*(f"{SERVEGEN}{name}" for name in _means()), *traces.TRACES]


def shipped(name: str, *, seconds: int | None = None, hit_rate: float | None = None, cache_tokens: int | None = None) -> Demand:
    """Return a shipped series or trace as demand; InputError names the known ones.

    Args:
        name: one of `names()`.
        seconds: length of the intervals of a request trace; the series have 600.
        hit_rate: share of the input that is cached; else as the trace says, which is nothing but for Mooncake's.
        cache_tokens: size of the prefix cache against which Mooncake's block hashes are replayed; else it is unbounded.
    """
    if name.startswith(SERVEGEN) and name.removeprefix(SERVEGEN) in _means():
        if cache_tokens is not None or seconds not in (None, SERIES_SECONDS):
            raise InputError(f"{name} is a series of 10 minutes without prompts", mend="give a hit rate, and no other interval", code="bad_option")
        return _series(name.removeprefix(SERVEGEN), hit_rate or 0.0)
    if name not in traces.TRACES:
        raise InputError(f"no demand is called {name!r}", mend=f"use one of {', '.join(names())}, or a file", code="unknown_demand")
    if cache_tokens is not None and hit_rate is not None:
        raise InputError("the size of a cache says its hit rate", mend="give one of the two", code="bad_option")
    rows = traces.load(name)
    cached = list(_replayed(name, cache_tokens)) if cache_tokens is not None else [row.cached for row in rows]
    requests = (
        (row.offset_us / SECOND, _split(row.input, row.input * hit_rate if hit_rate is not None else known, row.output))
        for row, known in zip(rows, cached, strict=True)
    )
    return binned(requests, seconds or REQUEST_SECONDS, name)


def read_demand(path: Path, *, seconds: int | None = None, hit_rate: float | None = None) -> Demand:
    """Return a file of requests as demand: `at` as an instant or in seconds, and a column for each unit that it has; InputError with all problems."""
    found = read_file(path, NEEDED, _request)
    if hit_rate is not None:
        found = [(at, _split(tokens.input + tokens.cache_read, (tokens.input + tokens.cache_read) * hit_rate, tokens.output)) for at, tokens in found]
    return binned(found, seconds or REQUEST_SECONDS, path.name)


def prompts(name: str) -> list[Prompt]:
    """Return the prompts of a trace with block hashes; InputError where it has none."""
    return [Prompt(tokens, blocks) for tokens, blocks in traces.prefix_blocks(name)]


def _replayed(name: str, capacity: int) -> Iterator[int]:
    return hits(prompts(name), traces.BLOCK_TOKENS, capacity)


def _split(tokens: float, cached: float, output: float) -> Tokens:
    return Tokens(tokens - cached, cached, output)


def _series(name: str, hit_rate: float) -> Demand:
    tokens_in, tokens_out = _means()[name]
    packed = files("tokenworth") / "data" / "traces" / "servegen_rate_10min.csv.gz"
    with packed.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8", newline="") as lines:
        rates = [float(row["req_per_s"]) for row in csv.DictReader(lines) if row["model_class"] == name]
    request = _split(tokens_in, tokens_in * hit_rate, tokens_out)
    return from_rates(rates, SERIES_SECONDS, request, source=SERVEGEN + name)


@cache
def _means() -> Mapping[str, tuple[float, float]]:
    text = (files("tokenworth") / "data" / "traces" / "servegen_mean_tokens.csv").read_text(encoding="utf-8")
    return {row["model_class"]: (float(row["mean_input"]), float(row["mean_output"])) for row in csv.DictReader(text.splitlines())}


def _request(line: Line) -> tuple[float, Tokens]:
    counts = dict.fromkeys(CLASSES, 0.0)
    for name, unit in UNITS.items():
        if unit.direction and name in line.fields:
            counts[_class(unit)] += line.amount(name, 0.0)
    return _seconds(line), Tokens(**counts)


def _class(unit: Unit) -> str:
    """Return the class of a unit: what was read from a cache, other input, or output."""
    return "cache_read" if ("cache", "read") in unit.dimensions else unit.direction


def _seconds(line: Line) -> float:
    text = line.text("at")
    with suppress(ValueError):
        if isfinite(seconds := float(text)):
            return seconds
    try:
        return parse_instant(text) / SECOND
    except InstantError as error:
        line.refuse("at", error.what, error.mend or "write seconds, or an instant with its offset")
        return 0.0
