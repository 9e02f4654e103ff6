"""What a chat completion request asks for. What is not read here passes through unread."""

from collections.abc import Mapping
from typing import Any

from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.wire import fields, openai
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.unpriceable import check_fields, check_tools

API = "chat"
UNSEEN_INPUT = frozenset({"audio", "cached_content", "chat_template", "conversation", "extra_body", "previous_response_id", "prompt"})
"""Fields that can put more into the prompt than their own bytes: media, what the supplier has stored, a template that repeats."""


def parse(raw: bytes) -> Ask:
    """Parse a body once; Refusal (400) names the field that is missing, of the wrong kind, or without a worst case."""
    body = fields.read_body(raw)
    product = fields.product(body)
    messages = fields.messages(body)
    check_fields(body)
    check_tools(body.get("tools"), openai.is_clients_tool, openai.CLIENTS_TOOLS)
    stream = fields.boolean(body, "stream")
    wants_usage(body)
    return Ask(
        api=API,
        body=body,
        size=len(raw),
        product=product,
        tier=fields.tier(body),
        stream=stream,
        output_limit=_output_limit(body),
        choices=fields.count(body, "n") or 1,
        text_only=_text_only(body, messages),
        prompt_fields=("messages", "tools"),
    )


def wants_usage(body: Mapping[str, Any]) -> bool:
    """Whether a stream is to show its usage."""
    options = body.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise bad_request("`stream_options` must be an object.", "stream_options")
    return fields.boolean(options, "include_usage")


def _output_limit(body: Mapping[str, Any]) -> int | None:
    """Of two limits the larger: a supplier may know only one of them."""
    stated = [limit for limit in (fields.count(body, "max_completion_tokens"), fields.count(body, "max_tokens")) if limit is not None]
    return max(stated, default=None)


def _text_only(body: Mapping[str, Any], messages: list[dict[str, Any]]) -> bool:
    if any(body[name] for name in UNSEEN_INPUT & body.keys()) or body.get("modalities") not in (None, ["text"]):
        return False
    # an earlier answer's audio is referred to by its id, beside the content
    return all(_is_text(message.get("content")) and not message.get("audio") for message in messages)


def _is_text(content: Any) -> bool:
    if content is None or isinstance(content, str):
        return True
    return isinstance(content, list) and all(isinstance(part, dict) and part.get("type") in {"text", "refusal"} for part in content)
