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
DONE = b"[DONE]"
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


def is_error(content: bytes) -> bool:
    """Whether a supplier's refusal has the shape that clients read."""
    return isinstance((_content(content) or {}).get("error"), dict)


def reason(content: bytes) -> str:
    """Return the text of a refusal in another shape, empty where it has none."""
    told = _content(content) or {}
    return next((told[name] for name in ("error", "message", "detail") if isinstance(told.get(name), str)), "")


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
        self.begun = False
        """Whether the client was sent anything that the model made: text, reasoning, a call, media."""
        self.complete = False
        """Whether the answer came to its end."""
        self.failed: SupplierError | None = None
        """What the supplier did wrong inside a stream; nothing after it counts."""
        self.gone = False
        """Whether the client has left: what comes now is read, but delivered to nobody."""

    @property
    @abstractmethod
    def delivered(self) -> int:
        """Bytes of text that the client was sent."""

    @property
    def finished(self) -> bool:
        """Whether the client has the whole answer, though its usage may be on its way."""
        return False

    @abstractmethod
    def feed(self, chunk: bytes) -> bytes:
        """Take bytes of the supplier; return what may go to the client now."""

    @abstractmethod
    def end(self) -> bytes:
        """Take note that no more bytes come; return what may still go to the client."""

    @abstractmethod
    def tail(self, note: Mapping[str, str], error: Mapping[str, Any] | None) -> bytes:
        """Return what the client gets once the settlement is durable; `error` where the answer is not whole."""

    def _read(self, content: dict[str, Any]) -> None:
        """Note usage and tier, then show the client our names and only what it asked for."""
        if content.get("usage"):
            self.usage = content["usage"]
        if not self._show_usage or not _can_write(content.get("usage")):
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
        self._answer = b""

    @property
    def delivered(self) -> int:
        """Bytes of text in the answer."""
        return text_bytes(_made(self._content["choices"])) if self.complete else 0

    def feed(self, chunk: bytes) -> bytes:
        """Keep everything."""
        self._parts.append(chunk)
        return b""

    def end(self) -> bytes:
        """Parse the answer; SupplierError where it is not a chat completion, or none that can be passed on."""
        try:
            content = orjson.loads(b"".join(self._parts))
        except orjson.JSONDecodeError:
            raise SupplierError("the supplier's answer is not JSON", code="supplier_nonsense") from None
        if not isinstance(content, dict) or not isinstance(content.get("choices"), list):
            raise SupplierError("the supplier's answer has no choices", code="supplier_nonsense")
        self._read(content)
        self._content, self._answer = content, _written(content)
        self.complete = True
        return b""

    def tail(self, note: Mapping[str, str], error: Mapping[str, Any] | None) -> bytes:
        """Return the answer; the note is in its headers."""
        del note, error
        return self._answer


class StreamTap(Tap):
    """An answer as server-sent events."""

    def __init__(self, ask: Ask, model: Model) -> None:
        """Start to read."""
        super().__init__(ask, model)
        self._rest = b""
        self._delivered = 0
        self._seen: set[int] = set()
        self._ended: set[int] = set()
        self._failure = b""

    @property
    def delivered(self) -> int:
        """Bytes of text in the events that went out."""
        return self._delivered

    @property
    def finished(self) -> bool:
        """Whether every choice that began has its finish_reason, or the terminator came."""
        return self.complete or (bool(self._seen) and self._seen == self._ended)

    def feed(self, chunk: bytes) -> bytes:
        """Return the whole events so far; an event that is cut waits for the rest of it."""
        rest = self._rest + chunk
        if b"\r" in rest:
            rest = rest.replace(b"\r\n", b"\n")
        *events, self._rest = rest.split(b"\n\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise SupplierError(f"the supplier sent an event of more than {MAX_EVENT_BYTES} bytes", code="supplier_nonsense")
        return b"".join([self._event(event) for event in events])

    def end(self) -> bytes:
        """Read an event that lacks its blank line; one that is cut in its middle no client could read.

        A finished stream whose usage came is whole without a terminator too.
        """
        (data, others), self._rest = _fields(self._rest), b""
        out = self._data(data, others) if data == DONE or _content(data) else b""
        if self.finished and self.usage is not None and not self.failed:
            self.complete = True
        return out

    def tail(self, note: Mapping[str, str], error: Mapping[str, Any] | None) -> bytes:
        """Return the note as a comment, then the terminator, or the error unless the supplier's own went out."""
        comment = b": tokenworth " + orjson.dumps(note) + b"\n\n"
        if error is None:
            return comment + b"data: [DONE]\n\n"
        return comment + (self._failure or b"data: " + orjson.dumps(error) + b"\n\n")

    def _event(self, event: bytes) -> bytes:
        data, others = _fields(event)
        if data:
            return self._data(data, others)
        return others + b"\n" if others else b""

    def _data(self, data: bytes, others: bytes) -> bytes:
        if self.complete or self.failed:
            return b""
        if data == DONE:
            self.complete = True
            return b""
        content = _content(data)
        if content is None:
            # not ours to judge: the client sees it as it came
            return others + b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
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
            event = others + b"data: " + _written(content) + b"\n\n"
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
            self._delivered += text_bytes(made)
            self.begun = self.begun or any(map(_is_content, made))


def _fields(event: bytes) -> tuple[bytes, bytes]:
    """Return an event's data, which is one text however many lines it has, and its other lines: comments and names."""
    if event.startswith(b"data:") and b"\n" not in event:
        return event[5:].strip(), b""
    lines = event.split(b"\n")
    data = b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
    return data.strip(), b"".join(line + b"\n" for line in lines if line and not line.startswith(b"data:"))


def _content(data: bytes) -> dict[str, Any] | None:
    """Return the object that an event carries; None where it carries something else."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _objects(choices: Any) -> list[dict[str, Any]]:
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _made(choices: Any) -> list[Any]:
    """Return what the model made in each choice; its other fields say how it ended, or was filtered."""
    return [choice[name] for choice in _objects(choices) for name in ("delta", "message", "text") if choice.get(name)]


def _is_content(made: Any) -> bool:
    """Whether there is more than the empty frame that opens and closes a choice."""
    return any(value for name, value in made.items() if name != "role") if isinstance(made, dict) else bool(made)


def _can_write(usage: Any) -> bool:
    """Whether a usage object can go to the client: orjson reads deeper nesting than it writes."""
    try:
        orjson.dumps(usage)
    except orjson.JSONEncodeError:
        return False
    return True


def _written(content: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError as error:
        raise SupplierError(f"the supplier's answer cannot be passed on: {error}", code="supplier_nonsense") from None
