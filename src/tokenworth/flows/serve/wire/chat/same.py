"""To suppliers that speak chat completions too: what they get, and taps that read the answer.

What a client sees is the supplier's answer, but for `model` (the product that was asked for: who makes it is the operator's business),
`service_tier` (the tier that is charged, where it is the operator's own promise) and usage in a stream that did not ask for it.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.book.model import Model
from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import openai, sse
from tokenworth.flows.serve.wire.answer import can_write, read_answer, read_object, written
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.chat.ask import wants_usage
from tokenworth.flows.serve.wire.tap import Tap
from tokenworth.flows.serve.wire.text import Said

DONE = b"[DONE]"


def supplier_body(ask: Ask, model: Model) -> dict[str, Any]:
    """Return the request as the supplier gets it: untouched but for the model's name, the tier, and usage in streams."""
    body = {**ask.body, "model": model.name}
    if "service_tier" in body and body["service_tier"] not in model.tiers:
        del body["service_tier"]
    if ask.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return body


def make_tap(ask: Ask, model: Model) -> Tap:
    """Return the reader of an answer."""
    return (StreamTap if ask.stream else WholeTap)(ask, model)


class ChatTap(Tap):
    """What both kinds of answers share."""

    def __init__(self, ask: Ask, model: Model) -> None:
        """Start to read the answer to a request."""
        super().__init__()
        self._product = ask.product
        self._own_tier = "" if ask.body.get("service_tier") in model.tiers else ask.tier
        self._show_usage = not ask.stream or wants_usage(ask.body)

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


class WholeTap(ChatTap):
    """An answer in one piece."""

    def __init__(self, ask: Ask, model: Model) -> None:
        """Start to collect."""
        super().__init__(ask, model)
        self._parts: list[bytes] = []
        self._content: dict[str, Any] = {}
        self._answer = b""

    @property
    def delivered(self) -> Said:
        """The text of the answer."""
        return Said(_made(self._content["choices"]) if self.complete else None)

    def feed(self, chunk: bytes) -> bytes:
        """Keep everything."""
        self._parts.append(chunk)
        return b""

    def end(self) -> bytes:
        """Parse the answer; SupplierError where it is not a chat completion, or none that can be passed on."""
        content = read_answer(b"".join(self._parts), "choices")
        self._read(content)
        self._content, self._answer = content, written(content)
        self.complete = True
        return b""

    def tail(self, note: Mapping[str, str], refusal: Refusal | None) -> bytes:
        """Return the answer; the note is in its headers."""
        del note, refusal
        return self._answer


class StreamTap(ChatTap):
    """An answer as server-sent events."""

    def __init__(self, ask: Ask, model: Model) -> None:
        """Start to read."""
        super().__init__(ask, model)
        self._splitter = sse.Splitter()
        self._delivered = Said()
        self._seen: set[int] = set()
        self._ended: set[int] = set()
        self._failure = b""

    @property
    def delivered(self) -> Said:
        """The text of the events that went out."""
        return self._delivered

    @property
    def finished(self) -> bool:
        """Whether every choice that began has its finish_reason, or the terminator came."""
        return self.complete or (bool(self._seen) and self._seen == self._ended)

    def feed(self, chunk: bytes) -> bytes:
        """Return the whole events so far; an event that is cut waits for the rest of it."""
        return b"".join([self._event(event) for event in self._splitter.feed(chunk)])

    def end(self) -> bytes:
        """Read an event that lacks its blank line; one that is cut in its middle no client could read.

        A finished stream whose usage came is whole without a terminator too.
        """
        data, others = sse.fields(self._splitter.end())
        out = self._data(data, others) if data == DONE or read_object(data) else b""
        if self.finished and self.usage is not None and not self.failed:
            self.complete = True
        return out

    def tail(self, note: Mapping[str, str], refusal: Refusal | None) -> bytes:
        """Return the note as a comment, then the terminator, or the error unless the supplier's own went out."""
        comment = b": tokenworth " + orjson.dumps(note) + b"\n\n"
        if refusal is None:
            return comment + b"data: [DONE]\n\n"
        return comment + (self._failure or openai.last_event(refusal))

    def _event(self, event: bytes) -> bytes:
        data, others = sse.fields(event)
        if data:
            return self._data(data, others)
        return others + b"\n" if others else b""

    def _data(self, data: bytes, others: bytes) -> bytes:
        if self.complete or self.failed:
            return b""
        if data == DONE:
            self.complete = True
            return b""
        content = read_object(data)
        if content is None:
            return sse.as_it_came(data, others)
        if content.get("error") and "choices" not in content:
            # clients stop reading at an error, so it waits for the settlement as a terminator does
            self.failed = SupplierError("the supplier reported an error in its stream", code="supplier_broke_off")
            self._failure = others + b"data: " + data + b"\n\n"
            return b""
        return self._chunk(content, others)

    def _chunk(self, content: dict[str, Any], others: bytes) -> bytes:
        only_usage = bool(content.get("usage")) and not content.get("choices")
        self._read(content)
        if only_usage and not self._show_usage:
            return b""
        try:
            event = others + b"data: " + written(content) + b"\n\n"
        except SupplierError as error:
            # not raised: the events before it are on their way
            self.failed = error
            return b""
        self._count(content.get("choices"))
        return event

    def _count(self, choices: Any) -> None:
        """Note what the client gets of each choice, and which of them end."""
        for choice in _objects(choices):
            index = choice["index"] if isinstance(choice.get("index"), int) else 0
            self._seen.add(index)
            if choice.get("finish_reason"):
                self._ended.add(index)
        if not self.gone:
            made = _made(choices)
            self._delivered.add(made)
            self.begun = self.begun or any(map(_is_content, made))


def _objects(choices: Any) -> list[dict[str, Any]]:
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _made(choices: Any) -> list[Any]:
    """Return what the model made in each choice; its other fields say how it ended, or was filtered."""
    return [choice[name] for choice in _objects(choices) for name in ("delta", "message", "text") if choice.get(name)]


def _is_content(made: Any) -> bool:
    """Whether there is more than the empty frame that opens and closes a choice."""
    return any(value for name, value in made.items() if name != "role") if isinstance(made, dict) else bool(made)
