"""What is read of requests on the other formats, and the bounds that their holds are priced at."""

from typing import Any

import orjson
import pytest

from tests.support.shop import model
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import embeddings, messages, responses
from tokenworth.flows.serve.wire.ask import MODALITIES, Ask, bounds
from tokenworth.price.worst import TEXT

MODEL = model("m", "s", context=8_000, max_output=1_000, input_allowance=100)
BASES: dict[str, dict[str, Any]] = {
    "messages": {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]},
    "responses": {"model": "m", "input": "hi"},
    "embeddings": {"model": "m", "input": "hi"},
}
PARSE = {"messages": messages.FORMAT.parse, "responses": responses.FORMAT.parse, "embeddings": embeddings.FORMAT.parse}


def ask(api: str, **more: Any) -> Ask:
    return PARSE[api](orjson.dumps(BASES[api] | more))


def said(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


@pytest.mark.parametrize(
    ("api", "more", "output"),
    [
        ("messages", {}, 50),
        ("messages", {"max_tokens": 0}, 0),
        ("messages", {"max_tokens": 5_000}, 1_000),
        # the budget is inside the limit
        ("messages", {"max_tokens": 200, "thinking": {"type": "enabled", "budget_tokens": 150}}, 200),
        ("responses", {}, 1_000),
        ("responses", {"max_output_tokens": 20, "reasoning": {"effort": "high"}}, 20),
        ("embeddings", {}, 0),
        ("embeddings", {"dimensions": 256}, 0),
    ],
)
def test_output_is_bounded_by_each_formats_limit(api: str, more: dict[str, Any], output: int) -> None:
    assert bounds(ask(api, **more), MODEL).output_tokens == output


@pytest.mark.parametrize(
    ("api", "more"),
    [
        ("messages", {"system": [{"type": "text", "text": "s"}], "tools": [{"name": "f", "input_schema": {}}, {"type": "custom", "name": "g"}]}),
        ("messages", said({"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "1"}]})),
        ("messages", said({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "long"}})),
        ("messages", said({"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "redacted_thinking", "data": "d"})),
        ("messages", {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}),
        ("messages", {"speed": "standard", "inference_geo": "global", "mcp_servers": [], "container": None}),
        ("responses", {"input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}], "instructions": "be brief"}),
        ("responses", {"input": [{"type": "function_call_output", "call_id": "c", "output": "1"}]}),
        ("responses", {"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}], "store": False}),
    ],
)
def test_text_is_bounded_by_its_bytes(api: str, more: dict[str, Any]) -> None:
    made = ask(api, **more)
    assert bounds(made, MODEL).input_tokens == made.size + 100
    assert bounds(made, MODEL).modalities == TEXT


@pytest.mark.parametrize(
    ("api", "more"),
    [
        ("messages", said({"type": "image", "source": {"type": "url", "url": "https://x"}})),
        ("messages", said({"type": "document", "source": {"type": "url", "url": "https://x"}})),
        ("messages", said({"type": "tool_result", "content": [{"type": "image", "source": {}}]})),
        ("messages", said({"type": "from_the_future"})),
        # their descriptions are Anthropic's, and not in the request
        ("messages", {"tools": [{"type": "bash_20250124", "name": "bash"}]}),
        ("responses", {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x"}]}]}),
        ("responses", {"input": [{"type": "computer_call_output", "output": {}}]}),
        ("responses", {"input": [{"type": "function_call_output", "output": [{"type": "input_file", "file_id": "f"}]}]}),
        ("embeddings", {"input": [{"image": "https://x"}]}),
    ],
)
def test_what_is_not_text_takes_the_whole_context(api: str, more: dict[str, Any]) -> None:
    found = bounds(ask(api, **more), MODEL)
    assert (found.input_tokens, found.modalities) == (8_000, MODALITIES)


@pytest.mark.parametrize(
    ("given", "prompts", "tokens"),
    [("one", 1, 0), (["one", "two"], 2, 0), ([5, 6, 7], 1, 3), ([[5, 6], [7]], 2, 3), (["x" * 9_000, "y" * 9_000, "z"], 3, 0)],
)
def test_each_embedded_text_has_a_context_of_its_own(given: Any, prompts: int, tokens: int) -> None:
    made = ask("embeddings", input=given)
    assert (made.prompts, made.prompt_tokens) == (prompts, tokens)
    assert bounds(made, MODEL).input_tokens == min(made.size + 100 * prompts, 8_000 * prompts)


def refused(api: str, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ask(api, **more)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    ("api", "field", "value"),
    [
        ("messages", "tools", [{"type": "web_search_20250305", "name": "web_search"}]),
        ("messages", "tools", [{"type": "code_execution_20250825", "name": "code_execution"}]),
        ("messages", "tools", [{"type": "computer_toolset_20260801"}]),
        ("messages", "container", "c"),
        ("messages", "mcp_servers", [{"url": "https://x"}]),
        ("messages", "speed", "fast"),
        ("messages", "inference_geo", "us"),
        ("messages", "context_management", {"edits": [{"type": "compact_20260112"}]}),
        ("messages", "context_management", {"edits": [{"type": "clear_thinking_20251015"}, {"type": "compact_20260112"}]}),
        ("messages", "context_management", {"edits": "all"}),
        ("messages", "fallbacks", ["other"]),
        ("responses", "tools", [{"type": "web_search"}]),
        ("responses", "tools", [{"type": "function", "name": "f"}, {"type": "code_interpreter", "container": {"type": "auto"}}]),
        ("responses", "context_management", [{"type": "compaction"}]),
        ("embeddings", "provider", {"order": ["dear"]}),
    ],
)
def test_what_has_no_worst_case_is_refused(api: str, field: str, value: Any) -> None:
    refusal = refused(api, **{field: value})
    assert (refusal.code, refusal.param) == ("unpriceable_field", field)


def test_tools_inside_the_input_are_tools() -> None:
    item = {"type": "additional_tools", "role": "developer", "tools": [{"type": "web_search"}]}
    assert (refused("responses", input=[item]).code, refused("responses", input=[item]).param) == ("unpriceable_field", "input.0.tools")


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("previous_response_id", "resp_1", "previous_response_id"),
        ("conversation", "conv_1", "conversation"),
        ("prompt", {"id": "p"}, "prompt"),
        ("background", True, "background"),
        ("store", True, "store"),
        ("input", [{"type": "item_reference", "id": "msg_1"}], "input.0"),
        ("input", [{"type": "compaction_trigger"}], "input.0"),
    ],
)
def test_what_needs_something_stored_is_refused(field: str, value: Any, param: str) -> None:
    refusal = refused("responses", **{field: value})
    assert (refusal.code, refusal.param) == ("stored_state", param)


@pytest.mark.parametrize(
    ("api", "more", "param"),
    [
        ("messages", {"max_tokens": None}, "max_tokens"),
        ("messages", {"max_tokens": -1}, "max_tokens"),
        ("messages", {"max_tokens": True}, "max_tokens"),
        ("messages", {"messages": "hi"}, "messages"),
        ("messages", {"tools": {}}, "tools"),
        ("responses", {"input": None}, "input"),
        ("responses", {"input": ["hi"]}, "input"),
        ("responses", {"max_output_tokens": 0}, "max_output_tokens"),
        ("embeddings", {"input": []}, "input"),
        ("embeddings", {"input": None}, "input"),
        ("embeddings", {"model": ""}, "model"),
    ],
)
def test_what_is_missing_or_malformed_is_named(api: str, more: dict[str, Any], param: str) -> None:
    assert refused(api, **more).param == param


@pytest.mark.parametrize(("given", "tier"), [(None, "default"), ("auto", "default"), ("standard_only", "default"), ("priority", "priority")])
def test_tiers_by_anthropics_names_too(given: str | None, tier: str) -> None:
    assert ask("messages", service_tier=given).tier == tier
