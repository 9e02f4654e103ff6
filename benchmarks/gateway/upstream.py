"""The upstreams: nginx that answers with one body, and a server that streams, at once or so many tokens a second.

The streaming server is a protocol on uvloop that writes prepared bytes: at once 20 events an answer, or one event a tick for each open stream
whose turn it is.
"""

import argparse
import asyncio
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.gateway.processes import running

TOKENS = 20
"""Events with text of a stream that is sent at once."""
WHOLE = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Hello there, how may I help you today?"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":20,"total_tokens":40}}'
)
CHUNK = b'"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m"'
TICKS = 20
"""Ticks in the time between two tokens: the phases that streams can have."""

NGINX = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_body_buffer_size 64k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    default_type application/json;
    location = /v1/chat/completions {{ return 200 '{body}'; }}
    location = /v1/models {{ return 200 '{{"object":"list","data":[{{"id":"m","object":"model","created":1,"owned_by":"x"}}]}}'; }}
    location / {{ return 200 '{{}}'; }}
  }}
}}
"""


@contextmanager
def whole(folder: Path, port: int) -> Iterator[None]:
    """Run nginx until the block ends."""
    binary = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if binary is None:
        raise SystemExit("nginx is needed: apt-get install nginx-light")
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, body=WHOLE.decode()))
    with running([binary, "-c", str(config), "-e", str(folder / "nginx.err")], log=folder / "nginx.log", port=port):
        yield


@contextmanager
def streaming(folder: Path, port: int, *, rate: float = 0) -> Iterator[None]:
    """Run the streaming server until the block ends; `rate` is tokens a second of each stream, 0 for all at once."""
    command = [sys.executable, "-m", "benchmarks.gateway.upstream", str(port), str(rate)]
    root = str(Path(__file__).parents[2])
    with running(command, log=folder / f"stream-{port}.log", port=port, environment={"PYTHONPATH": root}):
        yield


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(content: bytes) -> bytes:
    """Return one event of a stream, as a chunk of the body."""
    return _chunked(b"data: {" + CHUNK + b"," + content + b"}\n\n")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
TOKEN = event(b'"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]')
LAST = event(b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]')
USAGE = event(b'"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":20,"total_tokens":40}')
END = LAST + USAGE + _chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n"
MODELS = b'{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"x"}]}'


class _Stream(asyncio.Protocol):
    """One connection: whole requests in, streams out."""

    def __init__(self, wheel: "list[set[_Stream]] | None") -> None:
        self._wheel = wheel
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._slot: set[_Stream] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._slot is not None:
            self._slot.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]
        if not found or len(body) < int(length or 0):
            return
        self._buffer = b""
        assert self._transport is not None
        if head.startswith(b"GET"):
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(MODELS), MODELS))
        elif self._wheel is None:
            self._transport.write(HEAD + TOKEN * TOKENS + END)
        else:
            self._transport.write(HEAD)
            self._slot = random.choice(self._wheel)
            self._slot.add(self)

    def token(self) -> None:
        """Send the next token."""
        assert self._transport is not None
        self._transport.write(TOKEN)


async def _serve(port: int, rate: float) -> None:
    wheel: list[set[_Stream]] | None = [set() for _ in range(TICKS)] if rate else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Stream(wheel), "127.0.0.1", port, backlog=4096)
    if wheel is None:
        await server.serve_forever()
        return
    tick, step = loop.time(), 1 / rate / TICKS
    while True:
        for slot in wheel:
            for stream in slot:
                stream.token()
            tick += step
            await asyncio.sleep(max(0, tick - loop.time()))


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("port", type=int)
    options.add_argument("rate", type=float)
    told = options.parse_args()
    uvloop.run(_serve(told.port, told.rate))
