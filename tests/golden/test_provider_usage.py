"""Real payloads of providers: the counts and the dollars that an independent project expects of them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tokenworth.core.instants import parse_instant
from tokenworth.feeds.list_prices import ListPrices
from tokenworth.flows.meter import Metered, meter_lines
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.dialects import meter
from tokenworth.price.rate import charge

ROWS: list[dict[str, Any]] = [json.loads(line) for line in (Path(__file__).parent / "provider_usage_140.jsonl").read_text().splitlines()]
TAKEN, DAY_BEFORE = "2026-08-21", "2026-08-20"
PRICES = ListPrices()


def overlapping(usage: Usage) -> dict[str, int]:
    """Add our disjoint leaves up to the source's overlapping counts; text is its word for input without another modality."""
    counts = usage.counts
    sums = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": counts.get("cache_read", 0),
        "cache_write_tokens": sum(counts.get(name, 0) for name in ("cache_write", "cache_write_5m", "cache_write_1h")),
        "cache_write_5m_tokens": counts.get("cache_write_5m", 0),
        "cache_write_1h_tokens": counts.get("cache_write_1h", 0),
        "input_tool_tokens": counts.get("input_tool", 0),
        "output_reasoning_tokens": counts.get("reasoning", 0),
    }
    return {name: count for name, count in sums.items() if count}


def dollars(row: dict[str, Any], day: str) -> Decimal:
    metered = meter(row["provider"], row["api_flavor"], row["payload"])
    terms = PRICES.terms(row["provider"], row["model"], parse_instant(day), metered.context)
    return Decimal(charge(metered.usage, terms).pico).scaleb(-12)


def test_there_are_140() -> None:
    assert len(ROWS) == 140


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['provider']}-{row['api_flavor']}-{row['model']}")
def test_counts(row: dict[str, Any]) -> None:
    metered = meter(row["provider"], row["api_flavor"], row["payload"])
    ours = overlapping(metered.usage)
    # lifetimes and text details are stated by the source for some payloads only; what it states must be equal
    stated = {name: count for name, count in row["usage"].items() if "text" not in name}
    assert {name: ours.get(name, 0) for name in stated} == stated
    unstated = {name for name in ours if name not in row["usage"]} - {"cache_write_5m_tokens"}
    assert not unstated
    assert sum(metered.usage.counts.values()) == row["usage"]["input_tokens"] + row["usage"].get("output_tokens", 0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['provider']}-{row['api_flavor']}-{row['model']}")
def test_dollars(row: dict[str, Any]) -> None:
    """At the prices known on the day before the rows were taken; a price that begins on that very day came to be known later."""
    assert dollars(row, DAY_BEFORE) == Decimal(row["usd"])


def test_every_row_is_a_line_that_can_be_metered() -> None:
    lines = [json.dumps(row | {"api": row["api_flavor"], "at": DAY_BEFORE}).encode() for row in ROWS]
    found = [result for result in meter_lines(lines, PRICES) if isinstance(result, Metered)]
    assert [Decimal(result.cost.pico).scaleb(-12) for result in found] == [Decimal(row["usd"]) for row in ROWS]


def test_what_differs_on_the_day_itself_is_a_price_that_begins_on_it() -> None:
    moved = [row for row in ROWS if dollars(row, TAKEN) != Decimal(row["usd"])]
    begun = {row["model"] for row in ROWS if PRICES.terms(row["provider"], row["model"], parse_instant(TAKEN)).since == parse_instant(TAKEN)}
    assert {row["model"] for row in moved} == begun
