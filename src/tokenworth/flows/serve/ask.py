"""What a chat completion request asks for, as far as routing, holding and metering need it. The rest passes through unread."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tokenworth.book.model import Model
from tokenworth.core.units import MAX_COUNT, UNITS
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.flows.serve.unpriceable import check_priceable
from tokenworth.price.card import DEFAULT_TIER
from tokenworth.price.worst import TEXT, Bounds

MODALITIES = frozenset(unit.modality for unit in UNITS.values()) - {""}
MAX_DEPTH = 254
"""Levels of a body that orjson can write again for the supplier; it reads more."""
DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
LONG_NUMBER = b"0" * 19
"""Digits of the shortest number that may not fit into 64 bits."""
UNSEEN_INPUT = frozenset({"audio", "cached_content", "chat_template", "conversation", "extra_body", "previous_response_id", "prompt"})
"""Fields that can put more into the prompt than their own bytes: media, what the supplier has stored, a template that repeats."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A parsed request. `size` is the bytes of its body; `output_limit` is per choice, None where it states none."""

    body: Mapping[str, Any]
    size: int
    product: str
    tier: str
    stream: bool
    include_usage: bool
    output_limit: int | None
    choices: int
    text_only: bool


def parse_chat(raw: bytes) -> Ask:
    """Parse a body once; Refusal (400) names the field that is missing, of the wrong kind, or without a worst case."""
    body = _parse(raw)
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object.", code="invalid_json")
    product = body.get("model")
    if not isinstance(product, str) or not product:
        raise bad_request("Name the model to use.", "model", code="missing_required_parameter")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise bad_request("`messages` must be a list of at least one message.", "messages")
    check_priceable(body)
    return Ask(
        body=body,
        size=len(raw),
        product=product,
        tier=_tier(body),
        stream=_boolean(body, "stream"),
        include_usage=_include_usage(body),
        output_limit=_output_limit(body),
        choices=_count(body, "n") or 1,
        text_only=_text_only(body, messages),
    )


def bounds(ask: Ask, model: Model) -> Bounds:
    """Return the most that a request can use: what its hold is priced at.

    Recorded assumptions. Input: a token is at least one byte of the body, and the supplier adds at most the model's `input_allowance`;
    content that is not text has no such bound, so it counts as the whole context and any modality. Output: the request's own limit (the
    larger, where it states both) or the model's maximum, for each of `n` choices. Raises Refusal (400) where no single event could
    carry the counts.
    """
    limit = model.max_output if ask.output_limit is None else min(ask.output_limit, model.max_output)
    output = limit * ask.choices
    if output > MAX_COUNT:
        raise bad_request(f"{ask.choices} choices of up to {limit} tokens are more than one request may have.", "n")
    if not ask.text_only:
        return Bounds(min(model.context, MAX_COUNT), output, MODALITIES)
    return Bounds(min(ask.size + model.input_allowance, model.context, MAX_COUNT), output, TEXT)


def _parse(raw: bytes) -> Any:
    """Read JSON such that it can be written again as it was: within the depth, and with each integer's digits."""
    try:
        body = orjson.loads(raw)
        if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
            orjson.dumps(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is not valid JSON: {error}", code="invalid_json") from None
    except TypeError:
        raise bad_request(f"The body is nested deeper than {MAX_DEPTH} levels.", code="invalid_json") from None
    # orjson makes floats of integers beyond 64 bits
    return json.loads(raw) if LONG_NUMBER in raw.translate(DIGITS) else body


def _tier(body: Mapping[str, Any]) -> str:
    tier = body.get("service_tier")
    if tier is None or tier == "auto":
        return DEFAULT_TIER
    if not isinstance(tier, str):
        raise bad_request("`service_tier` must be a string.", "service_tier")
    return tier


def _boolean(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"`{name}` must be true or false.", name)
    return bool(value)


def _include_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise bad_request("`stream_options` must be an object.", "stream_options")
    return _boolean(options, "include_usage")


def _count(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise bad_request(f"`{name}` must be a whole number of at least 1.", name)
    return value


def _output_limit(body: Mapping[str, Any]) -> int | None:
    """Of two limits the larger: a supplier may know only one of them."""
    stated = [limit for limit in (_count(body, "max_completion_tokens"), _count(body, "max_tokens")) if limit is not None]
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
