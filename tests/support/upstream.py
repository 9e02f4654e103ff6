"""Suppliers that misbehave: a small HTTP server in a thread, whose path says how it answers."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

Writer = asyncio.StreamWriter
USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27, "prompt_tokens_details": {"cached_tokens": 5}}
REASONED = {
    "prompt_tokens": 20,
    "completion_tokens": 902,
    "total_tokens": 922,
    "completion_tokens_details": {"reasoning_tokens": 900},
}
KEY_QUOTED = "Incorrect API key provided: sk-operators-own"


class Upstream:
    """Answers `/BEHAVIOUR/chat/completions`. `gone` counts clients that left a drip or a wait, `waiting` those that wait."""

    def __init__(self) -> None:
        self.port = 0
        self.gone = 0
        self.waiting = 0
        self._behaviours: dict[str, Callable[[dict[str, Any], Writer], Awaitable[None]]] = {
            "echo": self._echo,
            "refuses": self._refuses,
            "fails": self._fails,
            "refuseskey": self._refuses_key,
            "hangs": self._hangs,
            "dies": self._dies,
            "errs": self._errs,
            "drips": self._drips,
            "waits": self._waits,
            "counts": self._counts,
            "nousage": self._no_usage,
            "badusage": self._bad_usage,
            "nonsense": self._nonsense,
            "exceeds": self._exceeds,
        }

    def url(self, behaviour: str) -> str:
        return f"http://127.0.0.1:{self.port}/{behaviour}"

    async def handle(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
            body = json.loads(await reader.readexactly(length))
            await self._behaviours[head.split("/")[1]](body, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            writer.close()

    async def _echo(self, body: dict[str, Any], writer: Writer) -> None:
        text = json.dumps(body, sort_keys=True)
        if not body.get("stream"):
            await _whole(writer, 200, completion(text))
            return
        await _start(writer)
        half = len(text) // 2
        for delta in ({"role": "assistant", "content": ""}, {"content": text[:half]}, {"content": text[half:]}):
            await _event(writer, chunk(delta, usage=None))
        await _event(writer, chunk({}, "stop", usage=None))
        await _event(writer, {**chunk({}), "choices": [], "usage": USAGE})
        await _raw(writer, b"data: [DONE]\n\n")
        await _end(writer)

    async def _refuses(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        error = {"message": "no such voice", "type": "invalid_request_error", "code": "voice", "param": "audio"}
        await _whole(writer, 400, {"error": error})

    async def _fails(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        await _whole(writer, 503, {"error": {"message": "overloaded"}})

    async def _refuses_key(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        await _whole(writer, 401, {"error": {"message": KEY_QUOTED}})

    async def _hangs(self, body: dict[str, Any], writer: Writer) -> None:
        del body, writer
        await asyncio.sleep(3600)

    async def _dies(self, body: dict[str, Any], writer: Writer) -> None:
        if not body.get("stream"):
            writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"id"')
            await writer.drain()
            return
        await _start(writer)
        await _event(writer, chunk({"role": "assistant", "content": "x" * 40}))
        await asyncio.sleep(0.05)

    async def _errs(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        await _start(writer)
        await _event(writer, chunk({"content": "half of an ans"}))
        await _event(writer, {"error": {"message": "out of memory", "code": "oom"}})
        await _end(writer)

    async def _drips(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        await _start(writer)
        try:
            while True:
                await _event(writer, chunk({"content": "drop "}))
                await asyncio.sleep(0.01)
        except ConnectionError:
            self.gone += 1
            raise

    async def _waits(self, body: dict[str, Any], writer: Writer) -> None:
        """Send what is no answer yet, for ever: comments, or the space before an object."""
        await _start(writer)
        self.waiting += 1
        try:
            while True:
                await _raw(writer, b": keep-alive\n\n" if body.get("stream") else b" ")
                await asyncio.sleep(0.01)
        except ConnectionError:
            self.gone += 1
            raise
        finally:
            self.waiting -= 1

    async def _counts(self, body: dict[str, Any], writer: Writer) -> None:
        """Send the whole answer, and a moment later how much was reasoned for it."""
        del body
        await _start(writer)
        await _event(writer, chunk({"role": "assistant", "content": "short"}))
        await _event(writer, chunk({}, "stop"))
        await asyncio.sleep(0.5)
        await _event(writer, {**chunk({}), "choices": [], "usage": REASONED})
        await _raw(writer, b"data: [DONE]\n\n")
        await _end(writer)

    async def _no_usage(self, body: dict[str, Any], writer: Writer) -> None:
        if not body.get("stream"):
            await _whole(writer, 200, {**completion("y" * 40), "usage": None})
            return
        await _start(writer)
        await _event(writer, chunk({"content": "y" * 40}))
        await _event(writer, chunk({}, "stop"))
        await _raw(writer, b"data: [DONE]\n\n")
        await _end(writer)

    async def _bad_usage(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        await _whole(writer, 200, {**completion("y" * 40), "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 21}}})

    async def _exceeds(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        usage = {"prompt_tokens": 9, "completion_tokens": 1_000_000, "total_tokens": 1_000_009}
        await _whole(writer, 200, {**completion("y"), "usage": usage})

    async def _nonsense(self, body: dict[str, Any], writer: Writer) -> None:
        del body
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>")
        await writer.drain()


def completion(text: str) -> dict[str, Any]:
    """Return a whole answer."""
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    head = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "up"}
    return head | {"choices": choices, "usage": USAGE, "x_extra": {"kept": 1}}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a chunk of a stream."""
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": choices, **more}


async def _whole(writer: Writer, status: int, content: dict[str, Any]) -> None:
    data = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    await writer.drain()


async def _start(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n")
    await writer.drain()


async def _raw(writer: Writer, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def _event(writer: Writer, content: dict[str, Any]) -> None:
    await _raw(writer, b"data: " + json.dumps(content).encode() + b"\n\n")


async def _end(writer: Writer) -> None:
    writer.write(b"0\r\n\r\n")
    await writer.drain()


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """Run one in a thread of its own."""
    made = Upstream()
    with running(made.handle) as made.port:
        yield made


@contextmanager
def running(handle: Callable[[asyncio.StreamReader, Writer], Awaitable[None]]) -> Iterator[int]:
    """Run a server in a thread of its own; yield its port."""
    ready = threading.Event()
    ports: list[int] = []
    stop: list[Callable[[], object]] = []

    async def main() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        ready.set()
        await ended.wait()
        server.close()

    # `asyncio.run` cancels the handlers that still hang
    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    ready.wait(10)
    yield ports[0]
    stop[0]()
    thread.join(10)
