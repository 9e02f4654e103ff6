"""OpenAI's wire format of a chat completion, whole or as a stream of chunks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tokenworth.suppliers.simulated.answer import Answer

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What all chunks of an answer share. `created` is in seconds."""

    id: str
    created: int
    model: str

    def envelope(self, kind: str) -> dict[str, Any]:
        """Start an object of the answer."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "service_tier": "default"}


def usage(drawn: Answer) -> dict[str, Any]:
    """Return the usage object: cached tokens are inside prompt tokens."""
    output = drawn.output * drawn.choices
    return {
        "prompt_tokens": drawn.input,
        "completion_tokens": output,
        "total_tokens": drawn.input + output,
        "prompt_tokens_details": {"cached_tokens": drawn.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def completion(head: Head, drawn: Answer) -> bytes:
    """Return a whole answer."""
    message = {"role": "assistant", "content": drawn.text, "refusal": None}
    choices = [{"index": at, "message": message, "logprobs": None, "finish_reason": _finish(drawn)} for at in range(drawn.choices)]
    return orjson.dumps(head.envelope("chat.completion") | {"choices": choices, "usage": usage(drawn)})


def chunks(head: Head, drawn: Answer, *, size: int, include_usage: bool) -> Iterator[bytes]:
    """Yield the events of a stream: a role, contents of `size` tokens, the finish, the usage if asked for; not the terminator."""
    more = {"usage": None} if include_usage else {}
    envelope = head.envelope("chat.completion.chunk") | more
    words = drawn.text.split()
    yield _event(envelope, drawn, {"role": "assistant", "content": "", "refusal": None})
    for start in range(0, len(words), size):
        yield _event(envelope, drawn, {"content": ("" if start == 0 else " ") + " ".join(words[start : start + size])})
    yield _event(envelope, drawn, {}, finish=_finish(drawn))
    if include_usage:
        yield _data(envelope | {"choices": [], "usage": usage(drawn)})


def error(message: str, code: str, param: str | None = None) -> bytes:
    """Return an error of OpenAI's shape."""
    return orjson.dumps({"error": {"message": message, "type": "invalid_request_error", "code": code, "param": param}})


def _finish(drawn: Answer) -> str:
    return "length" if drawn.cut else "stop"


def _event(envelope: Mapping[str, Any], drawn: Answer, delta: Mapping[str, Any], *, finish: str | None = None) -> bytes:
    """One event of each choice, in one piece of bytes."""
    choice = {"delta": delta, "logprobs": None, "finish_reason": finish}
    return b"".join(_data({**envelope, "choices": [{"index": at, **choice}]}) for at in range(drawn.choices))


def _data(content: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"
