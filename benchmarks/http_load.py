"""A small closed-loop HTTP/1.1 client on raw sockets, so that the client is not what is measured.

Each connection sends the same request again as soon as the answer is whole.
"""

import asyncio
import time
from dataclasses import dataclass, field
from statistics import median
from typing import cast


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send what; `ends` is what the last bytes of a good answer look like, empty for any."""

    port: int
    body: bytes
    key: str = ""
    path: str = "/v1/chat/completions"

    def request(self) -> bytes:
        """Return the bytes of the request."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self.key}\r\ncontent-length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True, slots=True)
class Load:
    """What came out: answers a second, and the median seconds of one."""

    rate: float
    median: float
    answers: int


@dataclass(slots=True)
class _Connection(asyncio.Protocol):
    request: bytes
    until: float
    done: asyncio.Future[None]
    times: list[float] = field(default_factory=list)
    _transport: asyncio.Transport | None = None
    _buffer: bytes = b""
    _sent: float = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is whole."""
        self._buffer += data
        if not _whole(self._buffer):
            return
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self._buffer[:500].decode()))
            return
        now = time.perf_counter()
        self.times.append(now - self._sent)
        self._buffer = b""
        if now < self.until:
            self._send()
        else:
            assert self._transport is not None
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail where the answer is not there."""
        if not self.done.done():
            self.done.set_exception(exc or RuntimeError("the connection was closed"))

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        self._transport.write(self.request)


def _whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    _, length, rest = head.lower().partition(b"content-length: ")
    if length:
        return len(body) >= int(rest.split(b"\r\n", 1)[0])
    return body.endswith(b"0\r\n\r\n")


async def load(target: Target, *, connections: int, seconds: float) -> Load:
    """Load a server for so many seconds; RuntimeError at the first answer that is not 200."""
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    open_: list[_Connection] = []
    for _ in range(connections):
        connection = _Connection(target.request(), start + seconds, loop.create_future())
        await loop.create_connection(lambda made=connection: made, "127.0.0.1", target.port)  # type: ignore[misc]
        open_.append(connection)
    await asyncio.gather(*(connection.done for connection in open_))
    times = [taken for connection in open_ for taken in connection.times]
    return Load(len(times) / (time.perf_counter() - start), median(times), len(times))
