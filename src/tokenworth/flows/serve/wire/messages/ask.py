"""What a request for a message asks for. What is not read here passes through unread."""

import re
from collections.abc import Mapping
from typing import Any

from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire import fields
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.unpriceable import check_fields, check_tools
from tokenworth.price.card import DEFAULT_TIER

API = "messages"
TEXT_BLOCKS = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
"""Blocks whose tokens are in their own bytes; what is encrypted in them is no shorter than a byte a token."""
CLIENTS_TOOL = re.compile(r"(bash|text_editor|memory|computer)_\d{8}")
"""Tools of Anthropic's that the client runs: they cost tokens only, but their descriptions are not in the request."""


def parse(raw: bytes) -> Ask:
    """Parse a body once; Refusal (400) names the field that is missing, of the wrong kind, or without a worst case."""
    return _read(raw, _output_limit)


def parse_count(raw: bytes) -> Ask:
    """Parse the body of a request to count tokens: that of a message, but that it has no answer to limit."""
    return _read(raw, lambda _: 0)


def _read(raw: bytes, limit: Any) -> Ask:
    body = fields.read_body(raw)
    product = fields.product(body)
    messages = fields.messages(body)
    check_fields(body)
    tools = check_tools(body.get("tools"), _is_clients, "custom")
    return Ask(
        api=API,
        body=body,
        size=len(raw),
        product=product,
        tier=_tier(body),
        stream=fields.boolean(body, "stream"),
        output_limit=limit(body),
        choices=1,
        text_only=_text_only(messages, body.get("system"), tools),
        prompt_fields=("system", "messages", "tools"),
    )


def _output_limit(body: Mapping[str, Any]) -> int:
    limit = body.get("max_tokens")
    if type(limit) is not int or limit < 0:
        # zero fills the cache and answers nothing
        raise bad_request("`max_tokens` must be a whole number of at least 0.", "max_tokens", code="missing_required_parameter")
    return limit


def _tier(body: Mapping[str, Any]) -> str:
    name = fields.tier(body)
    return DEFAULT_TIER if name == "standard_only" else name


def _is_clients(tool: Mapping[str, Any]) -> bool:
    kind = tool.get("type")
    return kind in (None, "custom") or (isinstance(kind, str) and bool(CLIENTS_TOOL.fullmatch(kind)))


def _text_only(messages: list[dict[str, Any]], system: Any, tools: list[Any]) -> bool:
    contents = [system, *(message.get("content") for message in messages)]
    return all(map(_is_text, contents)) and all(tool.get("type") in (None, "custom") for tool in tools)


def _is_text(content: Any) -> bool:
    if content is None or isinstance(content, str):
        return True
    return isinstance(content, list) and all(isinstance(block, dict) and _is_text_block(block) for block in content)


def _is_text_block(block: Mapping[str, Any]) -> bool:
    kind = block.get("type")
    if kind in ("tool_result", "search_result"):
        return _is_text(block.get("content"))
    if kind == "document":
        source = block.get("source")
        return isinstance(source, dict) and source.get("type") == "text"
    return kind in TEXT_BLOCKS
