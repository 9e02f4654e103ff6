"""The neutral form -> a chat completion request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.hub.conversation import (
    Cache,
    Call,
    Conversation,
    Declined,
    Media,
    Part,
    Reasoning,
    Result,
    Shape,
    Text,
    Tool,
    Turn,
)
from tokenworth.flows.serve.wire.hub.strict import data_url, untranslatable

EFFORTS = frozenset({"", "none", "minimal", "low", "medium", "high", "xhigh"})
LIFETIMES = frozenset({"30m", "12h"})
NEW_LIMIT = frozenset({"", "openai", "azure", "cerebras", "groq", "openrouter", "x-ai"})
"""Owners of price lists whose servers know `max_completion_tokens`; all others' know `max_tokens`."""


def write_request(said: Conversation, ask: Ask, model: Model) -> Mapping[str, Any]:
    """Write a request; Refusal (400) names what a chat completion cannot say."""
    for name, refused in (("effort", said.effort not in EFFORTS), ("top_k", said.top_k is not None)):
        if refused:
            raise untranslatable(said.at.get(name, name))
    limit = "max_completion_tokens" if model.list_price.partition("/")[0] in NEW_LIMIT else "max_tokens"
    body = {
        "model": model.name,
        "messages": list(chain.from_iterable(map(_messages, said.turns))),
        "tools": [_tool(tool) for tool in said.tools],
        "tool_choice": {"type": "function", "function": {"name": said.chosen}} if said.choice == "only" else said.choice,
        "parallel_tool_calls": said.parallel if said.tools else None,
        limit: said.output_limit,
        "temperature": said.temperature,
        "top_p": said.top_p,
        "stop": list(said.stop),
        "response_format": _shape(said.shape),
        "reasoning_effort": said.effort,
        "verbosity": said.verbosity,
        "user": said.user,
        "metadata": said.metadata,
        "prompt_cache_key": said.cache_key,
        "service_tier": ask.tier if ask.tier in model.tiers else None,
        "stream": ask.stream or None,
        "stream_options": {"include_usage": True} if ask.stream else None,
    }
    return {name: value for name, value in body.items() if value not in (None, "", [])}


def _messages(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.role == "tool":
        yield from (_result(part) for part in turn.parts if isinstance(part, Result))
    elif turn.role == "assistant":
        yield _assistant(turn.parts)
    else:
        yield {"role": turn.role, "content": _content(turn.parts)}


def _assistant(parts: Sequence[Part]) -> dict[str, Any]:
    """Return a message. It has one place for reasoning, one for text and one for calls, in this order."""
    order = {Reasoning: 0, Text: 1, Declined: 1, Call: 2}
    last = 0
    for part in parts:
        rank = order.get(type(part), -1)
        if rank < last:
            raise untranslatable(part.at)
        last = rank
    texts = [part for part in parts if isinstance(part, Text | Declined)]
    calls = [_call(part) for part in parts if isinstance(part, Call)]
    message: dict[str, Any] = {"role": "assistant", "content": _content(texts) or None}
    message |= write_reasoning([part for part in parts if isinstance(part, Reasoning)])
    return message | {"tool_calls": calls} if calls else message


def write_reasoning(thoughts: Sequence[Reasoning]) -> dict[str, Any]:
    """Return the fields of a message that hold what was thought: as text, and where there are proofs as routers write them."""
    text = "".join(one.text for one in thoughts)
    fields: dict[str, Any] = {"reasoning_content": text} if text else {}
    if any(one.proof for one in thoughts) or len(thoughts) > 1:
        fields["reasoning_details"] = [detail(one, at) for at, one in enumerate(thoughts)]
    return fields


def detail(thought: Reasoning, index: int) -> dict[str, Any]:
    """Return a thought as routers write it."""
    if thought.redacted:
        return {"type": "reasoning.encrypted", "data": thought.proof, "index": index}
    return {"type": "reasoning.text", "text": thought.text, "signature": thought.proof or None, "index": index}


def _content(parts: Sequence[Part]) -> str | list[dict[str, Any]]:
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text) and not parts[0].cache:
        return parts[0].text
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text, **write_cache(part.cache)}
    if isinstance(part, Declined):
        return {"type": "refusal", "refusal": part.text}
    if isinstance(part, Media) and part.kind == "image":
        url = part.url or data_url(part.media_type, part.data)
        return {"type": "image_url", "image_url": {"url": url, **({"detail": part.detail} if part.detail else {})}, **write_cache(part.cache)}
    if isinstance(part, Media) and part.data and part.media_type != "text/plain":
        name = {"filename": part.name} if part.name else {}
        return {"type": "file", "file": {"file_data": data_url(part.media_type, part.data), **name}, **write_cache(part.cache)}
    raise untranslatable(part.at)


def write_cache(mark: Cache | None) -> dict[str, Any]:
    """Return OpenAI's mark of a part; Refusal (400) where it has no such lifetime."""
    if mark is None:
        return {}
    if mark.ttl and mark.ttl not in LIFETIMES:
        raise untranslatable(f"{mark.at}.ttl")
    return {"prompt_cache_breakpoint": {"mode": "explicit", **({"ttl": mark.ttl} if mark.ttl else {})}}


def _result(result: Result) -> dict[str, Any]:
    if result.error:
        raise untranslatable(f"{result.at}.is_error")
    for part in result.parts:
        if isinstance(part, Media):
            raise untranslatable(part.at)
    parts: list[Part] = list(result.parts)
    if result.cache:
        # the last of its parts is where the result ends
        last = parts.pop() if parts else Text("")
        parts.append(replace(last, cache=result.cache) if isinstance(last, Text) else last)
    return {"role": "tool", "tool_call_id": result.call, "content": _content(parts)}


def _call(call: Call) -> dict[str, Any]:
    if call.cache:
        raise untranslatable(call.cache.at)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}


def _tool(tool: Tool) -> dict[str, Any]:
    if tool.cache:
        raise untranslatable(tool.cache.at)
    function = {"name": tool.name, "description": tool.description or None, "parameters": tool.schema, "strict": tool.strict}
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _shape(shape: Shape | None) -> dict[str, Any] | None:
    if shape is None:
        return None
    if shape.schema is None:
        return {"type": "json_object"}
    stated = {"name": shape.name or "answer", "schema": shape.schema, "strict": shape.strict}
    return {"type": "json_schema", "json_schema": stated | ({"description": shape.description} if shape.description else {})}
