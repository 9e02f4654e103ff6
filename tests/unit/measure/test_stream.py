"""A stream's chunks fold into one response whose tokens count once."""

from typing import Any

import pytest

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.dialects import meter
from tokenworth.measure.usage.stream import chat_chunks

USAGE = {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140}
RUNNING = {"prompt_tokens": 100, "completion_tokens": 12, "total_tokens": 112}
WORD = {"choices": [{"delta": {"content": "x"}}], "usage": None, "model": "m-1"}


@pytest.mark.parametrize(
    "chunks",
    [
        [WORD, WORD, {"choices": [], "usage": USAGE}],
        # sent twice, it counts once
        [WORD, {"usage": USAGE}, {"usage": USAGE}],
        # running totals: the last holds
        [WORD | {"usage": RUNNING}, WORD | {"usage": USAGE}],
        # null after it takes nothing back
        [WORD, {"usage": USAGE}, WORD],
    ],
)
@pytest.mark.parametrize("provider", ["openai", "openrouter"])
def test_the_last_usage_counts_once(provider: str, chunks: list[dict[str, Any]]) -> None:
    found = meter(provider, "chat", chunks)
    assert found.usage.counts == {"input": 100, "output": 40}
    assert found.model == "m-1"


def test_the_tier_that_was_served_is_kept() -> None:
    chunks = [WORD | {"service_tier": "auto"}, WORD | {"service_tier": "priority"}, {"usage": USAGE, "service_tier": None}]
    assert meter("openai", "chat", chunks).context == {"service_tier": "priority"}


@pytest.mark.parametrize(
    ("chunks", "words"),
    [([], "no chunk"), ([WORD, WORD], "no chunk .*include_usage"), ([WORD, "[DONE]"], r"chunk 1 .*'\[DONE\]', not an object")],
)
def test_a_stream_without_usage_is_no_zero(chunks: list[Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        meter("openai", "chat", chunks)


def test_a_usage_that_is_no_object_is_named_even_where_it_looks_like_none() -> None:
    with pytest.raises(UsageError, match="usage is 0"):
        meter("openai", "chat", [{"usage": 0}])


def test_folding_changes_no_chunk() -> None:
    chunks = [dict(WORD), {"usage": dict(USAGE)}]
    chat_chunks(chunks)
    assert chunks == [WORD, {"usage": USAGE}]


START = {"type": "message_start", "message": {"model": "m-1", "usage": {"input_tokens": 100, "cache_read_input_tokens": 900, "output_tokens": 1}}}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}, "usage": {"output_tokens": 7}}
STOP = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 40, "input_tokens": None}}
SEARCH = {"type": "web_search_call", "status": "completed"}
ENDED = {"type": "response.completed", "response": {"model": "m-1", "output": [SEARCH], "usage": {"input_tokens": 100, "output_tokens": 40}}}
PART = {"candidates": [{"content": {}}], "usageMetadata": {"promptTokenCount": 100}}
LAST = {"modelVersion": "m-1", "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 40, "thoughtsTokenCount": 5}}
SOUGHT = {"candidates": [{"groundingMetadata": {"webSearchQueries": ["x"]}}]}


@pytest.mark.parametrize(
    ("provider", "api", "chunks", "leaves"),
    [
        # counts of the end replace those of the start, a null takes nothing back
        ("anthropic", "messages", [START, {"type": "ping"}, TEXT, STOP, {"type": "message_stop"}], {"input": 100, "cache_read": 900, "output": 40}),
        ("aws", "messages", [START, STOP | {"usage": {"output_tokens": 9}}, STOP], {"input": 100, "cache_read": 900, "output": 40}),
        ("openai", "responses", [{"type": "response.created", "response": {"usage": None}}, ENDED], {"input": 100, "output": 40, "web_search": 1}),
        ("openai", "responses", [ENDED | {"type": "response.incomplete"}], {"input": 100, "output": 40, "web_search": 1}),
        ("google", "generate_content", [PART, SOUGHT, LAST], {"input": 100, "output": 40, "reasoning": 5, "web_search": 1}),
    ],
)
def test_streams_of_other_apis(provider: str, api: str, chunks: list[Any], leaves: dict[str, int]) -> None:
    found = meter(provider, api, chunks)
    assert found.usage.counts == leaves
    assert found.model == "m-1"


@pytest.mark.parametrize(
    ("provider", "api", "chunks", "words"),
    [
        ("anthropic", "messages", [START, TEXT], "no message_delta"),
        ("anthropic", "messages", [STOP], "input_tokens is None|input_tokens is missing"),
        ("anthropic", "messages", [START, 5], "chunk 1 of the stream is 5"),
        ("anthropic", "messages", [{"type": "message_start", "message": 5}], "event.message is 5"),
        ("openai", "responses", [{"type": "response.created", "response": {}}], "none of the events"),
        ("openai", "responses", [ENDED, None], "chunk 1 of the stream is None"),
        ("openai", "responses", [{"type": "response.completed"}], "input_tokens is missing"),
        ("openai", "responses", [{"type": ["response.completed"]}], "not text"),
        ("google", "generate_content", [SOUGHT], "no chunk of the stream has usageMetadata"),
        ("google", "generate_content", [], "no chunk of the stream has usageMetadata"),
        ("openai", "embeddings", [{"usage": USAGE}], "not an object"),
    ],
)
def test_a_stream_that_broke_off_is_no_zero(provider: str, api: str, chunks: list[Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        meter(provider, api, chunks)
