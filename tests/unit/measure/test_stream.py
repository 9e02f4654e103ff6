"""A stream's chunks fold into one response whose tokens count once."""

from typing import Any

import pytest

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.dialects import meter
from tokenworth.measure.usage.stream import fold

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
    fold(chunks)
    assert chunks == [WORD, {"usage": USAGE}]


def test_only_chat_streams_come_in_chunks() -> None:
    with pytest.raises(UsageError, match="not an object"):
        meter("anthropic", "messages", [{"usage": USAGE}])
