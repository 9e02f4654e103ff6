"""Each dialect by table, and each way in which neighbours count wrongly."""

from typing import Any

import pytest

from tokenworth.core.errors import UnknownUnitError, UsageError
from tokenworth.measure.usage.dialects import DIALECTS, SPEAK_OPENAI, meter

CHAT = {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140}
CLAUDE = {"input_tokens": 100, "output_tokens": 40}
GEMINI = {"promptTokenCount": 100, "candidatesTokenCount": 40}
RESPONSE = {"input_tokens": 100, "output_tokens": 40}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def grounded(*queries: str) -> dict[str, Any]:
    return {"groundingMetadata": {"webSearchQueries": list(queries)}}


def inside(prompt: dict[str, Any] | None = None, completion: dict[str, Any] | None = None) -> dict[str, Any]:
    return CHAT | {"prompt_tokens_details": prompt, "completion_tokens_details": completion}


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
        # what is said twice and agrees is one count; misses alone say what was hit
        (
            "openai",
            "chat",
            inside({"cached_tokens": 80}) | {"prompt_cache_hit_tokens": 80, "prompt_cache_miss_tokens": 20, "cached_tokens": 80},
            {"input": 20, "cache_read": 80, "output": 40},
        ),
        ("openai", "chat", CHAT | {"prompt_cache_miss_tokens": 20}, {"input": 20, "cache_read": 80, "output": 40}),
        # counts that only inform
        ("openai", "chat", inside({"text_tokens": 93, "audio_tokens": 7}), {"input": 93, "input_audio": 7, "output": 40}),
        ("openai", "chat", inside(None, {"text_tokens": 40, "accepted_prediction_tokens": 40}), {"input": 100, "output": 40}),
        ("openai", "chat", CHAT | {"cached_tokens": 80}, {"input": 20, "cache_read": 80, "output": 40}),
        ("openai", "chat", CHAT | {"queue_time": 0.02, "total_time": 1.5}, {"input": 100, "output": 40}),
        (
            "openai",
            "responses",
            {"input_tokens": 100, "output_tokens": 40, "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 20}},
            {"input": 70, "cache_read": 10, "cache_write": 20, "output": 40},
        ),
        # OpenAI's API reference of November 2026: of cache writes, how long they are kept
        (
            "openai",
            "responses",
            {
                "input_tokens": 100,
                "output_tokens": 40,
                "input_tokens_details": {
                    "cached_tokens": 10,
                    "cache_write_tokens": 20,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 15, "ttl_12h_tokens": 5},
                },
            },
            {"input": 70, "cache_read": 10, "cache_write_30m": 15, "cache_write_12h": 5, "output": 40},
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
        # x.AI's reference: reasoning is beside the completion, and the total says so
        (
            "x-ai",
            "chat",
            {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "completion_tokens_details": {"reasoning_tokens": 94}},
            {"input": 32, "output": 9, "reasoning": 94},
        ),
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
            r"promptTokensDetails\[0\].tokenCount is True",
        ),
        (
            "google",
            "generate_content",
            GEMINI | {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9999}]},
            "promptTokensDetails sum to 9999, which exceeds 100",
        ),
        (
            "google",
            "generate_content",
            GEMINI | {"candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 30}, {"modality": "IMAGE", "tokenCount": 11}]},
            "candidatesTokensDetails sum to 41, which exceeds 40",
        ),
        (
            "google",
            "generate_content",
            GEMINI | {"promptTokensDetails": [{"modality": ["AUDIO"], "tokenCount": 3}]},
            r"modality is \['AUDIO'\], not text",
        ),
        # details of a count that is not there
        (
            "google",
            "generate_content",
            GEMINI | {"toolUsePromptTokensDetails": [{"modality": "AUDIO", "tokenCount": 12}]},
            "toolUsePromptTokensDetails sum to 12, which exceeds 0",
        ),
        ("openai", "chat", CHAT | {"prompt_cache_hit_tokens": 80, "prompt_cache_miss_tokens": 21}, "hit_tokens is 80, .*miss_tokens .* is 79"),
        ("openai", "chat", CHAT | {"prompt_cache_miss_tokens": 101}, "cache_read is -1"),
        (
            "openai",
            "chat",
            inside({"cached_tokens": 50}) | {"prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 100},
            r"prompt_tokens_details.cached_tokens is 50, usage.prompt_cache_hit_tokens is 0, prompt_tokens \(100\) less",
        ),
        ("openai", "chat", inside({"cached_tokens": 50}) | {"prompt_cache_hit_tokens": 0}, "cached tokens contradict each other"),
        ("openai", "chat", inside({"cached_tokens": 0}) | {"prompt_cache_hit_tokens": 60}, "cached tokens contradict each other"),
        ("openai", "chat", inside({"cached_tokens": 0}) | {"cached_tokens": 60}, "cached tokens contradict each other"),
        # what only informs is a count too, and inside its whole
        ("openai", "chat", inside(None, {"accepted_prediction_tokens": 500}), r"accepted_prediction_tokens \(500\) exceed 40"),
        ("openai", "chat", inside(None, {"rejected_prediction_tokens": 41}), r"rejected_prediction_tokens \(41\) exceed 40"),
        ("openai", "chat", inside(None, {"accepted_prediction_tokens": "x"}), "accepted_prediction_tokens is 'x'"),
        ("openai", "chat", inside(None, {"text_tokens": -5}), "completion_tokens_details.text_tokens is -5"),
        ("openai", "chat", inside({"text_tokens": 99999}), r"prompt_tokens_details: text_tokens \(99999\) exceed 100"),
        ("openai", "chat", inside({"text_tokens": 94, "audio_tokens": 7}), r"text_tokens \(94\), audio_tokens \(7\) exceed 100"),
        (
            "openai",
            "chat",
            inside({"cached_tokens": 9, "cached_tokens_details": {"text_tokens": 10}}),
            r"cached_tokens_details: text_tokens \(10\) exceed 9",
        ),
        (
            "openai",
            "responses",
            RESPONSE | {"input_tokens_details": {"cache_write_tokens": 20, "cache_write_tokens_details": {"ttl_12h_tokens": 21}}},
            r"cache_write_12h \(21\) exceed cache_write \(20\)",
        ),
        ("openai", "responses", RESPONSE | {"output_tokens_details": {"text_tokens": 41}}, r"text_tokens \(41\) exceed 40"),
        ("openai", "embeddings", {"prompt_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 1}}, "exceed output"),
        ("anthropic", "messages", CLAUDE | {"server_tool_use": {"web_fetch_requests": -3}}, "web_fetch_requests is -3"),
        ("x-ai", "chat", CHAT | {"completion_tokens_details": {"reasoning_tokens": 5}}, r"reasoning_tokens \(5\) is 145"),
        # two places, two stories
        ("openai", "chat", {"usage": CHAT | {"service_tier": "flex"}, "service_tier": "priority"}, "two values of service_tier: flex and priority"),
        ("google", "generate_content", GEMINI | {"serviceTier": "flex", "trafficType": "PROVISIONED_THROUGHPUT"}, "flex and provisioned_throughput"),
        ("openai", "responses", {"usage": RESPONSE, "output": {}}, "response.output is {}, not a list"),
        (
            "google",
            "generate_content",
            {"usageMetadata": GEMINI, "candidates": [{"groundingMetadata": {"webSearchQueries": "x"}}]},
            "webSearchQueries is 'x', not a list",
        ),
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
        ("google", "generate_content", GEMINI | {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3, "foo": 5}]}, r"\[0\].foo is 5"),
        # a number in quotes is a number
        ("openai", "chat", CHAT | {"hologram_tokens": "5"}, "usage.hologram_tokens is '5'"),
        ("openai", "chat", CHAT | {"hologram_tokens": {"lifetime": " 1.5e3 "}}, "usage.hologram_tokens is"),
        # deeper than Python recurses, here and in the error's text
        ("openai", "chat", CHAT | {"x": nested(5_000)}, r"usage.x is \[\[\["),
        ("openai", "chat", CHAT | {"prompt_tokens_details": {"x": nested(5_000)}}, r"details.x is \[\[\["),
        # billed beside the tokens, by units that nobody declared
        ("openai", "responses", {"usage": RESPONSE, "output": [{"type": "file_search_call", "status": "completed"}]}, "file_search_call"),
        ("google", "generate_content", {"usageMetadata": GEMINI, "candidates": [grounded("a", "b")]}, "2 queries were searched"),
        ("perplexity", "chat", CHAT, "no dialect for perplexity/chat"),
        ("aws", "default", CLAUDE, "no dialect for aws/default"),
        ("anthropic", "messages", CLAUDE | {"server_tool_use": {"code_execution_requests": 3}}, "code_execution_requests is 3"),
        ("mars", "chat", CHAT, "no dialect for mars/chat"),
    ],
)
def test_what_nobody_knows_is_never_zero(provider: str, api: str, payload: Any, words: str) -> None:
    with pytest.raises(UnknownUnitError, match=words):
        meter(provider, api, payload)


@pytest.mark.parametrize("value", [nested(5_000), {"x": nested(5_000)}, "x" * 10_000, [0] * 10_000])
def test_an_error_quotes_in_short(value: Any) -> None:
    for payload in (value, {"usage": value}, CHAT | {"prompt_tokens": value}, CHAT | {"prompt_tokens_details": value}):
        with pytest.raises(UsageError) as error:
            meter("openai", "chat", payload)
        assert len(str(error.value)) < 300


def test_unknown_fields_that_count_nothing_pass() -> None:
    assert (
        meter("openai", "chat", CHAT | {"note": "x", "flag": True, "hologram_tokens": 0, "zero": "0.0", "details": {"a": 0}}).usage.input_tokens
        == 100
    )


@pytest.mark.parametrize(
    ("provider", "api", "payload", "context"),
    [
        ("openai", "chat", {"usage": CHAT, "service_tier": "default"}, {}),
        ("openai", "chat", {"usage": CHAT, "service_tier": "priority"}, {"service_tier": "priority"}),
        ("anthropic", "messages", {"usage": CLAUDE | {"service_tier": "standard", "inference_geo": "not_available"}}, {}),
        ("anthropic", "messages", {"usage": CLAUDE | {"service_tier": "batch", "speed": "fast"}}, {"processing": "batch", "speed": "fast"}),
        ("anthropic", "messages", {"usage": CLAUDE | {"inference_geo": "us"}}, {"inference_geo": "us"}),
        ("google", "generate_content", {"usageMetadata": GEMINI | {"serviceTier": "FLEX"}}, {"service_tier": "flex"}),
        # whichever of the places says that it is not standard service
        ("openai", "chat", {"usage": CHAT | {"service_tier": "priority", "speed": "fast"}}, {"service_tier": "priority", "speed": "fast"}),
        ("openai", "chat", CHAT | {"service_tier": "priority"}, {"service_tier": "priority"}),
        ("openai", "responses", {"usage": RESPONSE | {"service_tier": "flex"}, "service_tier": "default"}, {"service_tier": "flex"}),
        ("openai", "embeddings", {"usage": {"prompt_tokens": 5}, "service_tier": "flex"}, {"service_tier": "flex"}),
        ("openrouter", "chat", CHAT | {"service_tier": "priority"}, {"service_tier": "priority"}),
        (
            "google",
            "generate_content",
            GEMINI | {"serviceTier": "standard", "trafficType": "PROVISIONED_THROUGHPUT"},
            {"service_tier": "provisioned_throughput"},
        ),
        ("google", "generate_content", GEMINI | {"serviceTier": "priority", "trafficType": "ON_DEMAND_PRIORITY"}, {"service_tier": "priority"}),
        ("google", "generate_content", GEMINI | {"trafficType": "ON_DEMAND"}, {}),
    ],
)
def test_what_changes_prices_is_stated(provider: str, api: str, payload: Any, context: dict[str, str]) -> None:
    assert meter(provider, api, payload).context == context


def test_every_dialect_reports_the_model() -> None:
    for provider, api in DIALECTS:
        name, model = ("usageMetadata", "modelVersion") if api == "generate_content" else ("usage", "model")
        usage = GEMINI if api == "generate_content" else CHAT | CLAUDE if api == "embeddings" else CHAT if api == "chat" else CLAUDE
        assert meter(provider, api, {model: "m-1", name: {k: v for k, v in usage.items() if api != "embeddings" or "put" not in k}}).model == "m-1"


SEARCH = {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}}


@pytest.mark.parametrize(
    ("provider", "api", "payload", "searches"),
    [
        ("openai", "responses", {"usage": RESPONSE, "output": None}, 0),
        ("openai", "responses", {"usage": RESPONSE, "output": [SEARCH, {"type": "message"}, SEARCH]}, 2),
        ("openai", "responses", {"usage": RESPONSE, "output": [{"type": "web_search_call"}]}, 1),
        # OpenAI's guide: search actions incur a tool call cost; what failed did not search
        ("openai", "responses", {"usage": RESPONSE, "output": [SEARCH, SEARCH | {"action": {"type": "open_page"}}]}, 1),
        ("openai", "responses", {"usage": RESPONSE, "output": [SEARCH | {"status": "failed"}, {"type": "file_search_call", "status": "failed"}]}, 0),
        ("azure", "responses", {"usage": RESPONSE, "output": [SEARCH]}, 1),
        # Google's prices: each distinct query from Gemini 3 on, each prompt before
        (
            "google",
            "generate_content",
            {"usageMetadata": GEMINI, "modelVersion": "gemini-3-flash-preview", "candidates": [grounded("a", "b", "a", ""), grounded("c"), {}]},
            3,
        ),
        ("google", "generate_content", {"usageMetadata": GEMINI, "modelVersion": "gemini-2.5-flash", "candidates": [grounded("a", "b")]}, 1),
        ("google", "generate_content", {"usageMetadata": GEMINI, "candidates": [grounded("a")]}, 1),
    ],
)
def test_searches_of_a_whole_response_are_counted(provider: str, api: str, payload: Any, searches: int) -> None:
    assert meter(provider, api, payload).usage.counts.get("web_search", 0) == searches


@pytest.mark.parametrize(
    ("provider", "api", "payload"),
    [
        *((provider, "chat", CHAT) for provider in SPEAK_OPENAI),
        ("OpenAI", "Default", CHAT),
        ("deepseek", "chat.completions", CHAT),
        ("moonshot", "chat_completions", CHAT),
        ("xai", "default", CHAT),
        ("azure", "responses", RESPONSE),
        ("aws", "anthropic", CLAUDE),
        ("bedrock", "messages", CLAUDE),
        ("vertex", "messages", CLAUDE),
        ("vertex", "default", GEMINI),
        ("azure", "messages", CLAUDE),
    ],
)
def test_a_dialect_is_found_by_any_name_in_use(provider: str, api: str, payload: Any) -> None:
    assert meter(provider, api, payload).usage.counts == {"input": 100, "output": 40}
