"""The client to suppliers, against servers that do as HTTP says, and servers that do not."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import uvloop
from aiohttp import web

from tokenworth.core.errors import InputError, SupplierError
from tokenworth.flows.ports import SupplierRequest
from tokenworth.suppliers.http1 import pool
from tokenworth.suppliers.http1.connection import HIGH, MOST_HEAD
from tokenworth.suppliers.http1.origin import origin
from tokenworth.suppliers.openai import OpenAISupplier

ASKED = SupplierRequest("/chat/completions", {"model": "m"}, stream=False)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A server that reads requests and lets a function answer each; how many connections it had, and of whom it heard no more."""

    answer: Answer
    port: int = 0
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[bytes] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                self.asked.set()
                await self.answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Answer | bytes | Sequence[bytes], patience: int = 2) -> AsyncGenerator[tuple[Server, OpenAISupplier], None]:
    """Run a server that gives an answer, the same each time, or in parts with a pause after each."""
    parts = [answer] if isinstance(answer, bytes) else answer

    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts if not callable(parts) else ():
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.001)

    made = Server(answer if callable(answer) else write)
    listening = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    supplier = OpenAISupplier(f"http://127.0.0.1:{made.port}/v1", "sk-1", patience)
    yield made, supplier
    await supplier.close()
    listening.close()
    await asyncio.sleep(0)


async def read(supplier: OpenAISupplier) -> tuple[int, bytes]:
    response = await supplier.send(ASKED)
    async with aclosing(response.body) as body:
        return response.status, b"".join([chunk async for chunk in body])


GOOD: dict[str, tuple[bytes | Sequence[bytes], tuple[int, bytes]]] = {
    "with its length": (OK + b"content-length: 5\r\n\r\nhello", (200, b"hello")),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
    "an error": (b"HTTP/1.1 429 Too Many\r\nretry-after: 3\r\ncontent-length: 2\r\n\r\nno", (429, b"no")),
    "in chunks": (CHUNKED + b"3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n", (200, b"hello")),
    "with trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nx-late: 1\r\ncontent-type: a\r\n\r\n", (200, b"hello")),
    "after an interim one": (b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + OK + b"content-length: 5\r\n\r\nhello", (200, b"hello")),
    "byte by byte": ([bytes([each]) for each in CHUNKED + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"], (200, b"hello")),
}


@pytest.mark.parametrize("case", GOOD)
async def test_an_answer_is_read_and_the_connection_used_again(case: str) -> None:
    answer, expected = GOOD[case]
    async with serving(answer) as (server, supplier):
        assert [await read(supplier), await read(supplier)] == [expected, expected]
        assert server.connections == 1
        assert server.requests[0] == server.requests[1]
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
        assert f"host: 127.0.0.1:{server.port}".encode() in head.split(b"\r\n")
        assert b"authorization: Bearer sk-1" in head.split(b"\r\n")
        assert body == b'{"model":"m"}'


async def test_headers_are_those_before_the_body() -> None:
    async with serving(CHUNKED + b"0\r\ncontent-type: late\r\n\r\n") as (_, supplier):
        response = await supplier.send(ASKED)
        assert response.headers["content-type"] == "text/plain"
        assert [chunk async for chunk in response.body] == []
        assert response.headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 5\r\nconnection: close\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        # what nobody asked for must not answer the next request
        OK + b"content-length: 5\r\n\r\nhello" + OK + b"content-length: 5\r\n\r\nwrong",
        [OK + b"content-length: 5\r\n\r\nhello", OK + b"content-length: 5\r\n\r\nwrong"],
    ],
)
async def test_a_connection_that_cannot_be_kept_is_not(answer: bytes | Sequence[bytes]) -> None:
    async with serving(answer) as (server, supplier):
        for _ in range(3):
            assert await read(supplier) == (200, b"hello")
            await asyncio.sleep(0.01)
        assert server.connections == 3


async def test_an_answer_may_end_with_its_connection() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\nhel")
        await writer.drain()
        writer.write(b"lo")
        writer.close()

    async with serving(answer) as (_, supplier):
        assert await read(supplier) == (200, b"hello")


async def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "KEEP_ALIVE_SECONDS", 0.05)
    async with serving(OK + b"content-length: 0\r\n\r\n") as (server, supplier):
        await read(supplier)
        await asyncio.wait_for(server.gone.wait(), 2)
        await read(supplier)
        assert server.connections == 2


async def test_as_many_connections_as_are_needed() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(OK + b"content-length: 0\r\n\r\n")

    async with serving(answer) as (server, supplier):
        for _ in range(2):
            assert await asyncio.gather(*(read(supplier) for _ in range(20))) == [(200, b"")] * 20
        assert server.connections == 20


BAD_HEADS = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "two lengths": OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    "a length and chunks": OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "no number": OK + b"content-length: five\r\n\r\nhello",
    "headers without end": OK + b"x: y\r\n" * (MOST_HEAD // 6 + 1),
    "a switch": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "half of the headers": OK,
}
BAD_BODIES = {
    "too short": OK + b"content-length: 6\r\n\r\nhello",
    "half of a chunk": CHUNKED + b"6\r\nhello",
    "no last chunk": CHUNKED + b"5\r\nhello\r\n",
    "a chunk of no length": CHUNKED + b"5\r\nhello\r\nzz\r\n",
}


def closing(content: bytes) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        writer.close()

    return answer


@pytest.mark.parametrize("case", BAD_HEADS)
async def test_what_is_no_answer(case: str) -> None:
    async with serving(closing(BAD_HEADS[case])) as (_, supplier):
        with pytest.raises(SupplierError) as caught:
            await supplier.send(ASKED)
        assert caught.value.code == "supplier_unreachable"


@pytest.mark.parametrize("case", BAD_BODIES)
async def test_an_answer_that_breaks_off_gives_what_came_before(case: str) -> None:
    async with serving(closing(BAD_BODIES[case])) as (_, supplier):
        response = await supplier.send(ASKED)
        got = [await anext(response.body)]
        with pytest.raises(SupplierError) as caught:
            got.extend([chunk async for chunk in response.body])
        assert b"".join(got) == b"hello"
        assert caught.value.code == "supplier_broke_off"


async def test_a_compressed_answer_is_refused() -> None:
    async with serving(OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx") as (_, supplier):
        with pytest.raises(SupplierError) as caught:
            await supplier.send(ASKED)
        assert caught.value.code == "supplier_nonsense"


@pytest.mark.parametrize("begun", [b"", OK, OK + b"content-length: 9\r\n\r\nhello"])
async def test_silence_is_noticed(begun: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await reader.read()

    async with serving(answer, patience=1) as (_, supplier):
        with pytest.raises(SupplierError) as caught:
            await read(supplier)
        assert caught.value.code == "supplier_timeout"


async def test_slow_is_not_silent() -> None:
    parts = [CHUNKED, *[b"1\r\nx\r\n"] * 5, b"0\r\n\r\n"]

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.4)

    async with serving(answer, patience=1) as (_, supplier):
        assert await read(supplier) == (200, b"xxxxx")


async def test_a_slow_reader_pauses_the_supplier_and_gets_all_of_it() -> None:
    block, blocks = b"x" * 65_536, 1_000
    sent = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(OK + b"content-length: %d\r\n\r\n" % (len(block) * blocks))
        for _number in range(blocks):
            writer.write(block)
            await writer.drain()
            sent += len(block)

    async with serving(answer, patience=1) as (_, supplier):
        response = await supplier.send(ASKED)
        total = len(await anext(response.body))
        before = -1
        # longer than the supplier may be silent: it is not, it waits
        for _ in range(15):
            before = sent
            await asyncio.sleep(0.1)
        assert sent == before < len(block) * blocks / 2
        connection = response.body._connection  # type: ignore[attr-defined]
        assert connection._size < 2 * HIGH
        async for chunk in response.body:
            total += len(chunk)
        assert total == len(block) * blocks


@pytest.mark.parametrize("begun", [False, True])
async def test_an_answer_that_is_given_up_ends_its_connection(begun: bool) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"5\r\nhello\r\n")
        if not await reader.read(1):
            raise ConnectionResetError

    async with serving(answer) as (server, supplier):
        response = await supplier.send(ASKED)
        if begun:
            assert await anext(response.body) == b"hello"
        await response.body.aclose()
        await asyncio.wait_for(server.gone.wait(), 2)
        assert [chunk async for chunk in response.body] == []


async def test_who_is_cancelled_before_the_answer_leaves_no_connection() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        if not await reader.read(1):
            raise ConnectionResetError

    async with serving(answer) as (server, supplier):
        asking = asyncio.create_task(supplier.send(ASKED))
        await server.asked.wait()
        asking.cancel()
        await asyncio.wait_for(server.gone.wait(), 2)


async def test_an_answer_that_is_whole_but_not_read_keeps_its_connection() -> None:
    async with serving(OK + b"content-length: 5\r\n\r\nhello") as (server, supplier):
        for _ in range(3):
            response = await supplier.send(ASKED)
            await asyncio.sleep(0.01)
            await response.body.aclose()
        assert server.connections == 1


async def test_nobody_listens() -> None:
    supplier = OpenAISupplier("http://127.0.0.1:1/v1", "", 2)
    with pytest.raises(SupplierError) as caught:
        await supplier.send(ASKED)
    assert caught.value.code == "supplier_unreachable"
    await supplier.close()


async def test_aiohttps_own_server() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for _ in range(3):
            await answer.write(await request.read())
            await asyncio.sleep(0.01)
        return answer

    application = web.Application()
    application.router.add_post("/v1/chat/completions", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    supplier = OpenAISupplier(f"http://127.0.0.1:{runner.addresses[0][1]}/v1/", "", 2)
    for _ in range(2):
        assert await read(supplier) == (200, b'{"model":"m"}' * 3)
    await supplier.close()
    await runner.cleanup()


async def test_tls_is_spoken_and_its_certificate_looked_at(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
    await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            writer.write(CHUNKED + b"40000\r\n" + b"x" * 0x40000 + b"\r\n0\r\n\r\n")

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
    stranger = OpenAISupplier(url, "", 2)
    with pytest.raises(SupplierError, match="SSL") as caught:
        await stranger.send(ASKED)
    assert caught.value.code == "supplier_unreachable"
    friend = OpenAISupplier(url, "", 2)
    friend._pool = pool.Pool(friend._origin, 2, trust=ssl.create_default_context(cafile=certificate))
    for _ in range(2):
        assert await read(friend) == (200, b"x" * 0x40000)
    await friend.close()
    server.close()


@pytest.mark.parametrize(
    ("url", "host", "port", "first"),
    [
        ("https://api.example.com/v1", "api.example.com", 443, b"host: api.example.com\r\n"),
        ("http://[::1]:8000", "::1", 8000, b"host: [::1]:8000\r\n"),
        ("https://api.example.com:443/", "api.example.com", 443, b"host: api.example.com\r\n"),
        ("http://user.example.com:8080/a/b/", "user.example.com", 8080, b"host: user.example.com:8080\r\n"),
    ],
)
def test_addresses(url: str, host: str, port: int, first: bytes) -> None:
    made = origin(url, {"x": "y"})
    assert (made.host, made.port, made.headers) == (host, port, first + b"x: y\r\n")


@pytest.mark.parametrize("url", ["", "ftp://x/v1", "https://", "http://x:port/", "http://x/v1?a=b", "http://x/v 1", "http://x/v1\r\nx: y", "//x/v1"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InputError) as caught:
        origin(url, {})
    assert caught.value.code == "bad_url"


def test_a_key_with_a_line_break_is_refused_and_not_told() -> None:
    with pytest.raises(InputError) as caught:
        OpenAISupplier("https://x/v1", "sk-1\nx-admin: 1", 2)
    assert caught.value.code == "bad_header"
    assert "sk-1" not in str(caught.value)


ON_UVLOOP: dict[str, Callable[[], Awaitable[None]]] = {
    "byte by byte": partial(test_an_answer_is_read_and_the_connection_used_again, "byte by byte"),
    "surplus": partial(test_a_connection_that_cannot_be_kept_is_not, OK + b"content-length: 5\r\n\r\nhello" + OK + b"\r\nwrong"),
    "until the end": test_an_answer_may_end_with_its_connection,
    "headers": partial(test_what_is_no_answer, "headers without end"),
    "cut": partial(test_an_answer_that_breaks_off_gives_what_came_before, "half of a chunk"),
    "silence": partial(test_silence_is_noticed, OK),
    "slow reader": test_a_slow_reader_pauses_the_supplier_and_gets_all_of_it,
    "given up": partial(test_an_answer_that_is_given_up_ends_its_connection, begun=True),
    "cancelled": test_who_is_cancelled_before_the_answer_leaves_no_connection,
}


@pytest.mark.parametrize("case", ON_UVLOOP)
def test_the_loop_that_the_gateway_runs_on(case: str) -> None:
    async def run() -> None:
        await ON_UVLOOP[case]()

    uvloop.run(run())


def test_tls_on_the_loop_that_the_gateway_runs_on(tmp_path: Path) -> None:
    uvloop.run(test_tls_is_spoken_and_its_certificate_looked_at(tmp_path))
