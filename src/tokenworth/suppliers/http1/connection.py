"""One connection to a supplier, which answers one request at a time."""

import asyncio
from typing import Protocol, cast

import httptools

HIGH, LOW = 256 * 1024, 64 * 1024
"""Bytes of an answer that wait for the client: from HIGH on no more is read of the supplier, until LOW is reached."""
MOST_HEAD = 64 * 1024
"""Bytes of an answer's status line and headers."""


class Broken(Exception):  # noqa: N818 - its text says what
    """The connection is of no use any more."""


class Silent(Broken):
    """Nothing came for as long as was allowed."""


class Home(Protocol):
    """Whoever keeps connections."""

    def free(self, connection: "Connection") -> None:
        """Take a connection back that may be asked again."""
        ...

    def gone(self, connection: "Connection") -> None:
        """Forget a connection."""
        ...


class Connection(asyncio.Protocol):
    """Parses what comes. `patience` is in seconds without a byte, while one is awaited."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patience: float, home: Home) -> None:
        """Wait for a connection."""
        self._loop = loop
        self._patience = patience
        self._home = home
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._broken: Broken | None = None
        self._paused = self._busy = False
        self._heard = 0.0
        self.idle_since = 0.0
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._head = 0
        self._headed = self._whole = self._delimited = self._kept = False
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._transport.is_closing() and self._broken is None

    async def ask(self, request: bytes) -> None:
        """Send a request; returns when status and headers are there. Broken where none come."""
        if self._transport is None:
            raise self._broken or Broken("the connection was closed")
        self._begin()
        self._busy = True
        self._heard = self._loop.time()
        self._timer = self._loop.call_at(self._heard + self._patience, self._look)
        self._transport.write(request)
        while not self._headed:
            await self._more()

    async def read(self) -> bytes:
        """Return what came since the last time, empty at the answer's end; Broken where it ends too early."""
        while not self._parts:
            if self._whole:
                self._release()
                return b""
            await self._more()
        parts = self._parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts, self._size = [], 0
        if self._paused:
            self._resume()
        return data

    def close(self) -> None:
        """Give up an answer: unless it is whole the connection ends at once, which is what cancels a generation upstream."""
        if self._busy and self._whole:
            self._release()
        elif self._busy:
            self._break(Broken("given up"))

    def end(self) -> None:
        """End a connection that is free."""
        self._break(Broken("not used any more"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if not self._busy or self._whole:
            # nobody asked; what is whole may still be read
            self._kept = False
            self._break(Broken("the supplier speaks out of turn"))
            return
        self._heard = self._loop.time()
        if not self._headed:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(Broken(f"no HTTP: {error or type(error).__name__}"))
            return
        if not self._headed and self._head > MOST_HEAD:
            self._break(Broken(f"headers of more than {MOST_HEAD} bytes"))
            return
        self._wake()

    def eof_received(self) -> None:
        """The supplier sends no more; `connection_lost` comes next."""

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that is delimited by nothing else is whole now; any other is broken."""
        self._transport = None
        if exc is None and self._headed and not self._delimited:
            self._whole = True
        self._home.gone(self)
        self._break(Broken(type(exc).__name__ if exc else "the connection was closed"))

    def on_message_begin(self) -> None:
        """An answer after the last one, which nobody asked for, ends the connection."""
        if self._whole:
            self._kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; those after the body are of no use."""
        if self._headed:
            return
        key = name.decode("latin-1").lower()
        self.headers[key] = value.decode("latin-1")
        if key in {"content-length", "transfer-encoding"}:
            self._delimited = True

    def on_headers_complete(self) -> None:
        """Note the status, unless it only says that the answer is to come."""
        status = self._parser.get_status_code()
        if status >= 200:
            self.status, self._headed = status, True

    def on_body(self, data: bytes) -> None:
        """Keep what the client has not got yet, and stop reading where that is much."""
        if self._whole:
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size >= HIGH and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note that the answer is whole; an interim one (1xx) leaves nothing behind."""
        if not self._headed:
            self._begin()
        elif not self._whole:
            self._whole = True
            self._kept = self._parser.should_keep_alive()

    async def _more(self) -> None:
        """Wait until something came; Broken where nothing will."""
        if self._broken is not None:
            raise self._broken
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        self._paused = False
        # what was not read was no silence
        self._heard = self._loop.time()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _look(self) -> None:
        """Look whether the supplier was silent for too long; one timer, moved on, is cheaper than one a read."""
        due = self._heard + self._patience
        if self._paused:
            due = self._loop.time() + self._patience
        elif self._whole:
            return
        elif due <= self._loop.time():
            self._break(Silent(f"nothing for {self._patience:g} s"))
            return
        self._timer = self._loop.call_at(due, self._look)

    def _release(self) -> None:
        """Be free for another request, where both sides keep the connection."""
        if not self._busy:
            return
        self._busy = False
        self._stop_timer()
        if self._paused:
            self._resume()
        if self.usable and self._kept:
            self.idle_since = self._loop.time()
            self._home.free(self)
        else:
            self._break(Broken("not kept"))

    def _break(self, why: Broken) -> None:
        if self._broken is None:
            self._broken = why
        self._busy = False
        self._stop_timer()
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
