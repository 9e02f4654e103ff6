"""The connections to one origin: the one that was used last is used next, so that the others may be closed."""

import asyncio
import ssl
from collections.abc import Mapping
from functools import partial

from tokenworth.suppliers.http1.connection import Connection
from tokenworth.suppliers.http1.origin import Origin

CONNECT_SECONDS = 10
KEEP_ALIVE_SECONDS = 4
"""Below the shortest keep-alive in wide use (uvicorn's 5 s), so that a request is not sent on a connection that is being closed."""


class Pool:
    """Connections of one event loop. `patience` is in seconds without a byte; `trust` is for TLS, the system's by default."""

    def __init__(self, to: Origin, patience: float, *, trust: ssl.SSLContext | None = None) -> None:
        """Connect when the first request comes."""
        self._to = to
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._ssl = (trust or ssl.create_default_context()) if to.secure else None
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    async def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Connection:
        """Send a request; returns when status and headers are there. TimeoutError, OSError or Broken where none come."""
        connection = self._take() or await self._connect()
        try:
            await connection.ask(self._to.post(path, body, headers))
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """End all connections."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in [*self._all]:
            connection.end()
        self._idle, self._all = [], set()

    def _take(self) -> Connection | None:
        until = self._loop.time() - KEEP_ALIVE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.idle_since > until:
                return connection
            connection.end()
        return None

    async def _connect(self) -> Connection:
        make = partial(Connection, self._loop, self._patience, self)
        name = self._to.host if self._ssl else None
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await self._loop.create_connection(make, self._to.host, self._to.port, ssl=self._ssl, server_hostname=name)
        self._all.add(connection)
        return connection

    def free(self, connection: Connection) -> None:
        """Keep a connection for the next request."""
        self._idle.append(connection)
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(KEEP_ALIVE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what was free for too long."""
        self._sweeping = None
        until = self._loop.time() - KEEP_ALIVE_SECONDS
        kept = [connection for connection in self._idle if connection.usable and connection.idle_since > until]
        for connection in {*self._idle} - {*kept}:
            connection.end()
        self._idle = kept
        if kept:
            self._sweeping = self._loop.call_at(kept[0].idle_since + KEEP_ALIVE_SECONDS, self._sweep)

    def gone(self, connection: Connection) -> None:
        """Forget a connection."""
        self._all.discard(connection)
