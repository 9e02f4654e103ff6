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


def test_searches_of_a_whole_response_are_billed() -> None:
    """GPT-5.4 mini: $0.75 a million in, $4.50 out; $10 a thousand searches."""
    payload = {"usage": {"input_tokens": 10, "output_tokens": 4}, "output": [{"type": "web_search_call", "status": "completed"}]}
    (found,) = results(line(api="responses", model="gpt-5.4-mini", at="2026-08-01", payload=payload))
    assert isinstance(found, Metered)
    assert found.cost.pico == 10 * parse_rate("0.75") + 4 * parse_rate("4.5") + 10**10


@pytest.mark.parametrize(
    ("provider", "model", "rate"),
    [
        # each at its own list's input price, in dollars a million
        ("groq", "llama-3.3-70b-versatile", "0.59"),
        ("cerebras", "llama3.1-8b", "0.1"),
        ("moonshot", "kimi-k2-0905-preview", "0.6"),
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "0.88"),
        ("xai", "grok-4", "3"),
        ("mistral", "mistral-large-2411", "2"),
    ],
)
def test_who_speaks_openai_is_priced_by_its_own_list(provider: str, model: str, rate: str) -> None:
    (found,) = results(line(provider=provider, model=model, payload={"prompt_tokens": 100, "completion_tokens": 0}))
    assert isinstance(found, Metered)
    assert found.cost.pico == 100 * parse_rate(rate)


@pytest.mark.parametrize(
    ("provider", "asked", "served"),
    [
        ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "gpt-5.4-mini", "gpt-5.4-mini-2026-03-17"),
        # not listed, so it costs what its model does
        ("openai", "gpt-5.4-mini", "gpt-5.4-mini-2026-03-05"),
        ("openai", "gpt-5.4-mini", "GPT-5.4-mini"),
        ("openai", "gpt-5.4-mini", ""),
        ("openai", "gpt-5.4-mini", None),
        ("openrouter", "anthropic/claude-sonnet-4.6", "anthropic/claude-4.6-sonnet-20260217"),
        ("x-ai", "grok-4", "grok-4-0709"),
    ],
)
def test_a_version_of_the_model_is_the_model(provider: str, asked: str, served: str | None) -> None:
    payload = {"usage": {"prompt_tokens": 100, "completion_tokens": 40}, "model": served}
    (found,) = results(line(provider=provider, model=asked, at="2026-08-01", payload=payload))
    assert isinstance(found, Metered), found.error


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-5.4-mini", "gpt-5.4"),
        ("gpt-5.4", "gpt-5.4-mini"),
        # a version with a price of its own
        ("gpt-4o", "gpt-4o-2024-05-13"),
        ("gpt-4o", "gpt-99"),
        ("gpt-4o", "gpt-99-2026-01-01"),
    ],
)
def test_another_model_than_the_line_says_is_an_error_that_names_both(asked: str, served: str) -> None:
    payload = {"usage": {"prompt_tokens": 100, "completion_tokens": 40}, "model": served}
    (found,) = results(line(model=asked, at="2026-08-01", payload=payload))
    assert isinstance(found, Failed)
    assert found.error.code == "other_model"
    assert f"'{asked}'" in found.error.what
    assert f"'{served}'" in found.error.what


def deep(depth: int) -> bytes:
    return line(payload={"prompt_tokens": 1, "completion_tokens": 1, "x": 0}).replace(b'"x": 0', b'"x": ' + b"[" * depth + b"1" + b"]" * depth)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"not json\n", "bad_json"),
        (b"[1]\n", "bad_json"),
        (b"\xff\xfe\n", "bad_json"),
        (b"[" * 100_000 + b"\n", "bad_json"),
        *((deep(depth), "unknown_unit") for depth in (100, 300, 600)),
        (line(model=0).replace(b'"model": 0', b'"model": ' + b"[" * 900 + b"]" * 900), "bad_field"),
        (line().replace(b'"prompt_tokens": 100', b'"prompt_tokens": 100, "prompt_tokens": 1'), "duplicate_key"),
        (line().replace(b'"model":', b'"model": "gpt-4", "model":'), "duplicate_key"),
        (b'{"provider": "openai"}\n', "missing_field"),
        (line(model=None), "bad_field"),
        # names stand in tables: half a character cannot be written there, and a control character may write anywhere
        (line(provider="anthropic", api="messages", model="claude-sonnet-4-5\ud800"), "bad_field"),
        (line(model="gpt-4o\x1b[31m"), "bad_field"),
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


def test_the_line_of_any_depth_is_an_error_of_its_own() -> None:
    for depth in range(850, 1_010, 3):
        (found,) = results(deep(depth))
        assert isinstance(found, Failed)
        assert found.error.code in ("unknown_unit", "bad_json")


def test_a_name_that_stands_twice_is_named() -> None:
    (found,) = results(line().replace(b'"cached_tokens": 64', b'"cached_tokens": 64, "cached_tokens": 0'))
    assert isinstance(found, Failed)
    assert "'cached_tokens' more than once" in found.error.what


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
