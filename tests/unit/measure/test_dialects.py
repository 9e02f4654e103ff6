"""Each dialect by table, and each way in which neighbours count wrongly."""

from typing import Any

import pytest

from tokenworth.core.errors import UnknownUnitError, UsageError
from tokenworth.measure.usage.dialects import DIALECTS, meter

CHAT = {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140}
CLAUDE = {"input_tokens": 100, "output_tokens": 40}
GEMINI = {"promptTokenCount": 100, "candidatesTokenCount": 40}


@pytest.mark.parametrize(
    ("provider", "api", "usage", "leaves"),
    [
        ("openai", "chat", CHAT, {"input": 100, "output": 40}),
        # cached is inside input: counted once
        ("openai", "chat", CHAT | {"prompt_tokens_details": {"cached_tokens": 64}}, {"input": 36, "cache_read": 64, "output": 40}),
        # reasoning is inside output: counted once
        ("openai", "chat", CHAT | {"completion_tokens_details": {"reasoning_tokens": 30}}, {"input": 100, "output": 10, "reasoning": 30}),
        ("openai", "chat", CHAT | {"prompt_tokens_details": None, "completion_tokens_details": None}, {"input": 100, "output": 40}),
        ("openai", "chat", CHAT | {"prompt_tokens_details": {"audio_tokens": 7}}, {"input": 93, "input_audio": 7, "output": 40}),
        # predictions that were rejected are output that was made, and billed
        ("openai", "chat", CHAT | {"completion_tokens_details": {"rejected_prediction_tokens": 9}}, {"input": 100, "output": 40}),
        ("openai", "chat", CHAT | {"prompt_cache_hit_tokens": 80, "prompt_cache_miss_tokens": 20}, {"input": 20, "cache_read": 80, "output": 40}),
        ("openai", "chat", CHAT | {"cached_tokens": 80}, {"input": 20, "cache_read": 80, "output": 40}),
        ("openai", "chat", CHAT | {"queue_time": 0.02, "total_time": 1.5}, {"input": 100, "output": 40}),
        (
            "openai",
            "responses",
            {"input_tokens": 100, "output_tokens": 40, "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 20}},
            {"input": 70, "cache_read": 10, "cache_write": 20, "output": 40},
        ),
        ("openai", "embeddings", {"prompt_tokens": 100, "total_tokens": 100}, {"input": 100}),
        # the cache stands beside input, not inside
        ("anthropic", "messages", CLAUDE | {"cache_read_input_tokens": 900}, {"input": 100, "cache_read": 900, "output": 40}),
        ("anthropic", "messages", CLAUDE | {"cache_creation_input_tokens": 50}, {"input": 100, "cache_write_5m": 50, "output": 40}),
        (
            "anthropic",
            "messages",
            CLAUDE
            | {
                "cache_creation_input_tokens": 50,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            },
            {"input": 100, "cache_write_5m": 20, "cache_write_1h": 30, "output": 40},
        ),
        (
            "anthropic",
            "messages",
            CLAUDE | {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 5}},
            {"input": 100, "output": 40, "web_search": 2},
        ),
        ("google", "anthropic", CLAUDE | {"cache_read_input_tokens": 900}, {"input": 100, "cache_read": 900, "output": 40}),
        # thoughts stand beside candidates
        ("google", "generate_content", GEMINI | {"thoughtsTokenCount": 25}, {"input": 100, "output": 40, "reasoning": 25}),
        ("google", "generate_content", GEMINI | {"toolUsePromptTokenCount": 30}, {"input": 100, "input_tool": 30, "output": 40}),
        ("google", "generate_content", GEMINI | {"cachedContentTokenCount": 60}, {"input": 40, "cache_read": 60, "output": 40}),
        (
            "google",
            "generate_content",
            GEMINI
            | {
                "cachedContentTokenCount": 60,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}, {"modality": "TEXT", "tokenCount": 70}],
                "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}, {"modality": "TEXT", "tokenCount": 40}],
            },
            {"input": 30, "input_audio": 10, "cache_read": 40, "cache_read_audio": 20, "output": 40},
        ),
        # what a tool reads is input of its modality: audio is not billed as text
        (
            "google",
            "generate_content",
            GEMINI | {"toolUsePromptTokenCount": 30, "toolUsePromptTokensDetails": [{"modality": "AUDIO", "tokenCount": 12}]},
            {"input": 100, "input_audio": 12, "input_tool": 18, "output": 40},
        ),
        # a page of a document is an image
        (
            "google",
            "generate_content",
            GEMINI | {"promptTokensDetails": [{"modality": "DOCUMENT", "tokenCount": 60}, {"modality": "IMAGE", "tokenCount": 5}]},
            {"input": 35, "input_image": 65, "output": 40},
        ),
        # a drawing that was thought about: thoughts are no candidates, so the two cannot overlap
        (
            "google",
            "generate_content",
            GEMINI | {"thoughtsTokenCount": 25, "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 30}]},
            {"input": 100, "output": 10, "output_image": 30, "reasoning": 25},
        ),
        # an hour is stated by its lifetime only; the sum is five minutes' where nothing is
        (
            "anthropic",
            "messages",
            CLAUDE | {"cache_creation": {"ephemeral_1h_input_tokens": 30}},
            {"input": 100, "cache_write_1h": 30, "output": 40},
        ),
        ("anthropic", "messages", CLAUDE | {"output_tokens_details": {"thinking_tokens": 15}}, {"input": 100, "output": 25, "reasoning": 15}),
        ("openrouter", "chat", CHAT | {"server_tool_use": {"web_search_requests": 2}}, {"input": 100, "output": 40, "web_search": 2}),
        ("openrouter", "chat", CHAT | {"cost": 0.01, "is_byok": False}, {"input": 100, "output": 40}),
        # explicit zeros are counts
        ("openai", "chat", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, {}),
    ],
)
def test_leaves(provider: str, api: str, usage: dict[str, Any], leaves: dict[str, int]) -> None:
    name = "usageMetadata" if api == "generate_content" else "usage"
    assert meter(provider, api, usage).usage.counts == leaves
    assert meter(provider, api, {name: usage}).usage.counts == leaves


@pytest.mark.parametrize(
    ("provider", "api", "payload", "words"),
    [
        ("openai", "chat", {"usage": None}, "usage is None"),
        ("openai", "chat", {}, "usage.prompt_tokens is missing"),
        ("openai", "chat", {"prompt_tokens": 5}, "usage.completion_tokens is missing"),
        ("openai", "chat", None, "not an object"),
        ("openai", "chat", CHAT | {"prompt_tokens": None}, "prompt_tokens is None"),
        ("openai", "chat", CHAT | {"prompt_tokens": -1}, "prompt_tokens is -1"),
        ("openai", "chat", CHAT | {"prompt_tokens": 1.0}, "prompt_tokens is 1.0"),
        ("openai", "chat", CHAT | {"prompt_tokens": True}, "prompt_tokens is True"),
        ("openai", "chat", CHAT | {"prompt_tokens": "100"}, "prompt_tokens is '100'"),
        ("openai", "chat", CHAT | {"total_tokens": 141}, r"total_tokens is 141, but prompt_tokens \(100\) \+ completion_tokens \(40\) is 140"),
        ("openai", "chat", CHAT | {"prompt_tokens_details": {"cached_tokens": 101}}, r"cache_read \(101\) exceed input \(100\)"),
        ("openai", "chat", CHAT | {"prompt_tokens_details": [1]}, "not an object"),
        ("openai", "chat", {"prompt_tokens": 10**12, "completion_tokens": 1}, "usage.prompt_tokens is 1000000000000"),
        # a zero that is stated is a count: nothing can be inside it
        ("openai", "chat", CHAT | {"prompt_tokens": 0, "total_tokens": 40, "prompt_tokens_details": {"cached_tokens": 5}}, "exceed input"),
        ("openai", "chat", {"usage": CHAT, "service_tier": {}}, "response.service_tier is {}, not text"),
        ("openai", "chat", {"usage": CHAT, "model": 4}, "response.model is 4, not text"),
        ("openai", "responses", {"input_tokens": 5, "output_tokens": 1, "total_tokens": 7}, "total_tokens is 7"),
        ("openai", "embeddings", {"prompt_tokens": 5, "total_tokens": 6}, "total_tokens is 6"),
        ("openrouter", "chat", CHAT | {"total_tokens": 141}, "total_tokens is 141"),
        ("anthropic", "messages", CLAUDE | {"speed": False}, "usage.speed is False, not text"),
        ("anthropic", "messages", CLAUDE | {"cache_read_input_tokens": 2.0}, r"usage.cache_read_input_tokens is 2.0"),
        ("google", "generate_content", GEMINI | {"thoughtsTokenCount": -1}, "usageMetadata.thoughtsTokenCount is -1"),
        (
            "google",
            "generate_content",
            GEMINI | {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": True}]},
            "promptTokensDetails: tokenCount of AUDIO is True",
        ),
        # details of a count that is not there
        (
            "google",
            "generate_content",
            GEMINI | {"toolUsePromptTokensDetails": [{"modality": "AUDIO", "tokenCount": 12}]},
            r"input_audio \(12\) exceed input \(0\)",
        ),
        ("openai", "chat", CHAT | {"prompt_cache_hit_tokens": 80, "prompt_cache_miss_tokens": 21}, "are not prompt_tokens"),
        ("openai", "chat", CHAT | {"prompt_tokens_details": {"cached_tokens": 9, "audio_tokens": 9}}, "may overlap"),
        (
            "anthropic",
            "messages",
            CLAUDE | {"cache_creation_input_tokens": 50, "cache_creation": {"ephemeral_5m_input_tokens": 20}},
            "is 50, but its lifetimes are 20",
        ),
        ("google", "generate_content", GEMINI | {"totalTokenCount": 1}, "totalTokenCount is 1"),
        ("google", "generate_content", GEMINI | {"promptTokensDetails": {}}, "not a list"),
    ],
)
def test_contradictions_are_named(provider: str, api: str, payload: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        meter(provider, api, payload)


@pytest.mark.parametrize(
    ("provider", "api", "payload", "words"),
    [
        ("openai", "chat", CHAT | {"hologram_tokens": 3}, "usage.hologram_tokens is 3"),
        ("openai", "chat", CHAT | {"prompt_tokens_details": {"hologram_tokens": 3}}, "prompt_tokens_details.hologram_tokens is 3"),
        ("openai", "chat", CHAT | {"more": [{"tokens": 3}]}, "usage.more is"),
        ("anthropic", "messages", CLAUDE | {"cache_creation": {"ephemeral_1d_input_tokens": 3}}, "ephemeral_1d_input_tokens is 3"),
        ("google", "generate_content", GEMINI | {"promptTokensDetails": [{"modality": "SMELL", "tokenCount": 3}]}, "SMELL"),
        ("google", "generate_content", GEMINI | {"promptTokensDetails": [{"modality": ["AUDIO"], "tokenCount": 3}]}, "modality"),
        ("anthropic", "messages", CLAUDE | {"server_tool_use": {"code_execution_requests": 3}}, "code_execution_requests is 3"),
        ("mars", "chat", CHAT, "no dialect for mars/chat"),
    ],
)
def test_what_nobody_knows_is_never_zero(provider: str, api: str, payload: Any, words: str) -> None:
    with pytest.raises(UnknownUnitError, match=words):
        meter(provider, api, payload)


def test_unknown_fields_that_count_nothing_pass() -> None:
    assert meter("openai", "chat", CHAT | {"note": "x", "flag": True, "hologram_tokens": 0, "details": {"a": 0}}).usage.input_tokens == 100


@pytest.mark.parametrize(
    ("provider", "api", "payload", "context"),
    [
        ("openai", "chat", {"usage": CHAT, "service_tier": "default"}, {}),
        ("openai", "chat", {"usage": CHAT, "service_tier": "priority"}, {"service_tier": "priority"}),
        ("anthropic", "messages", {"usage": CLAUDE | {"service_tier": "standard", "inference_geo": "not_available"}}, {}),
        ("anthropic", "messages", {"usage": CLAUDE | {"service_tier": "batch", "speed": "fast"}}, {"processing": "batch", "speed": "fast"}),
        ("anthropic", "messages", {"usage": CLAUDE | {"inference_geo": "us"}}, {"inference_geo": "us"}),
        ("google", "generate_content", {"usageMetadata": GEMINI | {"serviceTier": "FLEX"}}, {"service_tier": "flex"}),
    ],
)
def test_what_changes_prices_is_stated(provider: str, api: str, payload: Any, context: dict[str, str]) -> None:
    assert meter(provider, api, payload).context == context


def test_every_dialect_reports_the_model() -> None:
    for provider, api in DIALECTS:
        name, model = ("usageMetadata", "modelVersion") if api == "generate_content" else ("usage", "model")
        usage = GEMINI if api == "generate_content" else CHAT | CLAUDE if api == "embeddings" else CHAT if api == "chat" else CLAUDE
        assert meter(provider, api, {model: "m-1", name: {k: v for k, v in usage.items() if api != "embeddings" or "put" not in k}}).model == "m-1"
