"""Whatever was used, every dialect gives back: leaves added up as a provider counts them come apart again, and sum to its total."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.measure.usage.dialects import meter

Leaves = Mapping[str, int]


def chat(n: Leaves) -> dict[str, Any]:
    """All input inside the prompt, reasoning inside the completion."""
    prompt, completion = n["input"] + n["cache_read"] + n["cache_write"], n["output"] + n["reasoning"]
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": n["cache_read"], "cache_write_tokens": n["cache_write"]},
        "completion_tokens_details": {"reasoning_tokens": n["reasoning"]},
    }


def responses(n: Leaves) -> dict[str, Any]:
    """The same under other names."""
    usage = chat(n)
    return {
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
        "total_tokens": usage["total_tokens"],
        "input_tokens_details": usage["prompt_tokens_details"],
        "output_tokens_details": usage["completion_tokens_details"],
    }


def messages(n: Leaves) -> dict[str, Any]:
    """The cache beside the input, in two lifetimes; thinking inside the output."""
    return {
        "input_tokens": n["input"],
        "cache_read_input_tokens": n["cache_read"],
        "cache_creation_input_tokens": n["cache_write_5m"] + n["cache_write_1h"],
        "cache_creation": {"ephemeral_5m_input_tokens": n["cache_write_5m"], "ephemeral_1h_input_tokens": n["cache_write_1h"]},
        "output_tokens": n["output"] + n["reasoning"],
        "output_tokens_details": {"thinking_tokens": n["reasoning"]},
        "server_tool_use": {"web_search_requests": n["web_search"]},
    }


def generate_content(n: Leaves) -> dict[str, Any]:
    """The cache inside the prompt, thoughts and tools beside; modalities in lists of their own."""
    prompt = n["input"] + n["input_audio"] + n["cache_read"] + n["cache_read_audio"]
    candidates = n["output"] + n["output_image"]
    return {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": n["cache_read"] + n["cache_read_audio"],
        "toolUsePromptTokenCount": n["input_tool"],
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": n["reasoning"],
        "totalTokenCount": prompt + n["input_tool"] + candidates + n["reasoning"],
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": n["input_audio"] + n["cache_read_audio"]}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": n["cache_read_audio"]}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": n["output_image"]}],
    }


OPENAI = ("input", "cache_read", "cache_write", "output", "reasoning")
ANTHROPIC = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "web_search")
GEMINI = ("input", "input_audio", "input_tool", "cache_read", "cache_read_audio", "output", "output_image", "reasoning")


@pytest.mark.parametrize(
    ("provider", "api", "told", "units"),
    [
        ("openai", "chat", chat, OPENAI),
        ("openai", "responses", responses, OPENAI),
        ("openrouter", "chat", chat, OPENAI),
        ("anthropic", "messages", messages, ANTHROPIC),
        ("google", "anthropic", messages, ANTHROPIC),
        ("google", "generate_content", generate_content, GEMINI),
    ],
)
@given(data=st.data())
def test_leaves_come_back(provider: str, api: str, told: Callable[[Leaves], dict[str, Any]], units: tuple[str, ...], data: st.DataObject) -> None:
    leaves = data.draw(st.fixed_dictionaries({name: st.integers(0, 1_000_000) for name in units}))
    found = meter(provider, api, told(leaves)).usage
    assert found.counts == {name: count for name, count in leaves.items() if count}
    assert found.input_tokens + found.output_tokens + found.counts.get("web_search", 0) == sum(leaves.values())
