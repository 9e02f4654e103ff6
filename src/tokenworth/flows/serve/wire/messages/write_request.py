"""The neutral form -> a request for a message."""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.hub.conversation import Cache, Call, Conversation, Media, Part, Reasoning, Result, Shape, Text, Tool, Turn
from tokenworth.flows.serve.wire.hub.strict import read_json, untranslatable
from tokenworth.flows.serve.wire.messages.same import supplier_tier

CHOICES = {"auto": "auto", "required": "any", "none": "none", "only": "tool"}
EFFORTS = frozenset({"", "none", "low", "medium", "high", "xhigh", "max"})
LIFETIMES = frozenset({"", "1h"})
HOTTEST = 1
"""The highest temperature of this format; OpenAI's go to 2."""


def write_request(said: Conversation, ask: Ask, model: Model) -> Mapping[str, Any]:
    """Write a request; Refusal (400) names what a request for a message cannot say.

    It needs a limit: the model's own where none is stated. A key for the cache leads to OpenAI's caches, of which there are none here.
    """
    _check(said)
    first = next((at for at, turn in enumerate(said.turns) if turn.role != "system"), len(said.turns))
    body = {
        "model": model.name,
        "max_tokens": model.max_output if said.output_limit is None else said.output_limit,
        "system": [_block(part) for turn in said.turns[:first] for part in turn.parts],
        "messages": _messages(said.turns[first:]),
        "tools": [_tool(tool) for tool in said.tools],
        "tool_choice": _choice(said),
        "temperature": said.temperature,
        "top_p": said.top_p,
        "top_k": said.top_k,
        "stop_sequences": list(said.stop),
        "output_config": _config(said),
        "thinking": _thinking(said),
        "metadata": {"user_id": said.user} if said.user else None,
        "stream": ask.stream or None,
        **supplier_tier(ask, model),
    }
    return {name: value for name, value in body.items() if value not in (None, "", [], {})}


def _check(said: Conversation) -> None:
    shape = said.shape
    lost = {
        "temperature": (said.temperature or 0) > HOTTEST,
        "effort": said.effort not in EFFORTS,
        "verbosity": bool(said.verbosity),
        "metadata": bool(said.metadata),
        "shape": shape is not None and (shape.schema is None or bool(shape.description)),
    }
    for name, is_lost in lost.items():
        if is_lost:
            raise untranslatable(said.at.get(name, name))


def _messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Return messages: results of tools come with the user's turn that follows them."""
    found: list[dict[str, Any]] = []
    results = False
    for turn in turns:
        role = "user" if turn.role == "tool" else turn.role
        blocks = [_block(part) for part in turn.parts]
        if results and role == "user":
            found[-1]["content"] += blocks
        else:
            found.append({"role": role, "content": blocks})
        results = turn.role == "tool"
    return found


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text, **write_cache(part.cache)}
    if isinstance(part, Media):
        return _media(part)
    if isinstance(part, Reasoning):
        return _thought(part)
    if isinstance(part, Call):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": read_json(part.arguments, part.at), **write_cache(part.cache)}
    if isinstance(part, Result):
        return _result(part)
    raise untranslatable(part.at)


def write_cache(mark: Cache | None) -> dict[str, Any]:
    """Return a block's mark; Refusal (400) where there is no such lifetime."""
    if mark is None:
        return {}
    if mark.ttl not in LIFETIMES:
        raise untranslatable(f"{mark.at}.ttl")
    return {"cache_control": {"type": "ephemeral", **({"ttl": mark.ttl} if mark.ttl else {})}}


def _media(media: Media) -> dict[str, Any]:
    if media.detail:
        raise untranslatable(media.detail_at)
    source = {"type": "url", "url": media.url} if media.url else {"type": "base64", "media_type": media.media_type, "data": media.data}
    name = {"title": media.name} if media.name else {}
    return {"type": media.kind, "source": source, **name, **write_cache(media.cache)}


def _thought(thought: Reasoning) -> dict[str, Any]:
    """Return a block of thinking, which must have its signature: without it no supplier takes it back."""
    if thought.redacted:
        return {"type": "redacted_thinking", "data": thought.proof}
    if not thought.proof:
        raise untranslatable(thought.at)
    return {"type": "thinking", "thinking": thought.text, "signature": thought.proof}


def _result(result: Result) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": result.call, "content": [_block(part) for part in result.parts]}
    return block | ({"is_error": True} if result.error else {}) | write_cache(result.cache)


def _tool(tool: Tool) -> dict[str, Any]:
    schema = {"type": "object", "properties": {}} if tool.schema is None else tool.schema
    stated = {"name": tool.name, "description": tool.description or None, "input_schema": schema, "strict": tool.strict or None}
    return {name: value for name, value in stated.items() if value is not None} | write_cache(tool.cache)


def _choice(said: Conversation) -> dict[str, Any] | None:
    if not said.tools or not (said.choice or said.parallel is False):
        return None
    kind = CHOICES[said.choice or "auto"]
    choice: dict[str, Any] = {"type": kind, **({"name": said.chosen} if said.chosen else {})}
    return choice if kind == "none" or said.parallel is None else choice | {"disable_parallel_tool_use": not said.parallel}


def _config(said: Conversation) -> dict[str, Any]:
    shape: Shape | None = said.shape
    effort = {"effort": said.effort} if said.effort not in ("", "none") else {}
    return effort | ({"format": {"type": "json_schema", "schema": shape.schema}} if shape else {})


def _thinking(said: Conversation) -> dict[str, Any] | None:
    if said.effort == "none":
        return {"type": "disabled"}
    return {"type": said.thinking} if said.thinking else None
