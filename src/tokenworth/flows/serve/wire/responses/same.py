"""To suppliers that speak responses too: what they get, and taps that read the answer.

What a client sees is the supplier's answer, but for `model` (the product that was asked for) and `service_tier` (the tier that is charged,
where it is the operator's own promise). The event that ends a stream has the usage inside, and waits for the settlement.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.book.model import Model
from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import sse
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.events import EventTap
from tokenworth.flows.serve.wire.tap import Asked, Tap
from tokenworth.flows.serve.wire.whole import WholeTap

ENDS = frozenset({"response.completed", "response.incomplete"})
FAILURES = frozenset({"error", "response.failed"})
LAST_ITEMS = frozenset({"message", "function_call", "custom_tool_call"})
"""Items after which a response may end."""


def supplier_body(ask: Ask, model: Model) -> dict[str, Any]:
    """Return the request as the supplier gets it: untouched but for the model's name, the tier, and that nothing is stored."""
    body = {**ask.body, "model": model.name, "store": False}
    if "service_tier" in body and body["service_tier"] not in model.tiers:
        del body["service_tier"]
    return body


def make_tap(asked: Asked) -> Tap:
    """Return the reader of an answer."""
    return (ResponseStream if asked.ask.stream else ResponseWhole)(asked)


def last_event(refusal: Refusal) -> bytes:
    """Return an error as the event that ends a stream."""
    content = {**refusal.extra, "type": "error", "code": refusal.code, "message": refusal.what, "param": refusal.param}
    return b"event: error\ndata: " + orjson.dumps(content) + b"\n\n"


class ResponseTap(Tap):
    """What both kinds of answers share."""

    def __init__(self, asked: Asked) -> None:
        """Start to read the answer to a request."""
        super().__init__()
        self._product = asked.ask.product
        self._own_tier = "" if asked.ask.body.get("service_tier") in asked.model.tiers else asked.ask.tier

    def _read(self, response: dict[str, Any]) -> None:
        """Note usage and tier, then show the client our names."""
        if response.get("usage"):
            self.usage = response["usage"]
        if "model" in response:
            response["model"] = self._product
        if "service_tier" in response:
            self.served_tier = str(response["service_tier"] or "")
            if self._own_tier:
                response["service_tier"] = self._own_tier


class ResponseWhole(ResponseTap, WholeTap):
    """An answer in one piece."""

    field = "output"

    def _read_whole(self, content: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        if content.get("status") == "failed":
            raise SupplierError("the supplier says that its response failed", code="supplier_failed")
        self._read(content)
        return content["output"], content


class ResponseStream(ResponseTap, EventTap):
    """An answer as server-sent events."""

    def __init__(self, asked: Asked) -> None:
        """Start to read."""
        super().__init__(asked)
        self._open = 0
        self._may_end = False
        self._last = b""

    @property
    def finished(self) -> bool:
        """Whether every item that began has ended, and the last of them may be the last."""
        return self.complete or (self._may_end and not self._open)

    def _object(self, content: dict[str, Any], data: bytes, others: bytes) -> bytes:
        kind = content.get("type")
        if isinstance(content.get("response"), dict):
            self._read(content["response"])
        if kind in FAILURES:
            return self._fail(self._write(content, others) or sse.as_it_came(data, others))
        event = self._write(content, others)
        if event and kind in ENDS:
            self._last, self.complete = event, True
            return b""
        if event:
            self._note(str(kind), content)
        return event

    def _note(self, kind: str, content: Mapping[str, Any]) -> None:
        item = content.get("item")
        named = item if isinstance(item, dict) else {}
        if kind == "response.output_item.added":
            self._open += 1
            self._count(named.get("name"), begun=bool(named.get("name")))
        elif kind == "response.output_item.done":
            self._open -= 1
            self._may_end = named.get("type") in LAST_ITEMS
        elif kind.endswith(".delta"):
            self._count(content.get("delta"), begun=bool(content.get("delta")))

    def _terminator(self) -> bytes:
        return self._last

    def _last_event(self, refusal: Refusal) -> bytes:
        return last_event(refusal)
