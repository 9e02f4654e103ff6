"""ASGI without a framework: read a body within its limit, send JSON."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import orjson

from tokenworth.flows.serve.refusal import Refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
PRESENCE = "tokenworth.presence"
"""The extension of a scope that holds the request's Presence."""
BODY_SECONDS = 60.0
"""How long a client may take to send its body: at the limit of size about a megabit a second."""

UNSENDABLE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class ClientGone(Exception):  # noqa: N818 - not an error of ours
    """The client left before its request was whole."""


class Presence:
    """Whether a request's client is there."""

    __slots__ = ("gone", "said", "tell")

    def __init__(self) -> None:
        """Begin present, and tell nobody."""
        self.gone = False
        self.said = False
        """Whether all of its body is here."""
        self.tell: Callable[[], object] | None = None
        """Called when the client leaves."""

    def leave(self) -> None:
        """Take note that the client has left."""
        self.gone = True
        if self.tell is not None:
            self.tell()


def header(scope: Message, name: bytes) -> str:
    """Return a header (name in small letters), empty where it is absent."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return ""


def bearer(scope: Message) -> str:
    """Return the key that a request comes with, as a bearer's or, as Anthropic's client sends it, in `x-api-key`; empty where there is none."""
    scheme, _, told = header(scope, b"authorization").partition(" ")
    return told.strip() if scheme.lower() == "bearer" else header(scope, b"x-api-key").strip()


async def read_body(scope: Message, receive: Receive, limit: int) -> bytes:
    """Return the request's body; Refusal (413) above `limit` bytes, before it is read where its length is announced; 408 where it takes too long."""
    announced = header(scope, b"content-length")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    presence: Presence = scope["extensions"][PRESENCE]
    if presence.said:
        # most bodies come with their headers, and need no time limit
        return await _read(receive, limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(receive, limit)
    except TimeoutError:
        what = f"The body did not arrive within {BODY_SECONDS:g} s."
        raise Refusal(408, "body_timeout", what, headers={"connection": "close"}) from None


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return part if len(parts) == 1 else b"".join(parts)


async def send_start(send: Send, status: int, headers: Iterable[tuple[str, str]]) -> None:
    """Send the status line and headers. What no header can carry is a question mark: an answer that is charged for must go out."""
    raw = [(name.encode(), value.encode() if value.isascii() and value.isprintable() else _sendable(value)) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})


def _sendable(value: str) -> bytes:
    return UNSENDABLE.sub("?", value).encode("latin-1")


async def send_whole(send: Send, status: int, content: bytes, headers: Mapping[str, str]) -> None:
    """Send a whole answer with its length."""
    await send_start(send, status, [*headers.items(), ("content-length", str(len(content)))])
    await send({"type": "http.response.body", "body": content})


async def send_json(send: Send, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
    """Send an object as JSON."""
    await send_whole(send, status, orjson.dumps(content), {"content-type": "application/json", **(headers or {})})


def _too_large(limit: int) -> Refusal:
    return Refusal(413, "body_too_large", f"The body is larger than {limit} bytes.")
