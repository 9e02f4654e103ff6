"""Taps of the other formats, passed on and translated: whatever the cuts, clients and meters see the same, each event as it comes."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.shop import model
from tests.support.vendors import CHAT_USAGE, MESSAGE_USAGE, RESPONSE_USAGE, SCENES, message, response, stream
from tokenworth.book.model import Supplier
from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.find import FORMATS, find_bridge
from tokenworth.flows.serve.wire.tap import Asked, Tap

APIS = ("chat", "messages", "responses")
SUPPLIERS = {
    "chat": Supplier("s", "openai", speaks=("chat",)),
    "messages": Supplier("s", "anthropic"),
    "responses": Supplier("s", "openai", speaks=("responses",)),
}
PAIRS = [(client, supplier) for client in APIS for supplier in APIS]
USAGES: dict[str, dict[str, Any]] = {
    "chat": CHAT_USAGE,
    "messages": MESSAGE_USAGE | {"service_tier": "standard"},
    "responses": RESPONSE_USAGE,
}
KEPT = {"chat": ("messages",), "messages": ("messages", "max_tokens"), "responses": ("input",)}
NOTE = {"event": "E", "charge": "1", "balance": "2", "unit": "credits"}
OURS = Refusal(502, "supplier_broke_off", "ours")
ENDS = {"chat": b"data: [DONE]\n\n", "messages": b'data: {"type":"message_stop"}\n\n', "responses": b"}\n\n"}


def tap(client: str, supplier: str, *, streams: bool = True, tiers: tuple[str, ...] = (), **more: Any) -> Tap:
    body = {"model": "product", "messages": [{"role": "user", "content": "hi"}], "input": "hi", "max_tokens": 9, "stream": streams} | more
    kept = {
        "chat": ("model", "messages", "stream"),
        "messages": ("model", "messages", "max_tokens", "stream"),
        "responses": ("model", "input", "stream"),
    }
    ask = FORMATS[client].parse(orjson.dumps({name: body[name] for name in (*kept[client], *more)}))
    return find_bridge(client, SUPPLIERS[supplier]).tap(Asked(ask, model("m", "s", tiers=tiers)))


@pytest.mark.parametrize(("client", "supplier"), PAIRS)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), scene=st.sampled_from(["calls", "thinking"]), windows=st.booleans())
def test_cuts_change_nothing(client: str, supplier: str, data: st.DataObject, scene: str, windows: bool) -> None:
    whole = b"".join(stream(supplier, SCENES[scene], "up"))
    given_bytes = whole.replace(b"\n", b"\r\n") if windows else whole
    ends = [0, *sorted(data.draw(st.lists(st.integers(0, len(given_bytes)), max_size=8))), len(given_bytes)]
    one, other = tap(client, supplier), tap(client, supplier)
    out = b"".join([one.feed(given_bytes[a:b]) for a, b in pairwise(ends)]) + one.end()
    assert out == other.feed(whole)
    assert one.tail(NOTE, None) == other.tail(NOTE, None)
    assert one.tail(NOTE, None).startswith(b': tokenworth {"event":"E"')
    assert one.tail(NOTE, None).endswith(ENDS[client])
    assert one.complete
    assert one.usage == USAGES[supplier]
    assert b"up-" not in out
    assert b'"up"' not in out + one.tail(NOTE, None)


@pytest.mark.parametrize(("client", "supplier"), PAIRS)
def test_what_was_delivered_is_counted_once(client: str, supplier: str) -> None:
    made = tap(client, supplier)
    made.feed(b"".join(stream(supplier, SCENES["calls"], "up")))
    texts = ["Okay, let's check", " the weather:", "get_weather", '{"location":', ' "San Francisco, CA"}', "get_time", '{"zone": "PST"}']
    assert made.delivered.size == sum(map(len, texts))
    assert made.begun


@pytest.mark.parametrize(("client", "supplier"), PAIRS)
def test_each_event_goes_on_as_it_comes(client: str, supplier: str) -> None:
    """Nothing waits for what follows it, but the end for the settlement."""
    made, seen = tap(client, supplier), []
    for event in stream(supplier, SCENES["text"], "up"):
        out = made.feed(event)
        seen += [word for word in (b"Hello", b" How can I help?") if word in event and b"delta" in event and word in out and b"delta" in out]
    assert seen == [b"Hello", b" How can I help?"]


@pytest.mark.parametrize(("client", "supplier"), PAIRS)
def test_an_answer_that_is_cut_is_not_whole(client: str, supplier: str) -> None:
    made, events = tap(client, supplier), stream(supplier, SCENES["text"], "up")
    texts = [at for at, event in enumerate(events) if b"How can I help?" in event]
    made.feed(b"".join(events[: texts[0] + 1]))
    made.end()
    assert (made.complete, made.finished, made.begun, made.usage) == (False, False, True, None)
    tail = made.tail(NOTE, OURS)
    assert b"ours" in tail
    assert b"[DONE]" not in tail
    assert b"message_stop" not in tail
    assert b"response.completed" not in tail


@pytest.mark.parametrize(("client", "supplier"), [pair for pair in PAIRS if pair[1] != "responses"])
def test_an_answer_is_finished_before_its_usage_or_terminator_comes(client: str, supplier: str) -> None:
    """So that the usage is waited for where the client leaves then; a response says both at once."""
    made, events = tap(client, supplier), stream(supplier, SCENES["text"], "up")
    last = {"chat": -2, "messages": -1}[supplier]
    made.feed(b"".join(events[:last]))
    assert (made.finished, made.complete) == (True, False)


def test_a_response_is_finished_where_no_item_is_open_that_must_be_followed() -> None:
    made, events = tap("responses", "responses"), stream("responses", SCENES["thinking"], "up")
    states = []
    for event in events[:-1]:
        made.feed(event)
        states.append(made.finished)
    # reasoning alone is no answer
    assert states == [*[False] * (len(events) - 2), True]


TOLD = {"message": "Overloaded", "type": "overloaded_error", "code": None}
ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("chat", {"error": TOLD}),
    ("messages", {"type": "error", "error": TOLD}),
    ("responses", {"type": "error", "code": "server_error", "message": "Overloaded", "param": None}),
    ("responses", {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "Overloaded"}}}),
]


@pytest.mark.parametrize(("supplier", "error"), ERRORS)
@pytest.mark.parametrize("client", APIS)
def test_an_error_of_the_supplier_waits_and_ends_the_answer(client: str, supplier: str, error: dict[str, Any]) -> None:
    made, events = tap(client, supplier), stream(supplier, SCENES["text"], "up")
    out = made.feed(events[0] + b"data: " + orjson.dumps(error) + b"\n\n" + b"".join(events[1:]))
    assert made.failed
    assert not made.complete
    assert b"Overloaded" not in out
    assert b"Overloaded" in made.tail(NOTE, OURS)
    assert made.delivered.size == 0


def test_a_failed_response_is_the_suppliers_failure() -> None:
    made = tap("responses", "responses", streams=False)
    made.feed(orjson.dumps(response(SCENES["text"], "up") | {"status": "failed", "output": []}))
    with pytest.raises(SupplierError):
        made.end()


@pytest.mark.parametrize(("client", "supplier"), PAIRS)
@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"id": 1}', b'{"error": {"message": "x"}}'])
def test_an_answer_that_is_none_is_refused(client: str, supplier: str, answer: bytes) -> None:
    made = tap(client, supplier, streams=False)
    made.feed(answer)
    with pytest.raises(SupplierError):
        made.end()


@pytest.mark.parametrize(
    "nonsense",
    [{"choices": 1}, {"choices": [1]}, {"choices": [{"delta": 5}]}, {"choices": [{"delta": {"tool_calls": [{"function": 1}]}}]}, {"type": 7}],
)
@pytest.mark.parametrize(("client", "supplier"), [pair for pair in PAIRS if pair[0] != pair[1]])
def test_malformed_events_break_nothing(client: str, supplier: str, nonsense: dict[str, Any]) -> None:
    made, events = tap(client, supplier), stream(supplier, SCENES["text"], "up")
    made.feed(events[0] + b"data: " + orjson.dumps(nonsense) + b"\n\ndata: <html>\n\n" + b"".join(events[1:]))
    assert made.complete
    assert made.usage == USAGES[supplier]


def test_calls_out_of_order_are_the_suppliers_failure() -> None:
    made = tap("messages", "chat")
    calls = [{"index": at, "id": "c", "function": {"name": "f", "arguments": "{"}} for at in (0, 1, 0)]
    for call in calls:
        made.feed(b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}) + b"\n\n")
    assert made.failed is not None
    assert made.failed.code == "supplier_nonsense"


@pytest.mark.parametrize(
    ("tiers", "asked", "said", "shown"), [((), "priority", "standard", "priority"), (("priority",), "priority", "standard", "standard")]
)
def test_the_tier_shown_in_messages_is_the_operators_own_unless_passed_on(tiers: tuple[str, ...], asked: str, said: str, shown: str) -> None:
    made = tap("messages", "messages", streams=False, tiers=tiers, service_tier=asked)
    made.feed(orjson.dumps(message(SCENES["text"], "up") | {"usage": MESSAGE_USAGE | {"service_tier": said}}))
    made.end()
    assert orjson.loads(made.tail(NOTE, None))["usage"]["service_tier"] == shown
    assert made.served_tier == said


def test_a_usage_that_is_none_is_estimated_for_the_client_as_it_is_charged() -> None:
    made = tap("messages", "chat")
    made.feed(b"".join(event for event in stream("chat", SCENES["text"], "up") if b"prompt_tokens" not in event))
    (line,) = [line for line in made.tail(NOTE, None).splitlines() if b"message_delta" in line and line.startswith(b"data")]
    # "hi" is 2 bytes, the answer 22
    usage = orjson.loads(line[6:])["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (1, 6)
