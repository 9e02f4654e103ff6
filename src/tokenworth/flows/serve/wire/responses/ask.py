"""What a request for a response asks for. What is not read here passes through unread.

Nothing is stored: what a supplier keeps belongs to the operator's account, where one customer could name what is another's. So fields that
lean on it are refused by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tokenworth.flows.serve.refusal import Refusal, bad_request
from tokenworth.flows.serve.wire import fields, openai
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.unpriceable import check_fields, check_tools

API = "responses"
STORED = ("previous_response_id", "conversation", "prompt", "background", "background_options", "store")
"""Fields that ask for something that was stored, or to be stored."""
STORED_ITEMS = frozenset({"item_reference", "compaction_trigger", "program", "program_output"})
"""Items of the input that name what is stored, or that have the supplier do more than answer."""
TEXT_ITEMS = frozenset({"function_call", "custom_tool_call", "reasoning"})
"""Items whose tokens are in their own bytes; what is encrypted in them is no shorter than a byte a token."""
TEXT_PARTS = frozenset({"input_text", "output_text", "refusal", "text"})


def parse(raw: bytes) -> Ask:
    """Parse a body once; Refusal (400) names the field that is missing, of the wrong kind, or without a worst case."""
    body = fields.read_body(raw)
    product = fields.product(body)
    items = _items(body)
    for name in STORED:
        if body.get(name) not in (None, False):
            raise stored(name)
    check_fields(body)
    check_tools(body.get("tools"), openai.is_clients_tool, openai.CLIENTS_TOOLS)
    return Ask(
        api=API,
        body=body,
        size=len(raw),
        product=product,
        tier=fields.tier(body),
        stream=fields.boolean(body, "stream"),
        output_limit=fields.count(body, "max_output_tokens"),
        choices=1,
        text_only=all(map(_is_text_item, items)),
        prompt_fields=("instructions", "input", "tools"),
    )


def stored(name: str) -> Refusal:
    """Return the refusal of what needs stored state."""
    return bad_request(f"`{name}` needs a supplier that keeps answers, and none are kept here: send the whole input.", name, code="stored_state")


def _items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = body.get("input")
    if isinstance(given, str):
        return []
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise bad_request(
            "`input` must be text or a list of items.", "input", code="missing_required_parameter" if given is None else "invalid_value"
        )
    for at, item in enumerate(given):
        if item.get("type") in STORED_ITEMS:
            raise stored(f"input.{at}")
        if item.get("type") == "additional_tools":
            check_tools(item.get("tools"), openai.is_clients_tool, openai.CLIENTS_TOOLS, f"input.{at}.tools")
    return given


def _is_text_item(item: Mapping[str, Any]) -> bool:
    kind = item.get("type", "message")
    if kind == "message":
        return _is_text(item.get("content"))
    if kind in ("function_call_output", "custom_tool_call_output"):
        return _is_text(item.get("output"))
    return kind in TEXT_ITEMS or kind == "additional_tools"


def _is_text(content: Any) -> bool:
    if content is None or isinstance(content, str):
        return True
    return isinstance(content, list) and all(kind in TEXT_PARTS for kind in _kinds(content))


def _kinds(content: list[Any]) -> Iterator[Any]:
    yield from (part.get("type") if isinstance(part, dict) else None for part in content)
