"""What is known of the request that a task serves: filled in on its way by who learns it, read by who tells of it."""

from contextvars import ContextVar

from tokenworth.capture.events import UsageEvent


class Seen:
    """One request over HTTP. `started` and `sent` are readings of the process's own clock in seconds; 0 where that has not happened."""

    __slots__ = ("draft", "parent", "sent", "started", "status", "streaming")

    def __init__(self, started: float, parent: str = "") -> None:
        """Know when it came, and of which trace it is a part (the header `traceparent`)."""
        self.started = started
        self.parent = parent
        self.draft: UsageEvent | None = None
        """The event as it was when its hold was asked for."""
        self.status = 0
        self.streaming = False
        self.sent = 0.0
        """When the last part of a stream was handed on."""


CURRENT: ContextVar[Seen | None] = ContextVar("tokenworth_request", default=None)
"""Tasks inherit it from the task that starts them, so a settlement in the background knows its request too."""
