"""The routes of the gateway. No prompt and no key is ever logged: log lines carry event ids and error codes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from functools import partial
from types import MappingProxyType, TracebackType

from tokenworth.flows.serve.refusal import Refusal, unknown_product
from tokenworth.flows.serve.service import Call, Reply, Service
from tokenworth.flows.serve.wire import chat, messages
from tokenworth.flows.serve.wire.find import FORMATS
from tokenworth.flows.serve.wire.format import Format
from tokenworth.flows.serve.wire.messages import models
from tokenworth.gateway.asgi import (
    PRESENCE,
    ClientGone,
    Message,
    Presence,
    Receive,
    Send,
    bearer,
    header,
    read_body,
    send_json,
    send_start,
    send_whole,
)

MAX_BODY = 8 * 1024 * 1024
"""Default limit of a request's body in bytes: a context of a million tokens as text, or a few images, and no stall of the others."""

log = logging.getLogger(__name__)
Handler = Callable[[Message, Receive, Send], Awaitable[None]]
Routes = Mapping[str, Mapping[str, Handler]]
"""By path and method."""
NONE: Routes = MappingProxyType({})
PREFIX = "/v1"
BY_PATH = {PREFIX + spoken.path: spoken for spoken in FORMATS.values()}
"""What clients speak at which path."""


class Gateway:
    """The ASGI application over one process's service."""

    def __init__(self, service: Service, *, max_body: int = MAX_BODY, more: Routes = NONE) -> None:
        """Serve requests of at most `max_body` bytes; `more` are the operator's own routes."""
        self._service = service
        self._max_body = max_body
        self._routes: Routes = {
            **{path: {"POST": partial(self._answer, spoken)} for path, spoken in BY_PATH.items()},
            "/v1/messages/count_tokens": {"POST": self._count},
            "/v1/models": {"GET": self._models},
            "/healthz": {"GET": self._health},
            **more,
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is an error of the shape that the path's format has."""
        spoken = _spoken(scope)
        if scope["method"] == "HEAD":
            send = _headers_only(send)
        try:
            await self._route(scope)(scope, receive, send)
        except Refusal as refusal:
            await send_json(send, refusal.status, spoken.error(refusal), refusal.headers)
        except ClientGone:
            return
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            failure = Refusal(500, "internal_error", "The gateway failed; the operator's log says why.")
            # where the answer has begun there is nothing left to say in it
            with suppress(Exception):
                await send_json(send, 500, spoken.error(failure))

    def _route(self, scope: Message) -> Handler:
        path: str = scope["path"]
        methods = self._routes.get(path)
        if methods is None and path.startswith("/v1/models/"):
            methods = {"GET": self._model}
        if methods is None:
            raise Refusal(404, "unknown_url", f"There is nothing at {path}.")
        if "GET" in methods:
            methods = {**methods, "HEAD": methods["GET"]}
        if scope["method"] not in methods:
            allowed = ", ".join(methods)
            raise Refusal(405, "method_not_allowed", f"{path} takes {allowed} only.", headers={"allow": allowed})
        return methods[scope["method"]]

    async def _answer(self, spoken: Format, scope: Message, receive: Receive, send: Send) -> None:
        # before the body: what a stranger sends is not read
        secret = bearer(scope)
        self._service.caller(secret)
        body = await read_body(scope, receive, self._max_body)
        with _WhilePresent(scope):
            told = (header(scope, name) for name in (b"idempotency-key", b"anthropic-beta", b"x-session-affinity"))
            reply = await self._service.answer(spoken, Call(secret, body, *told))
            if reply.stream and reply.status == 200:
                await _stream(reply, spoken, send)
            else:
                await _whole(reply, send)

    async def _count(self, scope: Message, receive: Receive, send: Send) -> None:
        self._service.caller(bearer(scope))
        body = await read_body(scope, receive, self._max_body)
        counted = await self._service.count_tokens(Call(bearer(scope), body, betas=header(scope, b"anthropic-beta")))
        await send_json(send, 200, {"input_tokens": counted.tokens}, {"x-tokenworth-counted-by": counted.by})

    async def _models(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive
        found = self._service.models(bearer(scope))
        await send_json(send, 200, models.listed(found) if _is_anthropics(scope) else {"object": "list", "data": found})

    async def _model(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive
        name = scope["path"].removeprefix("/v1/models/")
        found = [model for model in self._service.models(bearer(scope)) if model["id"] == name]
        if not found:
            raise unknown_product(name)
        await send_json(send, 200, models.described(found[0]) if _is_anthropics(scope) else found[0])

    async def _health(self, scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive
        await send_json(send, 200, {"status": "ok"})


class _WhilePresent:
    """Do what the client waits for. When it goes, this task is cancelled, which ends the exchange with the supplier, and ClientGone is raised."""

    __slots__ = ("_presence",)

    def __init__(self, scope: Message) -> None:
        self._presence: Presence = scope["extensions"][PRESENCE]

    def __enter__(self) -> None:
        if self._presence.gone:
            raise ClientGone
        task = asyncio.current_task()
        self._presence.tell = task.cancel if task else None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._presence.tell = None
        if self._presence.gone and isinstance(error, asyncio.CancelledError):
            raise ClientGone from None


async def _whole(reply: Reply, send: Send) -> None:
    async with aclosing(reply.rest) as rest:
        content = reply.first + b"".join([chunk async for chunk in rest])
    await send_whole(send, reply.status, content, reply.headers)


async def _stream(reply: Reply, spoken: Format, send: Send) -> None:
    async with aclosing(reply.rest) as rest:
        await send_start(send, reply.status, reply.headers.items())
        await send({"type": "http.response.body", "body": reply.first, "more_body": True})
        try:
            async for chunk in rest:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Refusal as refusal:
            # the status is out: what went wrong is said where the stream ends
            await send({"type": "http.response.body", "body": spoken.last_event(refusal), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _headers_only(send: Send) -> Send:
    """Send what HEAD gets: all that GET gets, but for the body."""

    async def send_bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_bare


def _spoken(scope: Message) -> Format:
    """Return the format in which a request is answered, and refused."""
    return BY_PATH.get(scope["path"]) or (messages.FORMAT if _is_anthropics(scope) else chat.FORMAT)


def _is_anthropics(scope: Message) -> bool:
    """Whether Anthropic's client asks, where the path does not say it."""
    return bool(header(scope, b"anthropic-version"))
