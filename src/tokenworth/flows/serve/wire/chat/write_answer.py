"""The neutral form -> a chat completion, whole or as chunks."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.flows.serve.wire.chat.ask import wants_usage
from tokenworth.flows.serve.wire.chat.write_request import detail, write_reasoning
from tokenworth.flows.serve.wire.hub.answer import Answer, End, Event, Grow, Head, Open, Prove, Start, Stop, whole_usage
from tokenworth.flows.serve.wire.hub.conversation import Call, Declined, Reasoning, Text
from tokenworth.measure.usage.counts import Usage

FINISHES = {Stop.LIMIT: "length", Stop.CONTEXT: "length", Stop.CALLS: "tool_calls", Stop.DECLINED: "content_filter"}


def write_answer(answer: Answer, usage: Usage, head: Head) -> Mapping[str, Any]:
    """Write a whole answer."""
    calls = [_call(part) for part in answer.parts if isinstance(part, Call)]
    declined = "".join(part.text for part in answer.parts if isinstance(part, Declined))
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(part.text for part in answer.parts if isinstance(part, Text)) or None,
        "refusal": declined or None,
        **write_reasoning([part for part in answer.parts if isinstance(part, Reasoning)]),
    }
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISHES.get(answer.stop, "stop")}
    return _envelope(answer.id, "chat.completion", head) | {"choices": [choice], "usage": write_usage(usage)}


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return a usage object: what was cached is inside the prompt, reasoning inside the completion."""
    read, written, other = whole_usage(usage)
    into = read + written + other
    return {
        "prompt_tokens": into,
        "completion_tokens": usage.output_tokens,
        "total_tokens": into + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": usage.counts.get("reasoning", 0)},
    }


def _envelope(name: str, kind: str, head: Head) -> dict[str, Any]:
    return {"id": name, "object": kind, "created": head.created, "model": head.ask.product, "service_tier": head.tier}


def _call(call: Call) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}


class ChatWriter:
    """Writes the chunks of one answer."""

    def __init__(self, head: Head) -> None:
        """Start to write."""
        self._head = head
        self._id = ""
        self._shows_usage = wants_usage(head.ask.body)
        self._open: Any = None
        self._calls = self._thoughts = -1

    def write(self, event: Event) -> bytes:
        """Return the chunk of an event, if it has one."""
        if isinstance(event, Start):
            self._id = event.id
            return self._chunk({"role": "assistant", "content": "", "refusal": None})
        if isinstance(event, End):
            return self._chunk({}, FINISHES.get(event.stop, "stop"))
        delta = self._opened(event) if isinstance(event, Open) else self._grown(event)
        return self._chunk(delta) if delta else b""

    def finish(self, usage: Usage, tier: str) -> bytes:
        """Return the usage, where the client asked for it, and the terminator."""
        self._head = Head(self._head.ask, self._head.created, tier)
        last = _envelope(self._id, "chat.completion.chunk", self._head) | {"choices": [], "usage": write_usage(usage)}
        return (b"data: " + orjson.dumps(last) + b"\n\n" if self._shows_usage else b"") + b"data: [DONE]\n\n"

    def _opened(self, event: Open) -> dict[str, Any]:
        part = self._open = event.part
        if isinstance(part, Call):
            self._calls += 1
            return {"tool_calls": [{"index": self._calls, **_call(part), "function": {"name": part.name, "arguments": ""}}]}
        if isinstance(part, Reasoning):
            self._thoughts += 1
            return {"reasoning_details": [detail(part, self._thoughts)]} if part.redacted else {}
        return {}

    def _grown(self, event: Grow | Prove) -> dict[str, Any]:
        if isinstance(event, Prove):
            return {"reasoning_details": [detail(Reasoning("", event.proof), self._thoughts)]}
        if isinstance(self._open, Call):
            return {"tool_calls": [{"index": self._calls, "function": {"arguments": event.text}}]}
        if isinstance(self._open, Reasoning):
            return {"reasoning_content": event.text, "reasoning_details": [detail(Reasoning(event.text), self._thoughts)]}
        return {"refusal" if isinstance(self._open, Declined) else "content": event.text}

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = _envelope(self._id, "chat.completion.chunk", self._head) | {"choices": [choice]}
        return b"data: " + orjson.dumps(chunk | {"usage": None} if self._shows_usage else chunk) + b"\n\n"
