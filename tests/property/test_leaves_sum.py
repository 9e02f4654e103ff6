"""Every token once: whatever details a provider states, the leaves sum to its own totals, and taking a response or its usage is the same."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.dialects import meter

n = st.integers(0, 10**6)


def both(provider: str, api: str, name: str, usage: Mapping[str, Any]) -> Usage:
    bare, whole = meter(provider, api, usage), meter(provider, api, {"model": "m", name: usage})
    assert bare.usage == whole.usage
    return bare.usage


@given(fresh=n, read=n, write=n, text=n, thought=n)
def test_openai_and_openrouter_hold_the_parts_inside(fresh: int, read: int, write: int, text: int, thought: int) -> None:
    into, out = fresh + read + write, text + thought
    leaves = {"input": fresh, "cache_read": read, "cache_write": write, "output": text, "reasoning": thought}
    inside = {"cached_tokens": read, "cache_write_tokens": write}
    chat = {
        "prompt_tokens": into,
        "completion_tokens": out,
        "total_tokens": into + out,
        "prompt_tokens_details": inside,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    responses = {
        "input_tokens": into,
        "output_tokens": out,
        "total_tokens": into + out,
        "input_tokens_details": inside,
        "output_tokens_details": {"reasoning_tokens": thought},
    }
    for provider, api, usage in (("openai", "chat", chat), ("openrouter", "chat", chat), ("openai", "responses", responses)):
        metered = both(provider, api, "usage", usage)
        assert metered.counts == {name: count for name, count in leaves.items() if count}
        assert (metered.input_tokens, metered.output_tokens) == (into, out)


@given(fresh=n, read=n, short=n, long=n, text=n, thought=n, search=n)
def test_anthropic_holds_the_cache_beside(**parts: int) -> None:
    usage = {
        "input_tokens": parts["fresh"],
        "cache_read_input_tokens": parts["read"],
        "cache_creation_input_tokens": parts["short"] + parts["long"],
        "cache_creation": {"ephemeral_5m_input_tokens": parts["short"], "ephemeral_1h_input_tokens": parts["long"]},
        "output_tokens": parts["text"] + parts["thought"],
        "output_tokens_details": {"thinking_tokens": parts["thought"]},
        "server_tool_use": {"web_search_requests": parts["search"]},
    }
    leaves = {
        "input": parts["fresh"],
        "cache_read": parts["read"],
        "cache_write_5m": parts["short"],
        "cache_write_1h": parts["long"],
        "output": parts["text"],
        "reasoning": parts["thought"],
        "web_search": parts["search"],
    }
    for provider, api in (("anthropic", "messages"), ("google", "anthropic")):
        assert both(provider, api, "usage", usage).counts == {name: count for name, count in leaves.items() if count}


@given(text=n, audio=n, read=n, read_audio=n, tool=n, tool_image=n, answer=n, image=n, thought=n)
def test_gemini_holds_thoughts_and_tools_beside(**parts: int) -> None:
    prompt = parts["text"] + parts["audio"] + parts["read"] + parts["read_audio"]
    tools, candidates = parts["tool"] + parts["tool_image"], parts["answer"] + parts["image"]
    usage = {
        "promptTokenCount": prompt,
        "promptTokensDetails": listed(TEXT=parts["text"] + parts["read"], AUDIO=parts["audio"] + parts["read_audio"]),
        "cachedContentTokenCount": parts["read"] + parts["read_audio"],
        "cacheTokensDetails": listed(TEXT=parts["read"], AUDIO=parts["read_audio"]),
        "toolUsePromptTokenCount": tools,
        "toolUsePromptTokensDetails": listed(TEXT=parts["tool"], IMAGE=parts["tool_image"]),
        "candidatesTokenCount": candidates,
        "candidatesTokensDetails": listed(TEXT=parts["answer"], IMAGE=parts["image"]),
        "thoughtsTokenCount": parts["thought"],
        "totalTokenCount": prompt + tools + candidates + parts["thought"],
    }
    metered = both("google", "generate_content", "usageMetadata", usage)
    leaves = {
        "input": parts["text"],
        "input_audio": parts["audio"],
        "input_image": parts["tool_image"],
        "input_tool": parts["tool"],
        "cache_read": parts["read"],
        "cache_read_audio": parts["read_audio"],
        "output": parts["answer"],
        "output_image": parts["image"],
        "reasoning": parts["thought"],
    }
    assert metered.counts == {name: count for name, count in leaves.items() if count}
    assert sum(metered.counts.values()) == usage["totalTokenCount"]


def listed(**counts: int) -> list[dict[str, Any]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items()]
