"""The neutral form -> a request for a response."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.chat.write_request import EFFORTS, write_cache
from tokenworth.flows.serve.wire.hub.conversation import Call, Conversation, Media, Part, Reasoning, Result, Shape, Text, Tool, Turn
from tokenworth.flows.serve.wire.hub.strict import data_url, untranslatable
from tokenworth.flows.serve.wire.responses.proof import split


def write_request(said: Conversation, ask: Ask, model: Model) -> Mapping[str, Any]:
    """Write a request; Refusal (400) names what a request for a response cannot say."""
    for name, refused in (("effort", said.effort not in EFFORTS), ("top_k", said.top_k is not None), ("stop", bool(said.stop))):
        if refused:
            raise untranslatable(said.at.get(name, name))
    shape, verbosity = _shape(said.shape), {"verbosity": said.verbosity} if said.verbosity else {}
    body = {
        "model": model.name,
        "input": list(chain.from_iterable(map(_items, said.turns))),
        "tools": [_tool(tool) for tool in said.tools],
        "tool_choice": {"type": "function", "name": said.chosen} if said.choice == "only" else said.choice,
        "parallel_tool_calls": said.parallel if said.tools else None,
        "max_output_tokens": said.output_limit,
        "temperature": said.temperature,
        "top_p": said.top_p,
        "text": ({"format": shape} if shape else {}) | verbosity,
        "reasoning": _reasoning(said),
        # so that what was thought can be sent back without being stored
        "include": ["reasoning.encrypted_content"] if said.effort or said.thinking else [],
        "user": said.user,
        "metadata": said.metadata,
        "prompt_cache_key": said.cache_key,
        "service_tier": ask.tier if ask.tier in model.tiers else None,
        "stream": ask.stream or None,
    }
    return {name: value for name, value in body.items() if value not in (None, "", [], {})} | {"store": False}


def _reasoning(said: Conversation) -> dict[str, str]:
    effort = {"effort": said.effort} if said.effort else {}
    return effort | ({"summary": "auto"} if said.thinking else {})


def _items(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.role in ("system", "user"):
        yield {"role": turn.role, "content": [_part(part) for part in turn.parts]}
        return
    for at, part in enumerate(turn.parts):
        if isinstance(part, Text):
            if part.cache:
                raise untranslatable(part.cache.at)
            yield {"role": "assistant", "content": part.text}
        elif isinstance(part, Reasoning):
            yield reasoning_item(part, str(at))
        elif isinstance(part, Call):
            if part.cache:
                raise untranslatable(part.cache.at)
            yield {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments or "{}"}
        elif isinstance(part, Result):
            yield _result(part)
        else:
            raise untranslatable(part.at)


def reasoning_item(part: Reasoning, tag: str) -> dict[str, Any]:
    """Return an item; the one without a summary is one of which nothing but the proof is there."""
    name, encrypted = split(part.proof, tag)
    summary = [] if part.redacted else [{"type": "summary_text", "text": part.text}]
    return {"type": "reasoning", "id": name, "summary": summary, **({"encrypted_content": encrypted} if encrypted else {})}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text, **write_cache(part.cache)}
    if isinstance(part, Media):
        return _media(part)
    raise untranslatable(part.at)


def _media(media: Media) -> dict[str, Any]:
    url = media.url or data_url(media.media_type, media.data)
    if media.kind == "image":
        return {"type": "input_image", "image_url": url, "detail": media.detail or "auto", **write_cache(media.cache)}
    name = {"filename": media.name} if media.name else {}
    return {"type": "input_file", "file_url" if media.url else "file_data": url, **name, **write_cache(media.cache)}


def _result(result: Result) -> dict[str, Any]:
    if result.error:
        raise untranslatable(f"{result.at}.is_error")
    parts: Sequence[dict[str, Any]] = [_part(part) for part in result.parts]
    if result.cache:
        parts = [*parts[:-1], (parts[-1] if parts else {"type": "input_text", "text": ""}) | write_cache(result.cache)]
    return {"type": "function_call_output", "call_id": result.call, "output": parts or ""}


def _tool(tool: Tool) -> dict[str, Any]:
    if tool.cache:
        raise untranslatable(tool.cache.at)
    stated = {"name": tool.name, "description": tool.description or None, "parameters": tool.schema, "strict": bool(tool.strict)}
    return {"type": "function", **{name: value for name, value in stated.items() if value is not None}}


def _shape(shape: Shape | None) -> dict[str, Any] | None:
    if shape is None:
        return None
    if shape.schema is None:
        return {"type": "json_object"}
    stated = {"type": "json_schema", "name": shape.name or "answer", "schema": shape.schema, "strict": shape.strict}
    return stated | ({"description": shape.description} if shape.description else {})
