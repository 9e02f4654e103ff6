"""From a client's format to a supplier's and back, through the neutral form."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from tokenworth.book.model import Model
from tokenworth.core.errors import SupplierError, UsageError
from tokenworth.core.instants import SECOND
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.answer import read_object
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.events import EventTap
from tokenworth.flows.serve.wire.format import Bridge
from tokenworth.flows.serve.wire.hub.answer import Event, Grow, Head, Open, told
from tokenworth.flows.serve.wire.hub.conversation import Call, Reasoning
from tokenworth.flows.serve.wire.hub.sides import ClientSide, SupplierSide
from tokenworth.flows.serve.wire.tap import Asked, Tap
from tokenworth.flows.serve.wire.text import Said
from tokenworth.flows.serve.wire.usage import estimate, read_usage
from tokenworth.flows.serve.wire.whole import WholeTap
from tokenworth.measure.usage.counts import Usage


def bridge(client: ClientSide, supplier: SupplierSide) -> Bridge:
    """Return the bridge between two formats."""

    def request(ask: Ask, model: Model) -> Mapping[str, Any]:
        return supplier.write_request(client.read_request(ask), ask, model)

    def tap(asked: Asked) -> Tap:
        return (TranslatedStream if asked.ask.stream else TranslatedWhole)(client, supplier, asked)

    def refused(status: int, content: bytes) -> bytes:
        said = told(read_object(content) or {})
        return orjson.dumps(client.format.error(Refusal(status, said.code or "supplier_rejected", said.message))) if said else b""

    return Bridge(supplier.api, supplier.path, request, tap, refused)


def _head(asked: Asked, served: str) -> Head:
    """Return the head of an answer; the tier is the supplier's where it was passed on, else the operator's own."""
    tier = served if served and asked.ask.tier in asked.model.tiers else asked.ask.tier
    return Head(asked.ask, asked.at // SECOND, tier)


def _usage(asked: Asked, api: str, tap: Tap, delivered: Said) -> Usage:
    """Return the counts that the client sees: the supplier's, or those that are estimated and charged where they are of no use."""
    if tap.usage is not None:
        with suppress(UsageError):
            return read_usage(asked.model, api, tap.usage)
    return estimate(asked, api, delivered, tap.prompt_usage)


class TranslatedWhole(WholeTap):
    """An answer in one piece."""

    def __init__(self, client: ClientSide, supplier: SupplierSide, asked: Asked) -> None:
        """Start to read the answer to a request."""
        super().__init__()
        self.field = supplier.field
        self._client = client
        self._supplier = supplier
        self._asked = asked

    def _read_whole(self, content: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        answer = self._supplier.read_answer(content)
        self.usage = content.get("usage") or None
        self.served_tier = self._supplier.served_tier(content)
        made = content[self.field]
        usage = _usage(self._asked, self._supplier.api, self, Said(made))
        return made, self._client.write_answer(answer, usage, _head(self._asked, self.served_tier))


class TranslatedStream(EventTap):
    """An answer as server-sent events, each translated as it comes."""

    def __init__(self, client: ClientSide, supplier: SupplierSide, asked: Asked) -> None:
        """Start to read the answer to a request."""
        super().__init__()
        self._client = client
        self._api = supplier.api
        self._asked = asked
        self._reader = supplier.make_reader()
        self._writer = client.make_writer(_head(asked, ""))

    @property
    def finished(self) -> bool:
        """Whether the last part has ended."""
        return self.complete or self._reader.stopped

    def end(self) -> bytes:
        """Read an event that lacks its blank line. A finished stream whose usage came is whole without a terminator too."""
        out = super().end()
        if self.finished and self.usage is not None and not self.failed:
            self.complete = True
        return out

    def _is_whole(self, data: bytes) -> bool:
        return data == DONE or super()._is_whole(data)

    def _other(self, data: bytes, others: bytes) -> bytes:
        del others
        # what is no object is in no format; the terminator of OpenAI's chat completions ends those
        self.complete = self.complete or data == DONE
        return b""

    def _object(self, content: dict[str, Any], data: bytes, others: bytes) -> bytes:
        del data, others
        if said := told(content):
            return self._fail(self._client.format.last_event(Refusal(502, said.code or "supplier_broke_off", said.message)))
        try:
            events = list(self._reader.read(content))
        except SupplierError as error:
            # not raised: the events before it are on their way
            self.failed = error
            return b""
        self.usage, self.prompt_usage, self.served_tier = self._reader.usage, self._reader.prompt_usage, self._reader.tier
        self.complete = self._reader.ended
        self._note(events)
        return b"".join([self._writer.write(event) for event in events])

    def _note(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Grow):
                self._count(event.text, begun=bool(event.text))
            elif isinstance(event, Open) and isinstance(event.part, Call):
                self._count(event.part.name, begun=True)
            elif isinstance(event, Open) and isinstance(event.part, Reasoning) and event.part.proof:
                self._count(None, begun=True)

    def _terminator(self) -> bytes:
        head = _head(self._asked, self.served_tier)
        return self._writer.finish(_usage(self._asked, self._api, self, self.delivered), head.tier)

    def _last_event(self, refusal: Refusal) -> bytes:
        return self._client.format.last_event(refusal)


DONE = b"[DONE]"
