"""What all readers of streams share: events are cut out, an error ends the answer, and the terminator waits for the settlement."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import sse
from tokenworth.flows.serve.wire.answer import read_object, written
from tokenworth.flows.serve.wire.tap import Tap
from tokenworth.flows.serve.wire.text import Said


class EventTap(Tap):
    """An answer as server-sent events; what one carries, subclasses read."""

    def __init__(self) -> None:
        """Start to read."""
        super().__init__()
        self._splitter = sse.Splitter()
        self._delivered = Said()
        self._failure = b""

    @property
    def delivered(self) -> Said:
        """The text of the events that went out."""
        return self._delivered

    def feed(self, chunk: bytes) -> bytes:
        """Return the whole events so far; an event that is cut waits for the rest of it."""
        return b"".join([self._event(event) for event in self._splitter.feed(chunk)])

    def end(self) -> bytes:
        """Read an event that lacks its blank line; one that is cut in its middle no client could read."""
        data, others = sse.fields(self._splitter.end())
        return self._data(data, others) if self._is_whole(data) else b""

    def tail(self, note: Mapping[str, str], refusal: Refusal | None) -> bytes:
        """Return the note as a comment, then the terminator, or the error unless the supplier's own went out."""
        comment = b": tokenworth " + orjson.dumps(note) + b"\n\n"
        if refusal is None:
            return comment + self._terminator()
        return comment + (self._failure or self._last_event(refusal))

    def _event(self, event: bytes) -> bytes:
        data, others = sse.fields(event)
        if data:
            return self._data(data, others)
        return others + b"\n" if others else b""

    def _data(self, data: bytes, others: bytes) -> bytes:
        if self.complete or self.failed:
            return b""
        content = read_object(data)
        return self._other(data, others) if content is None else self._object(content, data, others)

    def _is_whole(self, data: bytes) -> bool:
        return read_object(data) is not None

    def _fail(self, event: bytes) -> bytes:
        """Note an error of the supplier. Clients stop reading at it, so it waits for the settlement as a terminator does."""
        self.failed = SupplierError("the supplier reported an error in its stream", code="supplier_broke_off")
        self._failure = event
        return b""

    def _write(self, content: Mapping[str, Any], others: bytes) -> bytes:
        """Return an event; nothing, and `failed`, where it cannot be written: not raised, since the events before it are on their way."""
        try:
            return others + b"data: " + written(content) + b"\n\n"
        except SupplierError as error:
            self.failed = error
            return b""

    def _count(self, made: Any, *, begun: bool) -> None:
        """Note what the client gets of what the model made."""
        if not self.gone:
            self._delivered.add(made)
            self.begun = self.begun or begun

    @abstractmethod
    def _object(self, content: dict[str, Any], data: bytes, others: bytes) -> bytes:
        """Read an event with an object, which came as `data`; return what goes to the client."""

    def _other(self, data: bytes, others: bytes) -> bytes:
        """Read an event with anything else."""
        return sse.as_it_came(data, others)

    @abstractmethod
    def _terminator(self) -> bytes:
        """Return what tells the client that the answer is whole."""

    @abstractmethod
    def _last_event(self, refusal: Refusal) -> bytes:
        """Return what tells the client that it is not."""
