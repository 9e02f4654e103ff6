"""A message, whole or as events -> the neutral form."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tokenworth.flows.serve.wire.answer import as_object, as_objects, as_text
from tokenworth.flows.serve.wire.hub.answer import Answer, End, Event, Grow, Made, Open, Prove, Start, Stop
from tokenworth.flows.serve.wire.hub.conversation import Call, Reasoning, Text

STOPS = {
    "max_tokens": Stop.LIMIT,
    "stop_sequence": Stop.SEQUENCE,
    "tool_use": Stop.CALLS,
    "refusal": Stop.DECLINED,
    "model_context_window_exceeded": Stop.CONTEXT,
}
"""By the reason to stop; any other is an end like `end_turn`."""


def read_answer(content: Mapping[str, Any]) -> Answer:
    """Read a whole message."""
    parts = [part for block in as_objects(content["content"]) if (part := _part(block, whole=True)) is not None]
    stop = STOPS.get(as_text(content.get("stop_reason")), Stop.END)
    return Answer(as_text(content.get("id")), tuple(parts), stop, as_text(content.get("stop_sequence")))


def served_tier(content: Mapping[str, Any]) -> str:
    """Return the tier that was served."""
    return as_text(as_object(content.get("usage")).get("service_tier"))


def _part(block: Mapping[str, Any], *, whole: bool) -> Made | None:
    """Return what a block is; None of one that comes from tools that the supplier runs, which nobody can ask for here."""
    kind = block.get("type")
    if kind == "text":
        return Text(as_text(block.get("text")))
    if kind == "thinking":
        return Reasoning(as_text(block.get("thinking")), as_text(block.get("signature")))
    if kind == "redacted_thinking":
        return Reasoning("", as_text(block.get("data")), redacted=True)
    if kind == "tool_use":
        arguments = orjson.dumps(as_object(block.get("input"))).decode() if whole or block.get("input") else ""
        return Call(as_text(block.get("id")), as_text(block.get("name")), arguments)
    return None


class MessageReader:
    """Reads the events of one message."""

    def __init__(self) -> None:
        """Start to read."""
        self.usage: Mapping[str, Any] | None = None
        self.prompt_usage: Mapping[str, Any] | None = None
        self.tier = ""
        self.stopped = self.ended = False
        self._counted: dict[str, Any] = {}
        self._empty_call = False

    def read(self, content: Mapping[str, Any]) -> Iterator[Event]:
        """Yield what an event says; counts of the last event are running totals over those of the first."""
        kind = content.get("type")
        if kind == "message_start":
            message = as_object(content.get("message"))
            self._count(message)
            self.prompt_usage = dict(self._counted) or None
            yield Start(as_text(message.get("id")))
        elif kind == "content_block_start":
            yield from self._start(as_object(content.get("content_block")))
        elif kind == "content_block_delta":
            yield from self._delta(as_object(content.get("delta")))
        elif kind == "content_block_stop" and self._empty_call:
            self._empty_call = False
            yield Grow("{}")
        elif kind == "message_delta":
            self._count(content)
            self.usage = self._counted or None
            delta = as_object(content.get("delta"))
            if reason := as_text(delta.get("stop_reason")):
                self.stopped = True
                yield End(STOPS.get(reason, Stop.END), as_text(delta.get("stop_sequence")))
        elif kind == "message_stop":
            self.ended = True

    def _count(self, owner: Mapping[str, Any]) -> None:
        usage = as_object(owner.get("usage"))
        self._counted |= {name: value for name, value in usage.items() if value is not None}
        self.tier = as_text(usage.get("service_tier")) or self.tier

    def _start(self, block: Mapping[str, Any]) -> Iterator[Event]:
        part = _part(block, whole=False)
        self._empty_call = isinstance(part, Call) and not part.arguments
        if isinstance(part, Reasoning) and part.redacted:
            yield Open(part)
        elif isinstance(part, Call):
            yield Open(Call(part.id, part.name, ""))
            if part.arguments:
                yield Grow(part.arguments)
        elif part is not None:
            text = part.text
            yield Open(Text("") if isinstance(part, Text) else Reasoning(""))
            if text:
                yield Grow(text)

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Event]:
        for name in ("text", "thinking", "partial_json"):
            if text := as_text(delta.get(name)):
                self._empty_call = False
                yield Grow(text)
        if proof := as_text(delta.get("signature")):
            yield Prove(proof)
