"""Taps: whatever the cuts between a supplier's bytes, clients and meters see the same."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.shop import model
from tests.support.upstream import USAGE, chunk, completion
from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import openai
from tokenworth.flows.serve.wire.chat.ask import parse
from tokenworth.flows.serve.wire.chat.same import ChatStream, ChatWhole, supplier_body
from tokenworth.flows.serve.wire.tap import Asked

MODEL = model("m", "s", tiers=("priority",))
OURS = Refusal(502, "supplier_broke_off", "ours")
NOTE = {"event": "E", "charge": "1", "balance": "2", "unit": "credits"}
COMMENT = b': tokenworth {"event":"E","charge":"1","balance":"2","unit":"credits"}\n\n'


def ask(**more: Any) -> Any:
    return parse(orjson.dumps({"model": "product", "messages": [{"role": "user", "content": "hi"}], "stream": True} | more))


def line(content: Any) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


STREAM = b"".join(
    [
        b": keep-alive\n\n",
        line(chunk({"role": "assistant", "content": ""}, usage=None)),
        line(chunk({"content": "é\n\ntwo"}, usage=None)),
        b"event: x\n" + line(chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "ff", "arguments": "{}"}}]}, usage=None)),
        line(chunk({}, "stop", usage=None)),
        line({**chunk({}), "choices": [], "usage": USAGE}),
        b"data: [DONE]\n\n",
    ]
)


def run(data: list[bytes], **more: Any) -> tuple[ChatStream, bytes]:
    tap = ChatStream(Asked(ask(**more), MODEL))
    out = b"".join([tap.feed(piece) for piece in data])
    tap.end()
    return tap, out


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.booleans())
def test_cuts_change_nothing(cuts: list[int], windows: bool) -> None:
    stream = STREAM.replace(b"\n", b"\r\n") if windows else STREAM
    ends = [0, *sorted(cuts), len(stream)]
    tap, out = run([stream[a:b] for a, b in pairwise(ends)])
    assert out == run([STREAM])[1]
    assert tap.usage == USAGE
    assert tap.complete
    # "é" is two bytes; the text is 7 bytes, the call "ff" and "{}" 4
    assert tap.delivered.size == 11


def test_usage_and_the_model_are_hidden() -> None:
    _, out = run([STREAM])
    events = [orjson.loads(part.split(b"data: ", 1)[1]) for part in out.strip().split(b"\n\n") if b"data: " in part]
    assert [event["model"] for event in events] == ["product"] * 4
    assert not any("usage" in event for event in events)
    assert b": keep-alive\n\n" in out
    assert b"event: x\ndata: " in out
    assert b"[DONE]" not in out


def test_usage_is_shown_to_who_asked() -> None:
    _, out = run([STREAM], stream_options={"include_usage": True})
    events = [orjson.loads(part.split(b"data: ", 1)[1]) for part in out.strip().split(b"\n\n") if b"data: " in part]
    assert [event["usage"] for event in events] == [None] * 4 + [USAGE]


def test_usage_beside_content_hides_the_usage_only() -> None:
    tap, out = run([line(chunk({"content": "x"}, "stop", usage=USAGE)), b"data: [DONE]\n\n"])
    (event,) = [orjson.loads(part[6:]) for part in out.strip().split(b"\n\n")]
    assert event["choices"][0]["delta"] == {"content": "x"}
    assert "usage" not in event
    assert tap.usage == USAGE


def test_chunks_that_are_not_json_pass() -> None:
    assert run([b"data: <html>\n\n"])[1] == b"data: <html>\n\n"


def test_the_terminator_waits_for_the_settlement() -> None:
    tap, _ = run([STREAM])
    assert tap.tail(NOTE, None) == COMMENT + b"data: [DONE]\n\n"


def test_an_error_of_the_supplier_waits_too_and_ends_the_answer() -> None:
    failure = line({"error": {"message": "oom"}})
    tap, out = run([line(chunk({"content": "x"})) + failure + line(chunk({"content": "more"}))])
    assert (bool(tap.failed), tap.complete, tap.delivered.size) == (True, False, 1)
    assert b"oom" not in out
    assert tap.tail(NOTE, OURS) == COMMENT + failure


def test_a_cut_stream_ends_with_our_error() -> None:
    tap, _ = run([line(chunk({"content": "x"})), b"data: {"])
    assert not tap.complete
    assert tap.tail(NOTE, OURS) == COMMENT + openai.last_event(OURS)


def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenworth.flows.serve.wire.sse.MAX_EVENT_BYTES", 100)
    with pytest.raises(SupplierError):
        run([b"data: " + b"x" * 200])


@pytest.mark.parametrize(("asked", "said", "charged"), [("flex", "default", "flex"), ("priority", "default", "default")])
def test_the_tier_shown_is_the_operators_own_unless_passed_on(asked: str, said: str, charged: str) -> None:
    tap = ChatWhole(Asked(ask(service_tier=asked, stream=False), MODEL))
    assert tap.feed(orjson.dumps({**completion("x"), "service_tier": said})) == b""
    tap.end()
    shown = orjson.loads(tap.tail(NOTE, None))
    assert shown == {**completion("x"), "model": "product", "service_tier": charged}
    assert tap.served_tier == said
    assert tap.usage == USAGE


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"id": 1}'])
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    tap = ChatWhole(Asked(ask(stream=False), MODEL))
    tap.feed(answer)
    with pytest.raises(SupplierError):
        tap.end()


def test_the_supplier_gets_the_body_untouched_but_for_three_fields() -> None:
    assert supplier_body(ask(x=1, service_tier="flex", stream_options={"y": 2}), MODEL) == {
        "model": "m-upstream",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"y": 2, "include_usage": True},
        "x": 1,
    }
    assert supplier_body(ask(service_tier="priority", stream=False), MODEL)["service_tier"] == "priority"
    assert "stream_options" not in supplier_body(ask(stream=False), MODEL)


def tangled(field: str, depth: int) -> dict[str, Any]:
    return completion("x") | {field: orjson.Fragment(b"[" * depth + b"1" + b"]" * depth)}


@pytest.mark.parametrize("stream", [True, False])
def test_a_usage_too_deep_to_pass_on_is_kept_from_the_client_only(stream: bool) -> None:
    """A codec that reads deeper nesting than it writes must not fail once the answer is on its way."""
    asked = ask(stream=stream, stream_options={"include_usage": True})
    tap = (ChatStream if stream else ChatWhole)(Asked(asked, MODEL))
    out = tap.feed(line(tangled("usage", 600)) if stream else orjson.dumps(tangled("usage", 600)))
    tap.end()
    shown = orjson.loads(out.removeprefix(b"data: ") if stream else tap.tail(NOTE, None))
    assert tap.usage
    assert "usage" not in shown
    assert shown["choices"]


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_too_deep_to_pass_on_is_the_suppliers_failure(stream: bool) -> None:
    answer = tangled("extra", 600)
    tap = (ChatStream if stream else ChatWhole)(Asked(ask(stream=stream), MODEL))

    def read() -> None:
        tap.feed(line(answer) if stream else orjson.dumps(answer))
        tap.end()
        # of a stream the events before it are on their way
        raise tap.failed or AssertionError

    with pytest.raises(SupplierError, match="cannot be passed on"):
        read()
    assert (tap.delivered.size, tap.begun) == (0, False)
