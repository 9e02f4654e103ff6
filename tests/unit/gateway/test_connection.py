"""What a client may do to a connection, and for how long."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from tests.support.gateway import free_port
from tokenworth.gateway.asgi import PRESENCE, Message, Receive, Send, read_body, send_json, send_start
from tokenworth.gateway.connection import MOST_HEAD
from tokenworth.gateway.server import Address, serve

GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
BLOCK, BLOCKS = b"x" * 65_536, 2_000


class Here:
    """An application that notes what it hears of its clients."""

    def __init__(self) -> None:
        self.sent = 0
        self.left = asyncio.Event()
        self.begun = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        scope["extensions"][PRESENCE].tell = self.left.set
        self.begun.set()
        match scope["path"]:
            case "/floods":
                await send_start(send, 200, [])
                for _ in range(BLOCKS):
                    await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
                    self.sent += len(BLOCK)
                await send({"type": "http.response.body", "body": b""})
            case "/waits":
                await self.left.wait()
            case "/naps":
                await asyncio.sleep(0.3)
                await send_json(send, 200, scope["path"])
            case _:
                await send_json(send, 200, {"path": scope["path"], "size": len(await read_body(scope, receive, 10**9))})


def serving(probe: Callable[[int, Here], Awaitable[None]]) -> None:
    """Serve until a probe is over, on the loop that a gateway has; what the probe raises is raised."""

    async def run() -> None:
        app, port, probes = Here(), free_port(), list[asyncio.Task[None]]()

        async def probed() -> None:
            try:
                async with asyncio.timeout(20):
                    await probe(port, app)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        await serve(app, Address("127.0.0.1", port), ready=lambda: probes.append(asyncio.create_task(probed())))
        await probes[0]

    uvloop.run(run())


@asynccontextmanager
async def connected(port: int, sent: bytes) -> AsyncGenerator[asyncio.StreamReader, None]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(sent)
    yield reader
    writer.close()


def test_a_slow_reader_makes_the_application_wait() -> None:
    async def probe(port: int, app: Here) -> None:
        async with connected(port, GET % b"floods") as reader:
            before = -1
            while before < app.sent:
                before = app.sent
                await asyncio.sleep(0.5)
            # what the system's own buffers take, and no more
            assert before < len(BLOCK) * BLOCKS / 4
            got = 0
            while not got >= len(BLOCK) * BLOCKS:
                got += len(await reader.read(1 << 20))
            assert app.sent == len(BLOCK) * BLOCKS

    serving(probe)


def test_a_reader_that_takes_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.gateway.connection.STALL_SECONDS", 0.3)

    async def probe(port: int, app: Here) -> None:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(client, GET % b"floods")
            await app.left.wait()

    serving(probe)


def test_a_reader_that_takes_a_little_now_and_then_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.gateway.connection.STALL_SECONDS", 1)

    async def probe(port: int, app: Here) -> None:
        async with connected(port, GET % b"floods") as reader:
            for _ in range(15):
                await asyncio.sleep(0.1)
                for _ in range(30):
                    await reader.read(1 << 20)
            assert not app.left.is_set()

    serving(probe)


@pytest.mark.parametrize("pause", [None, 0])
def test_headers_without_end_are_refused(pause: int | None) -> None:
    async def probe(port: int, app: Here) -> None:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\n")
            said = b""
            try:
                for _ in range(MOST_HEAD // 1_000 + 2):
                    await loop.sock_sendall(client, b"x: " + b"y" * 995 + b"\r\n")
                    if pause is not None:
                        await asyncio.sleep(pause)
                said = await loop.sock_recv(client, 1_000)
            except ConnectionError:
                # it was closed while there was more to say
                assert said == b""
            assert not said or said.startswith(b"HTTP/1.1 400")
            assert not app.begun.is_set()

    serving(probe)


def test_the_application_hears_at_once_that_its_client_left() -> None:
    async def probe(port: int, app: Here) -> None:
        async with connected(port, GET % b"waits"):
            await app.begun.wait()
            assert not app.left.is_set()
        await app.left.wait()

    serving(probe)


def test_pipelined_requests_are_answered_in_order_and_all_hear_of_the_end() -> None:
    async def probe(port: int, app: Here) -> None:
        async with connected(port, GET % b"naps" + GET % b"a" + GET % b"b" + GET % b"waits") as reader:
            said = b""
            while b'"/b"' not in said:
                said += await reader.read(1024)
            assert [said.index(each) for each in (b'"/naps"', b'"/a"', b'"/b"')] == sorted(
                said.index(each) for each in (b'"/naps"', b'"/a"', b'"/b"')
            )
        await app.left.wait()

    serving(probe)


def test_a_body_in_chunks_and_one_that_asks_first() -> None:
    async def probe(port: int, app: Here) -> None:
        del app
        chunked = b"POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        async with connected(port, chunked) as reader:
            assert (await reader.readuntil(b"}")).endswith(b'{"path":"/c","size":5}')
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /e HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"body")
        assert (await reader.readuntil(b"}")).endswith(b'{"path":"/e","size":4}')
        writer.close()

    serving(probe)


def test_a_request_may_be_answered_before_its_body_is_there() -> None:
    async def probe(port: int, app: Here) -> None:
        del app
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /naps HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n")
        assert (await reader.readuntil(b'"/naps"')).startswith(b"HTTP/1.1 200")
        writer.write(b"body" + GET % b"a")
        assert (await reader.readuntil(b"}")).endswith(b'{"path":"/a","size":0}')
        writer.close()

    serving(probe)


@pytest.mark.parametrize(
    "smuggled",
    [
        b"POST /s HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + GET % b"hidden",
        b"POST /s HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"GET /s HTTP/1.1\r\nhost: x\r\nx : y\r\n\r\n",
        b"GET /s HTTP/1.1\r\nhost: x\r\nx: y\x00z\r\n\r\n",
    ],
)
def test_a_request_that_two_servers_could_read_differently_is_refused(smuggled: bytes) -> None:
    async def probe(port: int, app: Here) -> None:
        del app
        async with connected(port, smuggled) as reader:
            assert (await reader.read()).startswith(b"HTTP/1.1 400")

    serving(probe)


def test_a_stop_ends_open_requests_and_closes_idle_connections() -> None:
    async def probe(port: int, app: Here) -> None:
        idle = await asyncio.open_connection("127.0.0.1", port)
        busy = await asyncio.open_connection("127.0.0.1", port)
        busy[1].write(GET % b"naps")
        await app.begun.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await idle[0].read() == b""
        answer = await busy[0].read()
        assert answer.startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        for _, writer in (idle, busy):
            writer.close()

    serving(probe)
