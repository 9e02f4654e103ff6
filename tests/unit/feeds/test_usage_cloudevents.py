"""CloudEvents as their own SDK writes them; and what is wrong with events, all of it at once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tokenworth.core.errors import InputError
from tokenworth.core.instants import parse_instant
from tokenworth.feeds.usage import cloudevents
from tokenworth.flows.elsewhere.reported import Read

AT = "2026-03-29T01:30:00Z"
GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "42",
    "source": "/gateways/eu",
    "type": "tokenworth.usage",
    "subject": "ada",
    "time": AT,
    "data": {"product": "chat", "counts": {"input": 10, "output": 3}},
}


def read(event: Any) -> Read:
    (found,) = cloudevents.read([event])
    return found


def test_an_event_of_the_sdk() -> None:
    attributes = {"id": "42", "source": "/gateways/eu", "type": "tokenworth.usage", "subject": "ada", "datacontenttype": "application/json"}
    event = CloudEvent(
        attributes={**attributes, "time": datetime(2026, 3, 29, 1, 30, tzinfo=UTC)},
        data={"product": "chat", "tier": "flex", "counts": {"input": 10, "cache_read": 4, "output": 3}, "status": "estimated"},
    )
    message = to_structured(event, JSONFormat())
    assert message.headers["content-type"].startswith(cloudevents.ONE)
    (found,) = cloudevents.read(cloudevents.parse(message.body, batch=False))
    reported = found.found
    assert reported is not None
    assert (reported.source, reported.id, reported.customer, reported.product) == ("/gateways/eu", "42", "ada", "chat")
    assert (reported.at, reported.tier, reported.estimated) == (parse_instant(AT), "flex", True)
    assert reported.counts == {"input": 10, "cache_read": 4, "output": 3}


def test_a_payload_of_a_provider_is_metered() -> None:
    payload = {"model": "gpt-5.4-mini", "usage": {"prompt_tokens": 20, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 5}}}
    found = read(GOOD | {"data": {"provider": "openai", "api": "chat", "payload": payload}}).found
    assert found is not None
    assert found.counts == {"input": 15, "cache_read": 5, "output": 7}
    assert found.served == ("gpt-5.4-mini",)


def test_the_same_content_in_another_order_and_offset_is_the_same_use() -> None:
    other = json.loads(json.dumps(GOOD, sort_keys=True)) | {"time": "2026-03-29T03:30:00+02:00"}
    first, again = read(GOOD).found, read(other).found
    assert first is not None
    assert again is not None
    assert first.body == again.body
    changed = read(GOOD | {"data": {"product": "chat", "counts": {"input": 10, "output": 4}}}).found
    assert changed is not None
    assert changed.body != first.body
    assert changed.event == first.event


def test_an_explicit_zero_is_usage_and_nothing_is_not() -> None:
    zero = read(GOOD | {"data": {"product": "chat", "counts": {"input": 0}}})
    assert zero.found is not None
    assert zero.found.counts == {}
    assert [each.code for each in read(GOOD | {"data": {"product": "chat", "counts": {}}}).problems] == ["no_usage"]


def test_events_of_another_type_are_no_use() -> None:
    found = read(GOOD | {"type": "com.example.signup", "data": {"plan": "pro"}})
    assert (found.found, found.problems, found.id) == (None, (), "42")


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def data(**changes: Any) -> dict[str, Any]:
    return GOOD | {"data": GOOD["data"] | changes}


WRONG: dict[str, tuple[Any, set[tuple[str, str]]]] = {
    "no object": ([], {("invalid_json", "")}),
    "no time": (without("time"), {("missing_field", "time")}),
    "a date alone": (GOOD | {"time": "2026-03-29"}, {("bad_instant", "time")}),
    "a time without an offset": (GOOD | {"time": "2026-03-29T01:30:00"}, {("bad_instant", "time")}),
    "no customer": (without("subject"), {("missing_field", "subject")}),
    "two customers": (data(customer="bob"), {("bad_field", "subject")}),
    "no id and no source": ({key: GOOD[key] for key in GOOD if key not in ("id", "source")}, {("missing_field", "id"), ("missing_field", "source")}),
    "an id with a line break": (GOOD | {"id": "a\nb"}, {("bad_field", "id")}),
    "an older version": (GOOD | {"specversion": "0.3"}, {("bad_specversion", "specversion")}),
    "no data": (without("data"), {("missing_field", "data")}),
    "other data": (GOOD | {"datacontenttype": "text/xml"}, {("bad_field", "datacontenttype")}),
    "a field that nobody knows": (data(prodct="chat"), {("unknown_field", "data.prodct")}),
    "a unit that nobody knows": (data(counts={"inputs": 1}), {("unknown_unit", "data.counts")}),
    "a negative count": (data(counts={"input": -1}), {("bad_usage", "data.input")}),
    "a count that is a fraction": (data(counts={"input": 1.5}), {("bad_usage", "data.input")}),
    "an absurd count": (data(counts={"input": 10**9}), {("bad_usage", "data.input")}),
    "counts twice": (data(payload={"usage": {}}, provider="openai"), {("bad_usage", "data.payload")}),
    "a payload that is none": (
        GOOD | {"data": {"provider": "openai", "payload": {"usage": None}}},
        {("bad_usage", "data.payload"), ("missing_field", "data.product")},
    ),
    "neither product nor model": (GOOD | {"data": {"counts": {"input": 1}}}, {("missing_field", "data.product")}),
    "failed, yet used": (data(status="failed"), {("bad_field", "data.status")}),
    "a status that is none": (data(status="done"), {("bad_field", "data.status")}),
    "ended before it began": (data(ended="2026-03-29T01:29:59Z"), {("bad_period", "data.ended")}),
    "its own time again": (data(at=AT), {("unknown_field", "data.at")}),
}


@pytest.mark.parametrize("case", WRONG)
def test_all_that_is_wrong_is_said_with_its_field(case: str) -> None:
    event, expected = WRONG[case]
    found = read(event)
    assert found.found is None
    assert {(each.code, each.field) for each in found.problems} >= expected
    assert {each.field for each in found.problems} == {field for _, field in expected}


@pytest.mark.parametrize(("body", "batch"), [(b"{", False), (b"[]", False), (b"{}", True), (b"null", True)])
def test_a_body_of_another_shape_is_refused_whole(body: bytes, batch: bool) -> None:
    with pytest.raises(InputError) as caught:
        cloudevents.parse(body, batch=batch)
    assert caught.value.code == "invalid_json"
