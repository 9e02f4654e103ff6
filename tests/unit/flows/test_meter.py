"""Metering line by line: a bad line is an error of its own, whatever is wrong with it, and no other line's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tokenworth.core.money import parse_rate
from tokenworth.feeds.list_prices import ListPrices
from tokenworth.flows.meter import Failed, Metered, meter_lines

GOOD = {
    "provider": "openai",
    "api": "chat",
    "model": "gpt-4o",
    "at": "2026-01-31",
    "payload": {"prompt_tokens": 100, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 64}},
}
PICO = (36 * parse_rate("2.5")) + (64 * parse_rate("1.25")) + (40 * parse_rate("10"))
"""GPT-4o's page: $2.50 a million in, $1.25 from the cache, $10 out."""


def line(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode() + b"\n"


def results(*lines: bytes) -> list[Metered | Failed]:
    return list(meter_lines(lines, ListPrices()))


def test_a_line_is_counted_and_priced() -> None:
    (found,) = results(line())
    assert isinstance(found, Metered)
    assert found.cost.usage.counts == {"input": 36, "cache_read": 64, "output": 40}
    assert found.cost.pico == PICO
    assert sum(each.pico for each in found.cost.lines) == PICO


def test_what_changes_the_price_comes_from_the_payload() -> None:
    """GPT-4.1 at priority: $3.50 a million in and $14 out, listed from 2026-10-12."""
    usage = {"prompt_tokens": 100, "completion_tokens": 40}
    (found,) = results(line(model="gpt-4.1", at="2026-11-01", payload={"usage": usage, "service_tier": "priority"}))
    assert isinstance(found, Metered)
    assert found.cost.pico == 100 * parse_rate("3.5") + 40 * parse_rate("14")
    assert found.cost.terms.source.endswith("openai/gpt-4.1 from 2026-10-12 service_tier=priority")


def test_searches_are_billed_beside_the_tokens() -> None:
    """Claude Sonnet 4.5: $3 a million in, $15 out; $10 a thousand searches, whatever the count of fetches."""
    tools = {"web_search_requests": 3, "web_fetch_requests": 9}
    payload = {"input_tokens": 10, "output_tokens": 4, "server_tool_use": tools}
    (found,) = results(line(provider="anthropic", api="messages", model="claude-sonnet-4-5", payload=payload))
    assert isinstance(found, Metered)
    assert found.cost.pico == 10 * parse_rate("3") + 4 * parse_rate("15") + 3 * 10**10


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"not json\n", "bad_json"),
        (b"[1]\n", "bad_json"),
        (b"\xff\xfe\n", "bad_json"),
        (b"[" * 100_000 + b"\n", "bad_json"),
        (b'{"provider": "openai"}\n', "missing_field"),
        (line(model=None), "bad_field"),
        (line(at=20260131), "bad_field"),
        (line(at="2026-01-31T12:00:00"), "bad_instant"),
        (line(at="9999-12-31T23:59:59-01:00"), "bad_instant"),
        (line(payload={"usage": None}), "bad_usage"),
        (line(payload=GOOD["payload"] | {"hologram_tokens": 1}), "unknown_unit"),  # type: ignore[operator]
        (line(payload={"usage": GOOD["payload"], "service_tier": "gold"}), "unknown_context"),
        (line(api="smell"), "unknown_dialect"),
        (line(model="gpt-99"), "unknown_model"),
        (line(provider="mars"), "unknown_dialect"),
        # listed, with rates for audio hours only: what has no rate is not free
        (line(model="whisper-1"), "unpriced"),
    ],
)
def test_a_bad_line_is_its_own_error(bad: bytes, code: str) -> None:
    before, wrong, after = results(line(), bad, line())
    assert isinstance(before, Metered)
    assert isinstance(after, Metered)
    assert before.cost == after.cost
    assert isinstance(wrong, Failed)
    assert (wrong.line, wrong.error.code, after.line) == (2, code, 3)
    assert wrong.error.what


def test_blank_lines_keep_the_numbers_and_a_byte_order_mark_is_no_error() -> None:
    first, second = results(b"\xef\xbb\xbf" + line(), b" \n", line())
    assert isinstance(first, Metered)
    assert (first.line, second.line) == (1, 3)


def test_lines_are_read_one_by_one() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield line()

    found = meter_lines(endless(), ListPrices())
    assert [next(found).line for _ in range(3)] == [1, 2, 3]
