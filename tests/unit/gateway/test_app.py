"""The routes, without a server: what the ASGI application sends."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from tests.support.fakes import FakeDirectory, FakeLedger
from tests.support.shop import book, simulated
from tokenworth.core.money import NANO
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.service import Reply
from tokenworth.flows.serve.wire import chat
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.gateway.app import Gateway, _stream
from tokenworth.gateway.asgi import PRESENCE, Presence, send_start
from tokenworth.wiring.clock import now
from tokenworth.wiring.serving import Backend, serving
from tokenworth.wiring.suppliers import make_suppliers

SECRET = "tw_very-secret"
PROMPT = "whisper-this"
PENDING = b"pending"
"""A part of a body that never arrives."""


async def call(
    method: str, path: str, parts: list[bytes], headers: dict[str, str] | None = None, *, limit: int = 500
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of one request to a gateway with a limit of so many bytes."""
    made = book({"sim": simulated()})
    ledger = FakeLedger({"ada": NANO})
    backend = Backend(ledger, FakeDirectory({SECRET: Principal("ada", "payg", "k1")}), make_suppliers(made, {}, now))
    sent: list[Any] = []
    waiting = [{"type": "http.request", "body": part, "more_body": at < len(parts) - 1} for at, part in enumerate(parts)]

    async def receive() -> Any:
        come = waiting and waiting[0]["body"] is not PENDING
        return waiting.pop(0) if come else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"authorization": f"Bearer {SECRET}"} | (headers or {})
    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": [(k.encode(), v.encode()) for k, v in given.items()]}
    scope["extensions"] = {PRESENCE: Presence()}
    async with serving(Shop(made, made.costs), backend) as service:
        await Gateway(service, max_body=limit)(scope, receive, send)
        assert not service.holds.live
    assert not ledger.open
    got = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], got, b"".join(message.get("body", b"") for message in sent[1:])


def request(**more: Any) -> bytes:
    return orjson.dumps({"model": "sim", "messages": [{"role": "user", "content": PROMPT}], "seed": 1} | more)


def test_a_body_that_does_not_come_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.gateway.asgi.BODY_SECONDS", 0.01)
    status, headers, body = asyncio.run(call("POST", "/v1/chat/completions", [b"{", PENDING]))
    assert (status, orjson.loads(body)["error"]["code"], headers["connection"]) == (408, "body_timeout", "close")


def test_a_body_of_a_stranger_is_not_read() -> None:
    status, _, _ = asyncio.run(call("POST", "/v1/chat/completions", [PENDING], {"authorization": "Bearer nobody", "content-length": "600"}))
    assert status == 401


@pytest.mark.parametrize(("size", "same"), [(100, True), (300_000, False)])
async def test_a_large_body_is_parsed_off_the_loop(size: int, same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def noting(raw: bytes) -> Ask:
        threads.append(threading.current_thread())
        return chat.FORMAT.parse(raw)

    monkeypatch.setattr("tokenworth.gateway.app.BY_PATH", {"/v1/chat/completions": replace(chat.FORMAT, parse=noting)})
    await call("POST", "/v1/chat/completions", [request(padding="x" * size)], limit=400_000)
    assert [thread is threading.main_thread() for thread in threads] == [same]


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_body_is_413(announced: bool) -> None:
    parts = [b"x" * 300, b"x" * 300]
    headers = {"content-length": "600"} if announced else {}
    status, _, body = asyncio.run(call("POST", "/v1/chat/completions", parts, headers))
    assert (status, orjson.loads(body)["error"]["code"]) == (413, "body_too_large")


def test_a_body_in_parts_is_joined() -> None:
    whole = request()
    status, _, _ = asyncio.run(call("POST", "/v1/chat/completions", [whole[:10], whole[10:]]))
    assert status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/v1/chat/completions", 405), ("POST", "/v1/models", 405), ("GET", "/healthz", 200)],
)
def test_routes(method: str, path: str, status: int) -> None:
    assert asyncio.run(call(method, path, [b""]))[0] == status


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 200), ("/v1/models", 200), ("/v1/models/sim", 200), ("/v1/models/none", 404), ("/nowhere", 404)]
)
def test_head_is_get_without_a_body(path: str, status: int) -> None:
    whole = asyncio.run(call("GET", path, [b""]))
    assert asyncio.run(call("HEAD", path, [b""])) == (status, whole[1], b"")


def test_only_what_can_be_got_has_a_head() -> None:
    status, headers, body = asyncio.run(call("HEAD", "/v1/chat/completions", [b""]))
    assert (status, headers["allow"], body) == (405, "POST", b"")
    assert asyncio.run(call("POST", "/v1/models", [b""]))[1]["allow"] == "GET, HEAD"


async def test_a_stream_that_fails_in_its_middle_says_so() -> None:
    async def rest() -> AsyncGenerator[bytes, None]:
        yield b"data: {}\n\n"
        raise Refusal(500, "internal_error", "a defect")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    exchange: Any = SimpleNamespace(status=200, headers={})
    await _stream(Reply(exchange, b": first\n\n", rest(), stream=True), chat.FORMAT, send)
    events = b"".join(message["body"] for message in sent[1:]).split(b"\n\n")
    assert events[:2] == [b": first", b"data: {}"]
    assert orjson.loads(events[2].removeprefix(b"data: "))["error"]["code"] == "internal_error"
    assert not sent[-1].get("more_body")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model": 1}', b'{"model": "sim", "messages": [1]}'])
def test_malformed_bodies_are_400(body: bytes) -> None:
    status, _, answer = asyncio.run(call("POST", "/v1/chat/completions", [body]))
    assert status == 400
    assert orjson.loads(answer)["error"].keys() == {"message", "type", "code", "param"}


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nobody", f"Basic {SECRET}", SECRET])
def test_other_credentials_are_401(authorization: str) -> None:
    status, headers, _ = asyncio.run(call("POST", "/v1/chat/completions", [request()], {"authorization": authorization}))
    assert status == 401
    assert headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "", "x-api-key": SECRET}, 200),
        ({"authorization": "", "x-api-key": "nobody"}, 401),
        # the key that is stated as a bearer's is the one
        ({"authorization": f"Bearer {SECRET}", "x-api-key": "nobody"}, 200),
        ({"authorization": "Bearer nobody", "x-api-key": SECRET}, 401),
    ],
)
def test_anthropics_header_has_the_key_too(headers: dict[str, str], status: int) -> None:
    assert asyncio.run(call("POST", "/v1/chat/completions", [request()], headers))[0] == status


@pytest.mark.parametrize(
    ("method", "path", "headers", "kind"),
    [
        ("POST", "/v1/messages", {}, "invalid_request_error"),
        ("POST", "/v1/messages/count_tokens", {"anthropic-version": "2023-06-01"}, "invalid_request_error"),
        ("POST", "/v1/messages", {"authorization": "Bearer nobody"}, "authentication_error"),
        ("GET", "/v1/models/none", {"anthropic-version": "2023-06-01"}, "not_found_error"),
        ("GET", "/nowhere", {"anthropic-version": "2023-06-01"}, "not_found_error"),
    ],
)
def test_anthropics_clients_get_errors_of_their_shape(method: str, path: str, headers: dict[str, str], kind: str) -> None:
    _, _, body = asyncio.run(call(method, path, [b"{}"], headers))
    told = orjson.loads(body)
    assert (told["type"], told["error"]["type"]) == ("error", kind)


@pytest.mark.parametrize(
    ("path", "more"), [("/v1/messages", {"max_tokens": 9}), ("/v1/responses", {"input": PROMPT, "messages": None, "seed": None})]
)
@pytest.mark.parametrize("stream", [False, True])
def test_every_format_is_answered_by_a_supplier_of_chat_completions(path: str, more: dict[str, Any], stream: bool) -> None:
    body = orjson.loads(request(stream=stream, **more))
    body.pop("seed")
    status, headers, answer = asyncio.run(call("POST", path, [orjson.dumps(body)]))
    assert (status, headers["x-tokenworth-unit"]) == (200, "credits")
    assert (b": tokenworth " in answer) is stream


@pytest.mark.parametrize(("value", "sent"), [("credits", b"credits"), ("a\nb\r\x00", b"a?b??"), ("€ é", b"? \xe9"), ("\udce9", b"?")])
def test_headers_go_out_whatever_is_in_them(value: str, sent: bytes) -> None:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(send_start(send, 200, [("x-tokenworth-unit", value)]))
    assert messages[0]["headers"] == [(b"x-tokenworth-unit", sent)]


@pytest.mark.parametrize("stream", [True, False])
def test_neither_prompts_nor_keys_are_logged(stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        asyncio.run(call("POST", "/v1/chat/completions", [request(stream=stream)]))
        asyncio.run(call("POST", "/v1/chat/completions", [request(model="none")]))
    assert PROMPT not in caplog.text
    assert SECRET not in caplog.text
