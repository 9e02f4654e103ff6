"""The port is checked before it is shared in silence, and connections that say nothing are closed."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.support.gateway import free_port
from tokenworth.core.errors import InputError
from tokenworth.gateway.asgi import App, Message, Receive, Send, send_json
from tokenworth.gateway.server import check_port, run

WHOLE = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def test_a_port_in_use_is_refused_even_where_it_may_be_shared() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError) as caught:
            check_port("127.0.0.1", port)
        assert str(port) in caught.value.what
        assert caught.value.code == "port"
    check_port("127.0.0.1", port)


async def says_ok(scope: Message, receive: Receive, send: Send) -> None:
    del scope, receive
    await send_json(send, 200, "ok")


async def seconds_until_closed(port: int, sent: bytes) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()
    writer.write(sent)
    async with asyncio.timeout(10):
        await reader.read()
    writer.close()
    return time.monotonic() - begun


def test_a_connection_without_a_whole_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.gateway.connection.HEADER_SECONDS", 1)
    port = free_port()
    seconds: list[float | BaseException] = []

    async def probe() -> None:
        try:
            kinds = [b"", b"G", b"GET / HTTP/1.1\r\nho", WHOLE, WHOLE + b"GET"]
            seconds.extend(await asyncio.gather(*(seconds_until_closed(port, sent) for sent in kinds), return_exceptions=True))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    @asynccontextmanager
    async def factory() -> AsyncGenerator[App, None]:
        yield says_ok

    probes: list[asyncio.Task[None]] = []
    run(factory, host="127.0.0.1", port=port, ready=lambda: probes.append(asyncio.ensure_future(probe())))
    assert [isinstance(each, float) and 0.5 < each < 5 for each in seconds] == [True] * 5, seconds
