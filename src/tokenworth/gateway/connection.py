"""A client's connection: uvicorn's protocol on httptools, with limits that uvicorn leaves to a proxy in front of it.

Added are: a time limit for headers and a limit of their size, so that a connection that says nothing whole does not stay; a time limit for a client
that takes nothing of what waits for it; and a word to the application at the moment at which its client leaves, without a task that waits for it.
"""

import asyncio
from collections import deque
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tokenworth.gateway.asgi import PRESENCE, App, Presence

HEADER_SECONDS = 20
"""How long a connection may be open without a whole request's headers, the first or the next."""
STALL_SECONDS = 60
"""How long a client may take nothing while an answer waits for it; its supplier waits too."""
MOST_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""


def config(app: App, most: int) -> Config:
    """Return uvicorn's settings for an application; past `most` connections, requests get 503."""
    made = Config(
        cast("Any", app),
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        # addresses in headers are anybody's claim
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=HEADER_SECONDS,
        limit_concurrency=most,
    )
    made.load()
    return made


class Connection(HttpToolsProtocol):
    """One connection, and the clients of its requests under way: several where they are pipelined."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        """Wait for a connection."""
        super().__init__(config, server_state, app_state)
        self._head = 0
        self._in_head = True
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._present: deque[Presence] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for headers."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._late = self.loop.call_later(HEADER_SECONDS, self._end)

    def data_received(self, data: bytes) -> None:
        """Parse; what is not whole has a time limit, and one of its size."""
        before = self._in_head
        super().data_received(data)
        if not self._in_head:
            self._head = 0
            return
        # of a next request that came with the end of the last one, a little more is counted than its headers have
        self._head += len(data) if before else 0
        if self._head > MOST_HEAD:
            self.send_400_response(f"The headers are larger than {MOST_HEAD} bytes.")
        elif self._late is None and not self.transport.is_closing():
            self._late = self.loop.call_later(HEADER_SECONDS, self._end)

    def on_message_begin(self) -> None:
        """Prepare a request; the application finds its client among the extensions."""
        super().on_message_begin()
        self._in_head = True
        self._present.append(Presence())
        self.scope["extensions"] = cast("Any", {PRESENCE: self._present[-1]})

    def on_headers_complete(self) -> None:
        """Start the request."""
        self._in_head = False
        if self._late is not None:
            self._late.cancel()
            self._late = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take note that a body is whole."""
        if self._present:
            # else it was answered before
            self._present[-1].said = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Take note that the first of the requests under way is answered."""
        self._present.popleft()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Let the application wait: the client is slower than its answer."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self._end)

    def resume_writing(self) -> None:
        """Let the application go on."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever works for the client that it has left."""
        for timer in (self._late, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        for each in self._present:
            each.leave()

    def _end(self) -> None:
        self.transport.abort()
