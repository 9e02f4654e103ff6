"""One request against suppliers that are written out piece by piece: what the client gets, and what it is charged."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from tests.support.fakes import FakeDirectory, FakeLedger
from tests.support.shop import book, upstream
from tests.support.upstream import USAGE, chunk, completion
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.errors import SupplierError
from tokenworth.core.money import NANO
from tokenworth.flows.ports import Principal, SupplierRequest, SupplierResponse
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.service import Call, Reply
from tokenworth.flows.serve.wire import chat, openai
from tokenworth.wiring.serving import Backend, serving

CHARGED = 15 * 1000 + 5 * 100 + 7 * 4000
"""Of USAGE: 20 tokens in, 5 of them cached, 7 out, at 1, 0.1 and 4 credits per million."""
WAIT = "the client leaves while the supplier makes this wait"
FOREVER = "nothing comes any more"
RESET = SupplierError("the supplier broke off its answer", code="supplier_broke_off")


def line(content: Any) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


KEEP_ALIVE = b": OPENROUTER PROCESSING\n\n"
ROLE = line(chunk({"role": "assistant", "content": ""}))
TEXT = line(chunk({"content": "12345678"}))
STOP = line(chunk({}, "stop"))
TOTAL = line({**chunk({}), "choices": [], "usage": USAGE})
DONE = b"data: [DONE]\n\n"
OTHER = line({**chunk({}), "choices": [{"index": 1, "delta": {"content": "x" * 400}, "finish_reason": None}]})
DEEP = orjson.Fragment(b"[" * 300 + b"]" * 300)
"""orjson reads 1,024 levels and writes 254."""


@dataclass
class Scripted:
    """Sends its pieces: bytes, an error to raise, or a wait, in which `waiting` is set."""

    pieces: Sequence[Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/html"})
    ended: bool = False
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        del request
        return SupplierResponse(self.status, self.headers, self._body())

    async def _body(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in self.pieces:
                if piece in (WAIT, FOREVER):
                    self.waiting.set()
                    await asyncio.sleep(0.01 if piece == WAIT else 60)
                elif isinstance(piece, Exception):
                    raise piece
                else:
                    yield piece
        finally:
            self.ended = True

    async def close(self) -> None:
        pass


@dataclass
class Outcome:
    """What the client got (or the refusal), and the one event that is stored."""

    event: UsageEvent
    content: bytes
    reply: Reply | None
    refusal: Refusal | None


async def serve(supplier: Scripted, *, stream: bool = True, leave: str = "", **more: Any) -> Outcome:
    """Serve one request. The client may leave: `cancelled` while the supplier waits, or `closed` before it reads the bytes that follow STOP."""
    made = book({"up": upstream("http://nowhere")})
    ledger = FakeLedger({"ada": NANO})
    body = orjson.dumps({"model": "up", "messages": [{"role": "user", "content": "hi"}], "stream": stream} | more)
    replies: list[Reply] = []
    parts: list[bytes] = []

    async def read() -> None:
        replies.append(await service.answer(chat.FORMAT, Call("s", body)))
        parts.append(replies[0].first)
        async with aclosing(replies[0].rest) as rest:
            async for piece in rest:
                parts.append(piece)
                if leave == "closed" and b'"finish_reason":"stop"' in piece:
                    return

    backend = Backend(ledger, FakeDirectory({"s": Principal("ada", "payg", "k1")}), {"up": supplier})
    async with serving(Shop(made, made.costs), backend) as service:
        task = asyncio.create_task(read())
        if leave == "cancelled":
            await supplier.waiting.wait()
            task.cancel()
        await asyncio.wait([task])
    failure = None if task.cancelled() else task.exception()
    assert task.cancelled() is (leave == "cancelled")
    assert failure is None or isinstance(failure, Refusal)
    assert supplier.ended
    assert not ledger.open
    (event,) = ledger.events.values()
    assert ledger.credits["ada"] == NANO - event.charge
    return Outcome(event, b"".join(parts), replies[0] if replies else None, failure)


def ending(event: UsageEvent) -> tuple[Status, str, int]:
    return event.status, event.alarm, event.charge


FREE = (Status.FAILED, "client_gone", 0)
PAID = (Status.OK, "", CHARGED)
GUESSED = (Status.ESTIMATED, "client_gone", 1 * 1000 + 2 * 4000)
"""Two bytes in the request are a token, eight in the answer two."""


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([WAIT, ROLE, TEXT, STOP, TOTAL, DONE], FREE),
        ([KEEP_ALIVE, ROLE, WAIT, TEXT, STOP, TOTAL, DONE], FREE),
        ([ROLE, TEXT, WAIT, STOP, TOTAL, DONE], GUESSED),
        ([ROLE, TEXT, STOP, WAIT, TOTAL, DONE], PAID),
        ([ROLE, TEXT, STOP, WAIT, TOTAL], PAID),
        ([ROLE, STOP, WAIT, TOTAL, DONE], PAID),
        ([ROLE, TEXT, STOP, TOTAL, WAIT, DONE], PAID),
        ([ROLE, TEXT, STOP, WAIT, KEEP_ALIVE, TOTAL[:20], TOTAL[20:], DONE], PAID),
        # usage that does not come, or that comes with more of an answer that nobody gets
        ([ROLE, TEXT, STOP, WAIT, FOREVER], GUESSED),
        ([ROLE, TEXT, STOP, WAIT, RESET], GUESSED),
        ([ROLE, TEXT, STOP, WAIT, line({"error": {"message": "oom"}})], GUESSED),
        ([ROLE, TEXT, STOP, WAIT, OTHER, TOTAL, DONE], GUESSED),
        ([ROLE, TEXT, STOP, WAIT, DONE], (Status.ESTIMATED, "no_usage", GUESSED[2])),
    ],
)
async def test_a_client_that_leaves_a_stream(pieces: list[Any], expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usage of an answer that the client has whole is waited for: reasoning that is not shown is in no byte that was delivered."""
    monkeypatch.setattr("tokenworth.flows.serve.attempt.USAGE_SECONDS", 0.1)
    done = await serve(Scripted(pieces), leave="cancelled", n=1)
    assert ending(done.event) == expected


@pytest.mark.parametrize(("rest", "expected"), [([WAIT, TOTAL, DONE], PAID), ([TOTAL + DONE], PAID), ([FOREVER], GUESSED)])
async def test_a_client_that_reads_no_further_than_the_last_text(rest: list[Any], expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.flows.serve.attempt.USAGE_SECONDS", 0.1)
    assert ending((await serve(Scripted([ROLE, TEXT, STOP, *rest]), leave="closed")).event) == expected


@pytest.mark.parametrize("pieces", [[WAIT], [orjson.dumps(completion("x"))[:30], WAIT]])
async def test_a_client_that_leaves_a_whole_answer_got_nothing(pieces: list[Any]) -> None:
    done = await serve(Scripted([*pieces, FOREVER]), stream=False, leave="cancelled")
    assert ending(done.event) == FREE


@pytest.mark.parametrize(
    ("before", "end", "code"),
    [
        ([KEEP_ALIVE], RESET, "supplier_broke_off"),
        ([ROLE], RESET, "supplier_broke_off"),
        ([KEEP_ALIVE, ROLE, b"data: <html>\n\n"], b"", "supplier_broke_off"),
        ([KEEP_ALIVE], line({"error": {"message": "overloaded", "code": "busy"}}), "busy"),
        ([ROLE], line(chunk({"content": "x"}, deep=DEEP)), "supplier_nonsense"),
        ([ROLE], RuntimeError("a defect"), "internal_error"),
    ],
)
async def test_what_comes_before_the_answer_is_no_delivery(before: list[bytes], end: Any, code: str) -> None:
    done = await serve(Scripted([*before, end]))
    assert (done.event.status, done.event.charge, done.event.first_token) == (Status.FAILED, 0, 0)
    assert b'"charge":"0"' in done.content or done.refusal
    failure = openai.error(done.refusal) if done.refusal else orjson.loads(done.content.rsplit(b"data: ", 1)[1])
    assert failure["error"]["code"] == code


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "x"},
        {"refusal": "x"},
        {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"audio": {"id": "a", "data": "UklGRg=="}},
    ],
)
async def test_what_the_model_made_is_a_delivery(delta: dict[str, Any]) -> None:
    done = await serve(Scripted([ROLE, line(chunk(delta)), RESET]))
    assert (done.event.status, done.event.alarm) == (Status.ESTIMATED, "supplier_gone")
    assert done.event.charge > 0
    assert done.event.first_token > 0


@pytest.mark.parametrize(
    "rest",
    [
        [STOP, TOTAL, b"data: [DONE]\n"],
        [STOP, TOTAL, b"data: [DONE]"],
        [STOP, TOTAL, b"data: [DONE]\r\n"],
        [STOP, TOTAL],
        [STOP, TOTAL.rstrip()],
        [STOP + TOTAL[:-1]],
        [line(chunk({}, "stop", usage=USAGE)).rstrip()],
        [STOP, TOTAL, b"data: {"],
    ],
)
async def test_an_answer_is_whole_however_its_last_event_ends(rest: list[bytes]) -> None:
    done = await serve(Scripted([ROLE, TEXT, *rest]))
    assert ending(done.event) == PAID
    assert b'"finish_reason":"stop"' in done.content
    assert done.content.endswith(DONE)


@pytest.mark.parametrize("rest", [[], [STOP], [TOTAL], [STOP, TOTAL.rstrip()[:-1]], [OTHER, STOP, TOTAL]])
async def test_an_answer_without_its_end_is_broken(rest: list[bytes]) -> None:
    done = await serve(Scripted([ROLE, TEXT, *rest]))
    assert done.event.alarm == "supplier_gone"
    assert orjson.loads(done.content.rsplit(b"data: ", 1)[1])["error"]["code"] == "supplier_broke_off"


async def test_an_answer_that_cannot_be_written_is_not_charged() -> None:
    done = await serve(Scripted([orjson.dumps(completion("x") | {"deep": DEEP})]), stream=False)
    assert done.refusal is not None
    assert (done.refusal.status, done.refusal.code, done.event.status) == (502, "supplier_nonsense", Status.FAILED)


async def test_a_chunk_that_cannot_be_written_ends_the_stream_with_its_reason() -> None:
    done = await serve(Scripted([ROLE, TEXT + line(chunk({"content": "lost"}, deep=DEEP)) + TEXT, STOP]))
    assert ending(done.event) == (Status.ESTIMATED, "supplier_gone", GUESSED[2])
    assert done.content.count(b"12345678") == 1
    assert orjson.loads(done.content.rsplit(b"data: ", 1)[1])["error"]["code"] == "supplier_nonsense"


@pytest.mark.parametrize(
    ("status", "pieces", "expected"),
    [
        (200, [b"<html>"], (502, "supplier_nonsense")),
        (200, [RESET], (502, "supplier_broke_off")),
        (200, [SupplierError("nothing for 1 s", code="supplier_timeout")], (504, "supplier_timeout")),
        (200, [RuntimeError("a defect")], (500, "internal_error")),
        (400, [RESET], (502, "supplier_broke_off")),
        (401, [b"{}"], (502, "supplier_refused")),
        (503, [b"{}"], (502, "supplier_failed")),
        (404, [b"<html>"], (404, "supplier_rejected")),
        (429, [b""], (429, "supplier_rejected")),
    ],
)
async def test_every_refusal_of_a_held_request_names_its_event(status: int, pieces: list[Any], expected: tuple[int, str]) -> None:
    done = await serve(Scripted(pieces, status), stream=False)
    refusal = done.refusal
    assert refusal is not None
    assert (refusal.status, refusal.code) == expected
    assert refusal.headers["x-tokenworth-event"] == done.event.id
    assert refusal.headers["x-tokenworth-unit"] == "credits"
    assert float(refusal.headers["x-tokenworth-hold"]) > 0
    assert "content-type" not in refusal.headers
    assert (done.event.status, done.event.charge) == (Status.FAILED, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "422"),
        (b"[1]", "422"),
        (b'{"error": "no such voice"}', "no such voice"),
        (b'{"object": "error", "message": "no such voice", "code": 400}', "no such voice"),
        (b'{"detail": [{"msg": "x"}]}', "422"),
    ],
)
async def test_a_refusal_in_another_shape_is_told_in_ours(content: bytes, said: str) -> None:
    done = await serve(Scripted([content], 422, {"content-type": "text/html", "retry-after": "7"}))
    assert done.refusal is not None
    assert (done.refusal.status, done.refusal.code) == (422, "supplier_rejected")
    assert done.refusal.headers["retry-after"] == "7"
    assert said in done.refusal.what


async def test_a_refusal_in_the_common_shape_passes_as_it_is() -> None:
    content = b'{"error": {"message": "no such voice", "code": "voice"}, "more": 1}'
    done = await serve(Scripted([content], 422, {"content-type": "application/json; charset=utf-8"}))
    assert done.reply is not None
    assert (done.reply.status, done.content, done.event.alarm) == (422, content, "supplier_422")
    assert done.reply.headers["content-type"] == "application/json; charset=utf-8"
