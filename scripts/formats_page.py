"""Write the tables of docs/formats.md: what passes from a client's format to a supplier's, found out by translating it.

Run it after a change of `flows/serve/wire`: `.venv/bin/python scripts/formats_page.py`. A test fails until it was run.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokenworth.book.model import Model, Supplier
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.find import FORMATS, find_bridge

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"
START, END = "<!-- tables: written by scripts/formats_page.py -->\n", "<!-- end of tables -->\n"
MODEL = Model("m", "s", "m-1", "", 100_000, 10_000)
SUPPLIERS = {
    "chat": Supplier("s", "openai", speaks=("chat",)),
    "messages": Supplier("s", "anthropic"),
    "responses": Supplier("s", "openai", speaks=("responses",)),
}
NAMES = {"chat": "Chat completions", "messages": "Messages", "responses": "Responses"}

TEXT: Any = {"role": "user", "content": "hi"}
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ITEM = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
USED = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
SHAPE: Any = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def said(*parts: Any) -> dict[str, Any]:
    """Return a chat completion's or a message's body with a user who says these parts."""
    return {"messages": [{"role": "user", "content": list(parts)}]}


def asked(*items: Any) -> dict[str, Any]:
    """Return a response's body with these items."""
    return {"input": list(items)}


def given(*parts: Any) -> dict[str, Any]:
    """Return a response's body with a user who says these parts."""
    return asked({"role": "user", "content": list(parts)})


def source(**values: str) -> dict[str, Any]:
    """Return where Anthropic's media come from."""
    return values


FEATURES: Mapping[str, Mapping[str, tuple[str, dict[str, Any]]]] = {
    "text, system prompt": {
        "chat": ("messages", {"messages": [{"role": "developer", "content": "s"}, TEXT]}),
        "messages": ("system", {"system": [{"type": "text", "text": "s"}]}),
        "responses": ("instructions", {"instructions": "s"}),
    },
    "limit of the output": {
        "chat": ("max_completion_tokens", {"max_completion_tokens": 9}),
        "messages": ("max_tokens", {"max_tokens": 9}),
        "responses": ("max_output_tokens", {"max_output_tokens": 9}),
    },
    "temperature up to 1, top_p": {api: ("temperature, top_p", {"temperature": 1, "top_p": 0.5}) for api in NAMES},
    "temperature above 1": {api: ("temperature", {"temperature": 1.5}) for api in ("chat", "responses")},
    "top_k": {"messages": ("top_k", {"top_k": 5})},
    "stop sequences": {"chat": ("stop", {"stop": ["x"]}), "messages": ("stop_sequences", {"stop_sequences": ["x"]})},
    "tools and parallel calls": {
        "chat": ("tools", {"tools": [{"type": "function", "function": {"name": "f", "parameters": SHAPE}}], "parallel_tool_calls": False}),
        "messages": ("tools", {"tools": [{"name": "f", "input_schema": SHAPE}], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
        "responses": ("tools", {"tools": [{"type": "function", "name": "f", "parameters": SHAPE}], "parallel_tool_calls": False}),
    },
    "a tool that must be called": {
        "chat": ("tool_choice", {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"}),
        "messages": ("tool_choice", {"tools": [{"name": "f", "input_schema": SHAPE}], "tool_choice": {"type": "tool", "name": "f"}}),
        "responses": ("tool_choice", {"tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": "function", "name": "f"}}),
    },
    "tools with a grammar": {
        "chat": ("tools", {"tools": [{"type": "custom", "custom": {"name": "f"}}]}),
        "responses": ("tools", {"tools": [{"type": "custom", "name": "f"}]}),
    },
    "results of tools": {
        "chat": ("messages", {"messages": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c", "content": "1"}]}),
        "messages": (
            "messages",
            {"messages": [{"role": "assistant", "content": [USED]}, *said({"type": "tool_result", "tool_use_id": "c", "content": "1"})["messages"]]},
        ),
        "responses": ("input", asked(ITEM, {"type": "function_call_output", "call_id": "c", "output": "1"})),
    },
    "results that are errors": {"messages": ("is_error", said({"type": "tool_result", "tool_use_id": "c", "content": "1", "is_error": True}))},
    "images in results": {
        "messages": (
            "content",
            said({"type": "tool_result", "tool_use_id": "c", "content": [{"type": "image", "source": source(type="url", url="https://x/a.png")}]}),
        ),
        "responses": ("output", asked({"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": PNG}]})),
    },
    "images by URL": {
        "chat": ("image_url", said({"type": "image_url", "image_url": {"url": "https://x/a.png"}})),
        "messages": ("image", said({"type": "image", "source": source(type="url", url="https://x/a.png")})),
        "responses": ("input_image", given({"type": "input_image", "image_url": "https://x/a.png"})),
    },
    "images as base64": {
        "chat": ("image_url", said({"type": "image_url", "image_url": {"url": PNG}})),
        "messages": ("image", said({"type": "image", "source": source(type="base64", media_type="image/png", data="iVBORw0KGgo=")})),
        "responses": ("input_image", given({"type": "input_image", "image_url": PNG})),
    },
    "how closely an image is looked at": {
        "chat": ("detail", said({"type": "image_url", "image_url": {"url": PNG, "detail": "high"}})),
        "responses": ("detail", given({"type": "input_image", "image_url": PNG, "detail": "high"})),
    },
    "documents as base64": {
        "chat": ("file", said({"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}})),
        "messages": ("document", said({"type": "document", "source": source(type="base64", media_type="application/pdf", data="JVBERi0=")})),
        "responses": ("input_file", given({"type": "input_file", "file_data": PDF, "filename": "a.pdf"})),
    },
    "documents by URL": {
        "messages": ("document", said({"type": "document", "source": source(type="url", url="https://x/a.pdf")})),
        "responses": ("input_file", given({"type": "input_file", "file_url": "https://x/a.pdf"})),
    },
    "what was uploaded": {
        "chat": ("file_id", said({"type": "file", "file": {"file_id": "f"}})),
        "messages": ("source", said({"type": "image", "source": source(type="file", file_id="f")})),
        "responses": ("file_id", given({"type": "input_file", "file_id": "f"})),
    },
    "audio": {"chat": ("input_audio", said({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}))},
    "citations": {
        "messages": ("citations", said({"type": "document", "source": source(type="url", url="https://x/a.pdf"), "citations": {"enabled": True}}))
    },
    "effort of reasoning": {
        "chat": ("reasoning_effort", {"reasoning_effort": "high"}),
        "messages": ("output_config.effort", {"output_config": {"effort": "high"}}),
        "responses": ("reasoning.effort", {"reasoning": {"effort": "high"}}),
    },
    "the least effort": {
        "chat": ("reasoning_effort", {"reasoning_effort": "minimal"}),
        "responses": ("reasoning.effort", {"reasoning": {"effort": "minimal"}}),
    },
    "the most effort": {"messages": ("output_config.effort", {"output_config": {"effort": "max"}})},
    "thinking as the model decides": {"messages": ("thinking", {"thinking": {"type": "adaptive"}})},
    "thinking with a budget": {"messages": ("thinking", {"thinking": {"type": "enabled", "budget_tokens": 1024}})},
    "reasoning with its proof": {
        "chat": (
            "reasoning_details",
            {"messages": [{"role": "assistant", "content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s"}]}]},
        ),
        "messages": ("thinking", {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}]}]}),
        "responses": ("reasoning", asked({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"})),
    },
    "reasoning without a proof": {
        "chat": ("reasoning_content", {"messages": [{"role": "assistant", "content": "a", "reasoning_content": "t"}]}),
        "responses": ("reasoning", asked({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "t"}]})),
    },
    "marks for the cache": {
        "chat": ("prompt_cache_breakpoint", said({"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}})),
        "messages": ("cache_control", said({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}})),
        "responses": ("prompt_cache_breakpoint", given({"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}})),
    },
    "marks with a lifetime": {
        "chat": ("ttl", said({"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}})),
        "messages": ("ttl", said({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}})),
        "responses": ("ttl", given({"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}})),
    },
    "a key for the cache": {api: ("prompt_cache_key", {"prompt_cache_key": "k"}) for api in ("chat", "responses")},
    "answers of a JSON schema": {
        "chat": ("response_format", {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SHAPE, "strict": True}}}),
        "messages": ("output_config.format", {"output_config": {"format": {"type": "json_schema", "schema": SHAPE}}}),
        "responses": ("text.format", {"text": {"format": {"type": "json_schema", "name": "n", "schema": SHAPE, "strict": True}}}),
    },
    "answers of any JSON": {
        "chat": ("response_format", {"response_format": {"type": "json_object"}}),
        "responses": ("text.format", {"text": {"format": {"type": "json_object"}}}),
    },
    "how wordy the answer is": {"chat": ("verbosity", {"verbosity": "low"}), "responses": ("text.verbosity", {"text": {"verbosity": "low"}})},
    "who the user is": {
        "chat": ("safety_identifier", {"safety_identifier": "u"}),
        "messages": ("metadata.user_id", {"metadata": {"user_id": "u"}}),
        "responses": ("safety_identifier", {"safety_identifier": "u"}),
    },
    "metadata": {api: ("metadata", {"metadata": {"a": "b"}}) for api in ("chat", "responses")},
    "log probabilities": {
        "chat": ("logprobs", {"logprobs": True}),
        "responses": ("top_logprobs", {"top_logprobs": 2, "include": ["message.output_text.logprobs"]}),
    },
    "several answers": {"chat": ("n", {"n": 2})},
    "penalties, seeds, biases": {"chat": ("seed", {"seed": 1})},
    "service tier": {
        "chat": ("service_tier", {"service_tier": "flex"}),
        "messages": ("service_tier", {"service_tier": "standard_only"}),
        "responses": ("service_tier", {"service_tier": "flex"}),
    },
    "unknown fields": {api: ("x_vendor", {"x_vendor": 1}) for api in NAMES},
    "what is stored": {"responses": ("previous_response_id", {"previous_response_id": "r"})},
    "the supplier's own tools": {
        "chat": ("web_search_options", {"web_search_options": {}}),
        "messages": ("tools", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        "responses": ("tools", {"tools": [{"type": "web_search"}]}),
    },
}
"""What is asked for, in each client's format that has it: its field, and what makes a body of it."""

BASES: Mapping[str, dict[str, Any]] = {
    "chat": {"model": "p", "messages": [TEXT]},
    "messages": {"model": "p", "max_tokens": 100, "messages": [TEXT]},
    "responses": {"model": "p", "input": "hi"},
}


def outcome(client: str, supplier: str, more: Mapping[str, Any]) -> str:
    """Return how a request fares: `as it is`, `translated`, or the field that is refused."""
    try:
        ask = FORMATS[client].parse(json.dumps(BASES[client] | more).encode())
        find_bridge(client, SUPPLIERS[supplier]).request(ask, MODEL)
    except Refusal as refusal:
        return f"{refusal.code}: `{refusal.param}`" if refusal.code != "untranslatable_field" else f"refused: `{refusal.param}`"
    return "as it is" if client == supplier else "translated"


def table(client: str) -> Iterator[str]:
    """Yield a Markdown table of what a client may ask for, by the supplier's format."""
    yield f"\n### From {NAMES[client]}\n"
    yield f"| | field | {' | '.join(f'to {NAMES[api]}' for api in SUPPLIERS)} |"
    yield f"|---|---|{'---|' * len(SUPPLIERS)}"
    for feature, cases in FEATURES.items():
        if client in cases:
            field, more = cases[client]
            yield f"| {feature} | `{field}` | {' | '.join(outcome(client, api, more) for api in SUPPLIERS)} |"


def page(text: str) -> str:
    """Return the page with its generated part made anew."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return before + START + "\n".join(line for client in NAMES for line in table(client)) + "\n\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
