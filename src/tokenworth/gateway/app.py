"""The routes of the gateway. No prompt and no key is ever logged: log lines carry event ids and error codes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

import orjson

from tokenworth.flows.serve.refusal import Refusal, unknown_product
from tokenworth.flows.serve.service import Call, Reply, Service
from tokenworth.gateway.asgi import ClientGone, Message, Receive, Send, header, read_body, send_json, send_start, send_whole

MAX_BODY = 8 * 1024 * 1024
"""Default limit of a request's body in bytes: a context of a million tokens as text, or a few images, and no stall of the others."""

log = logging.getLogger(__name__)
Handler = Callable[[Message, Receive, Send], Awaitable[None]]


class Gateway:
    """The ASGI application over one process's service."""

    def __init__(self, service: Service, *, max_body: int = MAX_BODY) -> None:
        """Serve requests of at most `max_body` bytes."""
        self._service = service
        self._max_body = max_body
        self._routes: dict[str, dict[str, Handler]] = {
            "/v1/chat/completions": {"POST": self._chat},
            "/v1/models": {"GET": self._models},
            "/healthz": {"GET": self._health},
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is an error of OpenAI's shape."""
        try:
            await self._route(scope)(scope, receive, send)
        except Refusal as refusal:
            await send_json(send, refusal.status, refusal.body(), refusal.headers)
        except ClientGone:
            return
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            failure = Refusal(500, "internal_error", "The gateway failed; the operator's log says why.")
            # where the answer has begun there is nothing left to say in it
            with suppress(Exception):
                await send_json(send, 500, failure.body())

    def _route(self, scope: Message) -> Handler:
        path: str = scope["path"]
        methods = self._routes.get(path)
        if methods is None and path.startswith("/v1/models/"):
            methods = {"GET": self._model}
        if methods is None:
            raise Refusal(404, "unknown_url", f"There is nothing at {path}.")
        if scope["method"] not in methods:
            allowed = ", ".join(methods)
            raise Refusal(405, "method_not_allowed", f"{path} takes {allowed} only.", headers={"allow": allowed})
        return methods[scope["method"]]

    async def _chat(self, scope: Message, receive: Receive, send: Send) -> None:
        # before the body: what a stranger sends is not read
        self._service.caller(_secret(scope))
        body = await read_body(scope, receive, self._max_body)
        reply = await self._service.chat(Call(_secret(scope), body, header(scope, b"idempotency-key")))
        if reply.stream and reply.status == 200:
            await _stream(reply, receive, send)
            return
        async with aclosing(reply.rest) as rest:
            content = reply.first + b"".join([chunk async for chunk in rest])
        await send_whole(send, reply.status, content, reply.headers)

    async def _models(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive
        await send_json(send, 200, {"object": "list", "data": self._service.models(_secret(scope))})

    async def _model(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive
        name = scope["path"].removeprefix("/v1/models/")
        found = [model for model in self._service.models(_secret(scope)) if model["id"] == name]
        if not found:
            raise unknown_product(name)
        await send_json(send, 200, found[0])

    async def _health(self, scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive
        await send_json(send, 200, {"status": "ok"})


async def _stream(reply: Reply, receive: Receive, send: Send) -> None:
    """Pass a stream on. When the client goes, this task is cancelled, which cancels the supplier and settles what was delivered."""
    watch = asyncio.ensure_future(_until_gone(receive))
    pump = asyncio.current_task()

    def stop(done: "asyncio.Future[None]") -> None:
        if pump is not None and not done.cancelled():
            pump.cancel()

    watch.add_done_callback(stop)
    try:
        async with aclosing(reply.rest) as rest:
            await send_start(send, reply.status, reply.headers.items())
            await send({"type": "http.response.body", "body": reply.first, "more_body": True})
            try:
                async for chunk in rest:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except Exception:
                log.exception("event %s: its stream broke off", reply.exchange.event)
                await send({"type": "http.response.body", "body": _BROKEN, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        if not watch.done():
            raise
    finally:
        watch.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _secret(scope: Message) -> str:
    scheme, _, secret = header(scope, b"authorization").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _error_event() -> bytes:
    failure: Any = Refusal(500, "internal_error", "The gateway failed; the operator's log says why.").body()
    return b"data: " + orjson.dumps(failure) + b"\n\n"


_BROKEN = _error_event()
