"""The wire format of chat completions: what goes to the supplier, and taps that read the answer on its way to the client.

A tap takes the supplier's bytes as they come and gives back what may go to the client at once. What must wait for the settlement it keeps:
the whole answer, or a stream's terminator. So both kinds take one path: feed, end, settle, tail.

What a client sees is the supplier's answer, but for `model` (the product that was asked for: who makes it is the operator's business),
`service_tier` (the tier that is charged, where it is the operator's own promise) and usage in a stream that did not ask for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.book.model import Model
from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.ask import Ask
from tokenworth.flows.serve.text import text_bytes

PATH = "/chat/completions"
MAX_EVENT_BYTES = 16 * 1024 * 1024
"""The most of a stream that is kept while waiting for the end of an event."""


def supplier_body(ask: Ask, model: Model) -> dict[str, Any]:
    """Return the request as the supplier gets it: untouched but for the model's name, the tier, and usage in streams."""
    body = {**ask.body, "model": model.name}
    if "service_tier" in body and body["service_tier"] not in model.tiers:
        del body["service_tier"]
    if ask.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return body


class Tap(ABC):
    """Reads an answer of the supplier on its way to the client."""

    def __init__(self, ask: Ask, model: Model) -> None:
        """Start to read the answer to a request."""
        self._product = ask.product
        self._own_tier = "" if ask.body.get("service_tier") in model.tiers else ask.tier
        self._show_usage = ask.include_usage or not ask.stream
        self.usage: Mapping[str, Any] | None = None
        """The supplier's usage object: the last one of a stream, since those that send several send running totals."""
        self.served_tier = ""
        """The tier that the supplier says it served."""
        self.complete = False
        """Whether the answer came to its end."""
        self.failed = False
        """Whether the supplier reported an error inside a stream; nothing after it counts."""

    @property
    @abstractmethod
    def delivered(self) -> int:
        """Bytes of text that the client was sent."""

    @abstractmethod
    def feed(self, chunk: bytes) -> bytes:
        """Take bytes of the supplier; return what may go to the client now."""

    @abstractmethod
    def end(self) -> None:
        """Note that no more bytes come."""

    @abstractmethod
    def tail(self, note: Mapping[str, str], error: Mapping[str, Any] | None) -> bytes:
        """Return what the client gets once the settlement is durable; `error` where the answer is not whole."""

    def _read(self, content: dict[str, Any]) -> None:
        """Note usage and tier, then show the client our names and only what it asked for."""
        if content.get("usage"):
            self.usage = content["usage"]
        if not self._show_usage:
            content.pop("usage", None)
        if "model" in content:
            content["model"] = self._product
        if "service_tier" in content:
            self.served_tier = str(content["service_tier"] or "")
            if self._own_tier:
                content["service_tier"] = self._own_tier


class WholeTap(Tap):
    """An answer in one piece."""

    def __init__(self, ask: Ask, model: Model) -> None:
        """Start to collect."""
        super().__init__(ask, model)
        self._parts: list[bytes] = []
        self._content: dict[str, Any] = {}

    @property
    def delivered(self) -> int:
        """Bytes of text in the answer."""
        return text_bytes(self._content.get("choices"))

    def feed(self, chunk: bytes) -> bytes:
        """Keep everything."""
        self._parts.append(chunk)
        return b""

    def end(self) -> None:
        """Parse the answer; SupplierError where it is not a chat completion."""
        try:
            content = orjson.loads(b"".join(self._parts))
        except orjson.JSONDecodeError:
            raise SupplierError("the supplier's answer is not JSON", code="supplier_nonsense") from None
        if not isinstance(content, dict) or not isinstance(content.get("choices"), list):
            raise SupplierError("the supplier's answer has no choices", code="supplier_nonsense")
        self._read(content)
        self._content = content
        self.complete = True

    def tail(self, note: Mapping[str, str], error: Mapping[str, Any] | None) -> bytes:
        """Return the answer; the note is in its headers."""
        del note, error
        return orjson.dumps(self._content)


class StreamTap(Tap):
    """An answer as server-sent events."""

    def __init__(self, ask: Ask, model: Model) -> None:
        """Start to read."""
        super().__init__(ask, model)
        self._rest = b""
        self._delivered = 0
        self._failure = b""

    @property
    def delivered(self) -> int:
        """Bytes of text in the events that went out."""
        return self._delivered

    def feed(self, chunk: bytes) -> bytes:
        """Return the whole events so far; an event that is cut waits for the rest of it."""
        rest = self._rest + chunk
        if b"\r" in rest:
            rest = rest.replace(b"\r\n", b"\n")
        *events, self._rest = rest.split(b"\n\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise SupplierError(f"the supplier sent an event of more than {MAX_EVENT_BYTES} bytes", code="supplier_nonsense")
        return b"".join([self._event(event) for event in events])

    def end(self) -> None:
        """Drop an event that was cut off: no client could read it."""
        self._rest = b""

    def tail(self, note: Mapping[str, str], error: Mapping[str, Any] | None) -> bytes:
        """Return the note as a comment, then the terminator, or the error unless the supplier's own went out."""
        comment = b": tokenworth " + orjson.dumps(note) + b"\n\n"
        if error is None:
            return comment + b"data: [DONE]\n\n"
        return comment + (self._failure or b"data: " + orjson.dumps(error) + b"\n\n")

    def _event(self, event: bytes) -> bytes:
        if not event.startswith(b"data:") or b"\n" in event:
            return self._fields(event)
        return self._data(event[5:].strip(), b"")

    def _fields(self, event: bytes) -> bytes:
        """Read an event of several lines: comments and names stay, its data is one text."""
        lines = event.split(b"\n")
        data = b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
        others = b"".join(line + b"\n" for line in lines if line and not line.startswith(b"data:"))
        if data:
            return self._data(data.strip(), others)
        return others + b"\n" if others else b""

    def _data(self, data: bytes, others: bytes) -> bytes:
        if self.complete or self.failed:
            return b""
        if data == b"[DONE]":
            self.complete = True
            return b""
        try:
            content = orjson.loads(data)
        except orjson.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            # not ours to judge: the client sees it as it came
            return others + b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
        if content.get("error") and "choices" not in content:
            # clients stop reading at an error, so it waits for the settlement as a terminator does
            self.failed = True
            self._failure = others + b"data: " + data + b"\n\n"
            return b""
        only_usage = bool(content.get("usage")) and not content.get("choices")
        self._read(content)
        if only_usage and not self._show_usage:
            return b""
        self._delivered += text_bytes(content.get("choices"))
        return others + b"data: " + orjson.dumps(content) + b"\n\n"
