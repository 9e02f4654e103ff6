"""To suppliers that speak messages too: what they get, and taps that read the answer.

What a client sees is the supplier's answer, but for `model` (the product that was asked for) and the tier in its usage (the one that is
charged, where it is the operator's own promise). Counts of `message_delta` are running totals over those of `message_start`.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import sse
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.events import EventTap
from tokenworth.flows.serve.wire.messages import errors
from tokenworth.flows.serve.wire.tap import Asked, Tap
from tokenworth.flows.serve.wire.whole import WholeTap
from tokenworth.price.card import DEFAULT_TIER

PRIORITY = "priority"
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def supplier_body(ask: Ask, model: Model) -> dict[str, Any]:
    """Return the request as the supplier gets it: untouched but for the model's name and the tier."""
    body = {**ask.body, "model": model.name}
    body.pop("service_tier", None)
    return body | supplier_tier(ask, model)


def supplier_tier(ask: Ask, model: Model) -> dict[str, str]:
    """Return how Anthropic's API is told the tier: by whether capacity with priority, which was bought beforehand, may be used."""
    if PRIORITY not in model.tiers:
        return {}
    return {"service_tier": "auto" if ask.tier == PRIORITY else "standard_only"}


def make_tap(asked: Asked) -> Tap:
    """Return the reader of an answer."""
    return (MessageStream if asked.ask.stream else MessageWhole)(asked)


class MessageTap(Tap):
    """What both kinds of answers share."""

    def __init__(self, asked: Asked) -> None:
        """Start to read the answer to a request."""
        super().__init__()
        self._product = asked.ask.product
        self._own_tier = "" if PRIORITY in asked.model.tiers else asked.ask.tier
        self._usage: dict[str, Any] = {}

    def _read(self, message: dict[str, Any]) -> None:
        """Note usage and tier of a message, then show the client our names."""
        if "model" in message:
            message["model"] = self._product
        usage = message.get("usage")
        if not isinstance(usage, dict):
            return
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        if usage.get("service_tier"):
            self.served_tier = str(usage["service_tier"])
            if self._own_tier:
                usage["service_tier"] = "standard" if self._own_tier == DEFAULT_TIER else self._own_tier


class MessageWhole(MessageTap, WholeTap):
    """An answer in one piece."""

    field = "content"

    def _read_whole(self, content: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        self._read(content)
        # a usage that is none is not taken for one
        self.usage = self._usage or content.get("usage")
        return content["content"], content


class MessageStream(MessageTap, EventTap):
    """An answer as server-sent events."""

    def __init__(self, asked: Asked) -> None:
        """Start to read."""
        super().__init__(asked)
        self._stopped = False

    @property
    def finished(self) -> bool:
        """Whether the message has its reason to stop."""
        return self.complete or self._stopped

    def end(self) -> bytes:
        """Read an event that lacks its blank line. A message that stopped, and whose usage came, is whole without its last event too."""
        out = super().end()
        if self._stopped and self.usage is not None and not self.failed:
            self.complete = True
        return out

    def _object(self, content: dict[str, Any], data: bytes, others: bytes) -> bytes:
        kind = content.get("type")
        if kind == "error":
            return self._fail(sse.as_it_came(data, others))
        if kind == "message_stop":
            self.complete = True
            return b""
        if kind == "message_start" and isinstance(content.get("message"), dict):
            self._read(content["message"])
            self.prompt_usage = dict(self._usage) or None
        elif kind == "message_delta":
            self._read(content)
            self.usage = self._usage or None
        event = self._write(content, others)
        if event:
            self._note(content)
        return event

    def _note(self, content: Mapping[str, Any]) -> None:
        made = content.get("delta") if content.get("type") == "content_block_delta" else content.get("content_block")
        if isinstance(made, dict):
            self._count(made, begun=any(value for name, value in made.items() if name != "type"))
        elif content.get("type") == "message_delta":
            stop = content.get("delta")
            self._stopped = isinstance(stop, dict) and bool(stop.get("stop_reason"))

    def _terminator(self) -> bytes:
        return STOP

    def _last_event(self, refusal: Refusal) -> bytes:
        return errors.last_event(refusal)
