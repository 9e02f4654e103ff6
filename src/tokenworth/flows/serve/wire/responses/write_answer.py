"""The neutral form -> a response, whole or as events."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tokenworth.flows.serve.wire.hub.answer import Answer, End, Event, Grow, Head, Made, Open, Prove, Start, Stop, whole_usage
from tokenworth.flows.serve.wire.hub.conversation import Call, Declined, Reasoning, Text
from tokenworth.flows.serve.wire.responses.write_request import reasoning_item
from tokenworth.measure.usage.counts import Usage

INCOMPLETE = {Stop.LIMIT: "max_output_tokens", Stop.CONTEXT: "max_output_tokens", Stop.DECLINED: "content_filter"}
ECHOED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
}
"""Fields of the request that the response repeats, with what holds where they were not stated."""


def write_answer(answer: Answer, usage: Usage, head: Head) -> Mapping[str, Any]:
    """Write a whole response."""
    output = [_item(part, f"{answer.id}_{at}") for at, part in enumerate(answer.parts)]
    return _response(answer.id, head, _status(answer)) | {"output": output, "usage": write_usage(usage)}


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return a usage object: what was cached is inside the input, reasoning inside the output."""
    read, written, other = whole_usage(usage)
    into = read + written + other
    return {
        "input_tokens": into,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.counts.get("reasoning", 0)},
        "total_tokens": into + usage.output_tokens,
    }


def _status(answer: Answer) -> Stop | None:
    """Return the reason to stop; None of what the model itself declined, which is complete."""
    return None if any(isinstance(part, Declined) for part in answer.parts) else answer.stop


def _response(name: str, head: Head, stop: Stop | None, *, running: bool = False) -> dict[str, Any]:
    reason = INCOMPLETE.get(stop) if stop else None
    body = head.ask.body
    return {
        "id": name,
        "object": "response",
        "created_at": head.created,
        "status": "in_progress" if running else "incomplete" if reason else "completed",
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": head.ask.product,
        "service_tier": head.tier,
        "store": False,
        **{field: default if body.get(field) is None else body[field] for field, default in ECHOED.items()},
    }


def _item(part: Made, tag: str, *, status: str = "completed") -> dict[str, Any]:
    if isinstance(part, Call):
        stated = {"call_id": part.id, "name": part.name, "arguments": part.arguments or "{}"}
        return {"type": "function_call", "id": f"fc_tw_{tag}", "status": status, **stated}
    if isinstance(part, Reasoning):
        return reasoning_item(part, tag)
    return {"type": "message", "id": f"msg_tw_{tag}", "status": status, "role": "assistant", "content": [_content(part)]}


def _content(part: Text | Declined) -> dict[str, Any]:
    if isinstance(part, Declined):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}


class ResponseWriter:
    """Writes the events of one response. The last of them repeats the whole answer, so its text is kept."""

    def __init__(self, head: Head) -> None:
        """Start to write."""
        self._head = head
        self._id = ""
        self._number = -1
        self._open: Made | None = None
        self._text: list[str] = []
        self._proof = ""
        self._items: list[dict[str, Any]] = []
        self._stop: Stop | None = None

    def write(self, event: Event) -> bytes:
        """Return the events that a client gets."""
        return b"".join(self._written(event))

    def finish(self, usage: Usage, tier: str) -> bytes:
        """Return the event that ends the stream, with the whole response."""
        self._head = Head(self._head.ask, self._head.created, tier)
        declined = any(part.get("type") == "refusal" for item in self._items for part in item.get("content", ()))
        response = _response(self._id, self._head, None if declined else self._stop) | {"output": self._items, "usage": write_usage(usage)}
        return self._event(f"response.{response['status']}", response=response)

    def _written(self, event: Event) -> Iterator[bytes]:
        if isinstance(event, Start):
            self._id = event.id
            response = _response(self._id, self._head, None, running=True) | {"output": [], "usage": None}
            yield self._event("response.created", response=response)
            yield self._event("response.in_progress", response=response)
        elif isinstance(event, End):
            self._stop = event.stop
            yield from self._close()
        elif isinstance(event, Open):
            yield from self._close()
            yield from self._begin(event.part)
        elif isinstance(event, Prove):
            self._proof = event.proof
        else:
            self._text.append(event.text)
            yield self._grown(event)

    def _begin(self, part: Made) -> Iterator[bytes]:
        self._open, self._text, self._proof = part, [], part.proof if isinstance(part, Reasoning) else ""
        item = _item(part, self._tag, status="in_progress")
        empty: dict[str, Any] = {"arguments": ""} if isinstance(part, Call) else {"content": []} if "content" in item else {"summary": []}
        yield self._event("response.output_item.added", output_index=len(self._items), item=item | empty)
        if isinstance(part, Text | Declined):
            yield self._inside("response.content_part.added", part=_content(part))
        elif isinstance(part, Reasoning) and not part.redacted:
            yield self._inside("response.reasoning_summary_part.added", part={"type": "summary_text", "text": ""})

    def _grown(self, event: Grow) -> bytes:
        if isinstance(self._open, Call):
            return self._inside("response.function_call_arguments.delta", delta=event.text)
        if isinstance(self._open, Reasoning):
            return self._inside("response.reasoning_summary_text.delta", delta=event.text)
        if isinstance(self._open, Declined):
            return self._inside("response.refusal.delta", delta=event.text)
        return self._inside("response.output_text.delta", delta=event.text, logprobs=[])

    def _close(self) -> Iterator[bytes]:
        part, text = self._open, "".join(self._text)
        if part is None:
            return
        if isinstance(part, Call):
            text = text or "{}"
            done: Made = Call(part.id, part.name, text)
            yield self._inside("response.function_call_arguments.done", arguments=text, name=part.name)
        elif isinstance(part, Reasoning):
            done = Reasoning(text, self._proof, redacted=part.redacted)
            if not part.redacted:
                yield self._inside("response.reasoning_summary_text.done", text=text)
                yield self._inside("response.reasoning_summary_part.done", part={"type": "summary_text", "text": text})
        else:
            done = type(part)(text)
            said = {"refusal": text} if isinstance(part, Declined) else {"text": text, "logprobs": []}
            yield self._inside("response.refusal.done" if isinstance(part, Declined) else "response.output_text.done", **said)
            yield self._inside("response.content_part.done", part=_content(done))
        item = _item(done, self._tag)
        yield self._event("response.output_item.done", output_index=len(self._items), item=item)
        self._items.append(item)
        self._open = None

    def _inside(self, kind: str, **content: Any) -> bytes:
        """Return an event about the item that is open."""
        index = {} if isinstance(self._open, Call) else {"summary_index" if isinstance(self._open, Reasoning) else "content_index": 0}
        name = _item(self._open, self._tag)["id"] if self._open else ""
        return self._event(kind, item_id=name, output_index=len(self._items), **index, **content)

    @property
    def _tag(self) -> str:
        return f"{self._id}_{len(self._items)}"

    def _event(self, kind: str, **content: Any) -> bytes:
        self._number += 1
        return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps({"type": kind, "sequence_number": self._number, **content}) + b"\n\n"
