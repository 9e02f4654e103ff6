"""The neutral form -> a message, whole or as events."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.wire.answer import read_object
from tokenworth.flows.serve.wire.hub.answer import Answer, End, Event, Grow, Head, Made, Open, Prove, Start, Stop, whole_usage
from tokenworth.flows.serve.wire.hub.conversation import Call, Reasoning
from tokenworth.flows.serve.wire.messages.same import STOP
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import DEFAULT_TIER

REASONS = {
    Stop.LIMIT: "max_tokens",
    Stop.SEQUENCE: "stop_sequence",
    Stop.CALLS: "tool_use",
    Stop.DECLINED: "refusal",
    Stop.CONTEXT: "model_context_window_exceeded",
}


def write_answer(answer: Answer, usage: Usage, head: Head) -> Mapping[str, Any]:
    """Write a whole message."""
    content = [_block(part) for part in answer.parts]
    stop = {"stop_reason": REASONS.get(answer.stop, "end_turn"), "stop_sequence": answer.sequence or None}
    return _message(answer.id, head) | {"content": content, **stop, "usage": write_usage(usage) | _tier(head.tier)}


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return a usage object: what was cached stands beside the input, thinking inside the output."""
    read, written, other = whole_usage(usage)
    hour = usage.counts.get("cache_write_1h", 0)
    return {
        "input_tokens": other,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": written - hour, "ephemeral_1h_input_tokens": hour},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"thinking_tokens": usage.counts.get("reasoning", 0)},
    }


def _tier(tier: str) -> dict[str, str]:
    return {"service_tier": "standard" if tier == DEFAULT_TIER else tier}


def _message(name: str, head: Head) -> dict[str, Any]:
    return {"id": name, "type": "message", "role": "assistant", "model": head.ask.product}


def _block(part: Made) -> dict[str, Any]:
    if isinstance(part, Call):
        arguments = read_object((part.arguments or "{}").encode())
        if arguments is None:
            raise SupplierError("the supplier called a tool with arguments that are no JSON object", code="supplier_nonsense")
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments}
    if isinstance(part, Reasoning):
        if part.redacted:
            return {"type": "redacted_thinking", "data": part.proof}
        return {"type": "thinking", "thinking": part.text, "signature": part.proof}
    return {"type": "text", "text": part.text}


class MessageWriter:
    """Writes the events of one message."""

    def __init__(self, head: Head) -> None:
        """Start to write."""
        self._head = head
        self._open: Made | None = None
        self._index = -1
        self._stop: dict[str, Any] = {}

    def write(self, event: Event) -> bytes:
        """Return the events that a client gets. The reason to stop waits, since it comes with the usage."""
        if isinstance(event, Start):
            nothing = {"input_tokens": 0, "output_tokens": 0}
            message = {**_message(event.id, self._head), "content": [], "stop_reason": None, "stop_sequence": None, "usage": nothing}
            return _event("message_start", message=message)
        if isinstance(event, End):
            self._stop = {"stop_reason": REASONS.get(event.stop, "end_turn"), "stop_sequence": event.sequence or None}
            return self._close()
        if isinstance(event, Open):
            closed = self._close()
            self._open = event.part
            self._index += 1
            return closed + _event("content_block_start", index=self._index, content_block=_block(event.part))
        return _event("content_block_delta", index=self._index, delta=self._delta(event))

    def finish(self, usage: Usage, tier: str) -> bytes:
        """Return the reason to stop with the usage, and the terminator."""
        # an answer of nothing has no reason yet
        stop = self._stop or {"stop_reason": "end_turn", "stop_sequence": None}
        return _event("message_delta", delta=stop, usage=write_usage(usage) | _tier(tier)) + STOP

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", index=self._index)

    def _delta(self, event: Grow | Prove) -> dict[str, Any]:
        if isinstance(event, Prove):
            return {"type": "signature_delta", "signature": event.proof}
        if isinstance(self._open, Call):
            return {"type": "input_json_delta", "partial_json": event.text}
        if isinstance(self._open, Reasoning):
            return {"type": "thinking_delta", "thinking": event.text}
        return {"type": "text_delta", "text": event.text}


def _event(kind: str, **content: Any) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps({"type": kind, **content}) + b"\n\n"
