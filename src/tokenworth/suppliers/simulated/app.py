"""The simulated supplier as an ASGI application: the same code over HTTP, for benchmarks and for tests of an HTTP supplier."""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson

from tokenworth.flows.ports import SupplierRequest
from tokenworth.suppliers.simulated.supplier import SimulatedSupplier
from tokenworth.suppliers.simulated.wire import error

Message = MutableMapping[str, Any]
PREFIX = "/v1"


@dataclass(frozen=True, slots=True)
class SimulatedApp:
    """Serves `POST /v1/chat/completions` and `POST /v1/embeddings`; it asks for no key."""

    supplier: SimulatedSupplier

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        """Answer one request."""
        try:
            body = orjson.loads(await _read(receive))
            valid = isinstance(body, dict) and (isinstance(body.get("messages"), list) or "input" in body)
        except orjson.JSONDecodeError:
            valid = False
        if not valid:
            await _start(send, 400, "application/json")
            await send({"type": "http.response.body", "body": error("the body is no request for a chat completion or embeddings", "bad_json")})
            return
        path = scope["path"].removeprefix(PREFIX)
        response = await self.supplier.send(SupplierRequest(path, body, stream=bool(body.get("stream"))))
        await _start(send, response.status, response.headers["content-type"])
        async with aclosing(response.body) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _read(receive: Callable[[], Awaitable[Message]]) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _start(send: Callable[[Message], Awaitable[None]], status: int, kind: str) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
