"""What is known of the request that a task serves: filled in on its way by who learns it, read by who tells of it."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from tokenworth.capture.events import UsageEvent


class Seen:
    """One request over HTTP. `started` and `sent` are readings of the process's own clock in seconds; 0 where that has not happened."""

    __slots__ = ("draft", "scope", "sent", "started", "status", "streaming")

    def __init__(self, started: float, scope: Mapping[str, Any]) -> None:
        """Know when it came, and its head as ASGI has it."""
        self.started = started
        self.scope = scope
        self.draft: UsageEvent | None = None
        """The event as it was when its hold was asked for."""
        self.status = 0
        self.streaming = False
        self.sent = 0.0
        """When the last part of a stream was handed on."""

    def header(self, name: bytes) -> str:
        """Return a header (name in small letters), empty where it is absent: looked for only by who needs it."""
        return next((value.decode("latin-1") for key, value in self.scope.get("headers", ()) if key == name), "")


CURRENT: ContextVar[Seen | None] = ContextVar("tokenworth_request", default=None)
"""Tasks inherit it from the task that starts them, so a settlement in the background knows its request too."""
