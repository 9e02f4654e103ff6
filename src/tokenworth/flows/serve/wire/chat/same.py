"""To suppliers that speak chat completions too: what they get, and taps that read the answer.

What a client sees is the supplier's answer, but for `model` (the product that was asked for: who makes it is the operator's business),
`service_tier` (the tier that is charged, where it is the operator's own promise) and usage in a stream that did not ask for it.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import openai, sse
from tokenworth.flows.serve.wire.answer import as_objects, can_write
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.chat.ask import wants_usage
from tokenworth.flows.serve.wire.events import EventTap
from tokenworth.flows.serve.wire.tap import Asked, Tap
from tokenworth.flows.serve.wire.whole import WholeTap

DONE = b"[DONE]"


def supplier_body(ask: Ask, model: Model) -> dict[str, Any]:
    """Return the request as the supplier gets it: untouched but for the model's name, the tier, and usage in streams."""
    body = {**ask.body, "model": model.name}
    if "service_tier" in body and body["service_tier"] not in model.tiers:
        del body["service_tier"]
    if ask.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return body


def make_tap(asked: Asked) -> Tap:
    """Return the reader of an answer."""
    return (ChatStream if asked.ask.stream else ChatWhole)(asked)


class ChatTap(Tap):
    """What both kinds of answers share."""

    def __init__(self, asked: Asked) -> None:
        """Start to read the answer to a request."""
        super().__init__()
        self._product = asked.ask.product
        self._own_tier = "" if asked.ask.body.get("service_tier") in asked.model.tiers else asked.ask.tier
        self._show_usage = not asked.ask.stream or wants_usage(asked.ask.body)

    def _read(self, content: dict[str, Any]) -> None:
        """Note usage and tier, then show the client our names and only what it asked for."""
        if content.get("usage"):
            self.usage = content["usage"]
        if not self._show_usage or not can_write(content.get("usage")):
            content.pop("usage", None)
        if "model" in content:
            content["model"] = self._product
        if "service_tier" in content:
            self.served_tier = str(content["service_tier"] or "")
            if self._own_tier:
                content["service_tier"] = self._own_tier


class ChatWhole(ChatTap, WholeTap):
    """An answer in one piece."""

    field = "choices"

    def _read_whole(self, content: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        self._read(content)
        return _made(as_objects(content["choices"])), content


class ChatStream(ChatTap, EventTap):
    """An answer as server-sent events."""

    def __init__(self, asked: Asked) -> None:
        """Start to read."""
        super().__init__(asked)
        self._seen: set[int] = set()
        self._ended: set[int] = set()

    @property
    def finished(self) -> bool:
        """Whether every choice that began has its finish_reason, or the terminator came."""
        return self.complete or (bool(self._seen) and self._seen == self._ended)

    def end(self) -> bytes:
        """Read an event that lacks its blank line. A finished stream whose usage came is whole without a terminator too."""
        out = super().end()
        if self.finished and self.usage is not None and not self.failed:
            self.complete = True
        return out

    def _is_whole(self, data: bytes) -> bool:
        return data == DONE or super()._is_whole(data)

    def _other(self, data: bytes, others: bytes) -> bytes:
        if data == DONE:
            self.complete = True
            return b""
        return super()._other(data, others)

    def _object(self, content: dict[str, Any], data: bytes, others: bytes) -> bytes:
        if content.get("error") and "choices" not in content:
            return self._fail(sse.as_it_came(data, others))
        only_usage = bool(content.get("usage")) and not content.get("choices")
        self._read(content)
        if only_usage and not self._show_usage:
            return b""
        event = self._write(content, others)
        if event:
            self._note(content.get("choices"))
        return event

    def _note(self, choices: Any) -> None:
        """Note what the client gets of each choice, and which of them end."""
        found = as_objects(choices)
        for choice in found:
            index = choice["index"] if isinstance(choice.get("index"), int) else 0
            self._seen.add(index)
            if choice.get("finish_reason"):
                self._ended.add(index)
        made = _made(found)
        self._count(made, begun=self.begun or any(map(_is_content, made)))

    def _terminator(self) -> bytes:
        return b"data: [DONE]\n\n"

    def _last_event(self, refusal: Refusal) -> bytes:
        return openai.last_event(refusal)


def _made(choices: list[dict[str, Any]]) -> list[Any]:
    """Return what the model made in each choice; its other fields say how it ended, or was filtered."""
    return [choice[name] for choice in choices for name in ("delta", "message", "text") if choice.get(name)]


def _is_content(made: Any) -> bool:
    """Whether there is more than the empty frame that opens and closes a choice."""
    return any(value for name, value in made.items() if name != "role") if isinstance(made, dict) else bool(made)
