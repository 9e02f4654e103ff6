"""LiteLLM's spend log: rows that LiteLLM wrote, priced by another's list to what LiteLLM says they cost; and what is wrong with rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from tokenworth.core.instants import parse_instant
from tokenworth.core.money import format_amount
from tokenworth.feeds.list_prices import ListPrices
from tokenworth.feeds.usage import litellm
from tokenworth.flows.elsewhere.reported import Reported
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.rate import charge

GOLDEN = Path(__file__).parent.parent.parent / "golden" / "litellm_spend_logs.jsonl"
ROWS = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
COUNTS = [
    {"input": 176, "cache_read": 1024, "output": 180, "reasoning": 120},
    {"input": 21, "cache_read": 5000, "cache_write_5m": 100, "cache_write_1h": 88, "output": 393},
    {"input": 9, "output": 2},
    {"input": 8},
    {"input": 176, "cache_read": 1024, "output": 180, "reasoning": 120},
    {"input": 176, "cache_read": 1024, "output": 180, "reasoning": 120},
]
"""What the vendors' answers said, each token once."""


def read(row: dict[str, Any]) -> Reported:
    found = litellm.read(1, row, customer="team_id")
    assert not found.problems
    assert found.found is not None
    return found.found


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_tokens_count_once(number: int) -> None:
    assert read(ROWS[number]).counts == COUNTS[number]


@pytest.mark.parametrize("number", [number for number, row in enumerate(ROWS) if row["spend"]])
def test_they_cost_what_litellm_says(number: int) -> None:
    """Its prices are its own, ours those of genai-prices; a cached token counted twice would show in dollars."""
    row, reported = ROWS[number], read(ROWS[number])
    terms = ListPrices().terms(row["custom_llm_provider"], row["model"], reported.at)
    assert float(format_amount(charge(Usage(reported.counts), terms).nano)) == pytest.approx(row["spend"], abs=1e-9)


def test_a_row_says_who_and_what_and_when() -> None:
    reported = read(ROWS[2])
    assert (reported.source, reported.id, reported.customer) == ("litellm", "chatcmpl-213", "team-1")
    assert (reported.asked, reported.served) == (("chat",), ("gpt-5.4-mini",))
    assert (reported.at, reported.ended) == (parse_instant("2026-11-25T03:25:40.140Z"), parse_instant("2026-11-25T03:25:40.377Z"))
    assert reported.first_token == 78_000


def test_a_response_id_that_repeats_is_another_use_under_the_same_name() -> None:
    first, again = read(ROWS[0]), read(ROWS[4])
    assert ROWS[0]["request_id"] == ROWS[4]["request_id"] == "chatcmpl-ABC123"
    assert first.event == again.event
    assert first.body != again.body
    # LiteLLM gives what came from its own cache a name of its own
    assert read(ROWS[5]).event != first.event
    assert [read(row).from_cache for row in ROWS] == [False] * 5 + [True]


def test_times_without_an_offset_are_utc_as_litellm_writes_them() -> None:
    row = ROWS[2] | {"startTime": "2026-03-31 23:59:59.9", "endTime": "2026-04-01 00:00:01"}
    assert read(row).at == parse_instant("2026-03-31T23:59:59.900000Z")


def test_columns_do_where_there_is_no_usage_object() -> None:
    added = {"prompt_tokens_details": {"cached_tokens": 1024}, "cache_read_input_tokens": 1024}
    row = ROWS[0] | {"metadata": {"additional_usage_values": added}}
    assert read(row).counts == {"input": 176, "cache_read": 1024, "output": 300}
    # as a CSV has them
    assert read(ROWS[0] | {"metadata": "", "prompt_tokens": "12", "completion_tokens": "3", "total_tokens": "15"}).counts == {
        "input": 12,
        "output": 3,
    }


NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "metadata": "{}"}


def test_what_failed_is_told_as_failed() -> None:
    assert read(ROWS[0] | NOTHING | {"status": "failure"}).failed
    assert read(ROWS[0] | NOTHING | {"status": None, "metadata": {"status": "failure"}}).failed


@pytest.mark.parametrize("call", ["aget_responses", "get_responses", "adelete_responses"])
def test_looking_at_an_answer_again_is_no_use(call: str) -> None:
    found = litellm.read(1, ROWS[0] | {"call_type": call})
    assert (found.found, found.problems) == (None, ())


def usage(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = ROWS[1]
    whole = json.loads(row["metadata"])["usage_object"]
    return row | {"metadata": {"usage_object": whole | changes}}


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no id": (ROWS[0] | {"request_id": ""}, "missing_field", "request_id"),
    "an id that is none": (ROWS[0] | {"request_id": "None"}, "missing_field", "request_id"),
    "no customer": (ROWS[0] | {"team_id": ""}, "missing_field", "team_id"),
    "no usage": (ROWS[0] | NOTHING, "no_usage", "total_tokens"),
    "a date": (ROWS[0] | {"startTime": "2026-11-25"}, "bad_instant", "startTime"),
    "images": (ROWS[0] | {"call_type": "aimage_generation"}, "unknown_call", "call_type"),
    "a class of tokens that nobody knows": (usage(thought_tokens=3), "unknown_unit", "metadata"),
    "cached counts that differ": (usage(cache_read_input_tokens=4999), "bad_usage", "metadata"),
    "more cached than there was": (usage(prompt_tokens=5000, total_tokens=5393), "bad_usage", "metadata"),
    "columns that differ from the object": (ROWS[0] | {"prompt_tokens": 1201}, "bad_usage", "prompt_tokens"),
    "metadata that is no object": (ROWS[0] | {"metadata": "[1]"}, "bad_json", "metadata"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_its_field(case: str) -> None:
    row, code, field = WRONG[case]
    found = litellm.read(7, row, customer="team_id")
    assert found.found is None
    assert (code, field) in [(each.code, each.field) for each in found.problems]
    assert all(each.mend for each in found.problems if each.code != "bad_usage")
