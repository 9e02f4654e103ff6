"""The real OpenAI client against a served gateway: answers, streams, errors, headers."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support.gateway import Running, until
from tests.support.upstream import KEY_QUOTED, USAGE
from tokenworth.capture.events import Status
from tokenworth.core.money import NANO, parse_amount

HELLO: Any = [{"role": "user", "content": "hello you there"}]
ECHO_NANO = 15 * 1000 + 5 * 100 + 7 * 4000
"""20 tokens in, 5 of them cached, 7 out, at 1, 0.1 and 4 credits per million."""


CLIENTS: list[openai.OpenAI] = []


@pytest.fixture(autouse=True)
def closing_clients() -> Iterator[None]:
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def client(gateway: Running, name: str, credits_nano: int = NANO, retries: int = 0) -> openai.OpenAI:
    return connect(gateway, gateway.customer(name, credits_nano), retries)


def connect(gateway: Running, secret: str, retries: int = 0) -> openai.OpenAI:
    CLIENTS.append(openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=secret, max_retries=retries, timeout=20))
    return CLIENTS[-1]


def test_an_answer_is_metered_charged_and_said_in_headers(gateway: Running) -> None:
    raw = client(gateway, "whole").chat.completions.with_raw_response.create(model="echo", messages=HELLO, max_completion_tokens=50)
    answer = raw.parse()
    assert answer.model == "echo"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == USAGE["prompt_tokens"]
    (event,) = gateway.events("whole")
    assert (event.status, event.charge, event.alarm) == (Status.OK, ECHO_NANO, "")
    assert event.counts == {"input": 15, "cache_read": 5, "output": 7}
    assert event.cost == ECHO_NANO // 2
    assert event.revenue == ECHO_NANO
    headers = raw.headers
    assert headers["x-tokenworth-event"] == event.id
    assert parse_amount(headers["x-tokenworth-charge"]) == ECHO_NANO
    assert parse_amount(headers["x-tokenworth-balance"]) == NANO - ECHO_NANO == gateway.available("whole")
    assert parse_amount(headers["x-tokenworth-hold"]) >= ECHO_NANO
    assert headers["x-tokenworth-unit"] == "credits"


def test_what_the_gateway_does_not_know_passes_through(gateway: Running) -> None:
    tools: Any = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    more = {"x_vendor": {"deep": [1, 2.5, None, "é"]}, "big": 2**70, "service_tier": "priority"}
    answer = client(gateway, "forwarded").chat.completions.create(
        model="echo", messages=HELLO, tools=tools, temperature=0.5, logit_bias={"5": -1}, extra_body=more
    )
    seen = json.loads(answer.choices[0].message.content or "")
    assert seen == {
        "model": "echo-upstream",
        "messages": HELLO,
        "tools": tools,
        "temperature": 0.5,
        "logit_bias": {"5": -1},
        "x_vendor": {"deep": [1, 2.5, None, "é"]},
        "big": 2**70,
    }
    assert answer.model_extra == {"x_extra": {"kept": 1}}
    (event,) = gateway.events("forwarded")
    assert event.tier == "priority"


@pytest.mark.parametrize("asked", [False, True])
def test_a_stream_hides_usage_unless_asked(gateway: Running, asked: bool) -> None:
    name = f"stream-{asked}"
    more: dict[str, Any] = {"stream_options": {"include_usage": True}} if asked else {}
    chunks = list(client(gateway, name).chat.completions.create(model="echo", messages=HELLO, stream=True, **more))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    seen = json.loads(text)
    assert seen["stream_options"] == {"include_usage": True}
    assert {chunk.model for chunk in chunks} == {"echo"}
    assert [chunk.usage is not None for chunk in chunks].count(True) == int(asked)
    assert all("usage" in chunk.model_fields_set for chunk in chunks) is asked
    assert bool(chunks[-1].choices) is not asked
    (event,) = gateway.events(name)
    assert (event.status, event.charge) == (Status.OK, ECHO_NANO)
    assert event.first_token > 0


def test_a_stream_says_its_charge_before_its_end(gateway: Running) -> None:
    made = client(gateway, "comment")
    with made.chat.completions.with_streaming_response.create(model="sim", messages=HELLO, stream=True, seed=1) as response:
        lines = [line for line in response.iter_lines() if line]
        (event,) = gateway.events("comment")
    assert lines[-1] == "data: [DONE]"
    comment, _, said = lines[-2].partition(" tokenworth ")
    assert comment == ":"
    balance = NANO - event.charge
    assert {name: parse_amount(text) for name, text in json.loads(said).items() if name in ("charge", "balance")} == {
        "charge": event.charge,
        "balance": balance,
    }
    assert response.headers["x-tokenworth-event"] == event.id == json.loads(said)["event"]


def test_an_unknown_key_is_401(gateway: Running) -> None:
    made = connect(gateway, "tw_nobody")
    with pytest.raises(openai.AuthenticationError) as caught:
        made.chat.completions.create(model="sim", messages=HELLO)
    assert caught.value.code == "invalid_api_key"


def test_an_unknown_product_is_404(gateway: Running) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client(gateway, "lost").chat.completions.create(model="gpt-0", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("n", 0), ("max_completion_tokens", "ten"), ("max_tokens", -1), ("service_tier", "gold"), ("messages", []), ("stream_options", 1)],
)
def test_a_bad_field_is_400_and_named(gateway: Running, field: str, wrong: object) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client(gateway, f"faulty-{field}").chat.completions.create(model="sim", messages=HELLO, extra_body={field: wrong})
    assert caught.value.param == field
    assert gateway.events(f"faulty-{field}") == []


def test_too_few_credits_are_402_with_the_amounts(gateway: Running) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client(gateway, "poor", 100, retries=2).chat.completions.create(model="sim", messages=HELLO, max_completion_tokens=1)
    body: Any = caught.value.body
    assert caught.value.status_code == 402
    assert body["code"] == "insufficient_credits"
    assert body["unit"] == "credits"
    assert parse_amount(body["available"]) == 100 < parse_amount(body["needed"])


@pytest.mark.parametrize(
    ("product", "status", "code"),
    [
        ("fails", 502, "supplier_failed"),
        ("refuseskey", 502, "supplier_refused"),
        ("absent", 502, "supplier_unreachable"),
        ("dies", 502, "supplier_broke_off"),
        ("nonsense", 502, "supplier_nonsense"),
        ("hangs", 504, "supplier_timeout"),
        ("refuses", 400, "voice"),
    ],
)
def test_a_failing_supplier_leaves_no_charge_and_no_hold(gateway: Running, product: str, status: int, code: str) -> None:
    name = f"failing-{product}"
    with pytest.raises(openai.APIStatusError) as caught:
        client(gateway, name).chat.completions.create(model=product, messages=HELLO)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert KEY_QUOTED not in str(caught.value.body)
    (event,) = gateway.events(name)
    assert (event.status, event.charge) == (Status.FAILED, 0)
    assert event.alarm
    assert gateway.available(name) == NANO


@pytest.mark.parametrize(("product", "alarm"), [("nousage", "no_usage"), ("badusage", "bad_usage")])
def test_an_answer_without_usable_usage_is_estimated(gateway: Running, product: str, alarm: str) -> None:
    client(gateway, product).chat.completions.create(model=product, messages=HELLO)
    (event,) = gateway.events(product)
    assert (event.status, event.alarm) == (Status.ESTIMATED, alarm)
    # "hello you there" is 15 bytes, the answer 40
    assert event.counts == {"input": 4, "output": 10}
    assert event.charge == 4 * 1000 + 10 * 4000


def test_a_stream_without_usage_is_estimated(gateway: Running) -> None:
    list(client(gateway, "blind").chat.completions.create(model="nousage", messages=HELLO, stream=True))
    (event,) = gateway.events("blind")
    assert (event.status, event.counts) == (Status.ESTIMATED, {"input": 4, "output": 10})


def test_a_supplier_beyond_its_bounds_is_charged_as_counted_with_an_alarm(gateway: Running) -> None:
    raw = client(gateway, "bound").chat.completions.with_raw_response.create(model="exceeds", messages=HELLO, max_tokens=5)
    (event,) = gateway.events("bound")
    assert event.charge > parse_amount(raw.headers["x-tokenworth-hold"])
    assert event.charge == event.counts["input"] * 1000 + event.counts["output"] * 4000
    assert event.alarm == "over_hold"


@pytest.mark.parametrize(("product", "text"), [("dies", "x" * 40), ("errs", "half of an ans")])
def test_a_supplier_gone_in_mid_stream_charges_what_was_delivered(gateway: Running, product: str, text: str) -> None:
    name = f"midway-{product}"
    stream = client(gateway, name).chat.completions.create(model=product, messages=HELLO, stream=True)
    assert next(stream).choices[0].delta.content == text
    with pytest.raises(openai.APIError):
        next(stream)
    (event,) = gateway.events(name)
    assert (event.status, event.alarm) == (Status.ESTIMATED, "supplier_gone")
    assert event.counts == {"input": 4, "output": -(-len(text) // 4)}
    assert gateway.available(name) == NANO - event.charge


def test_models_are_what_the_plan_sells(gateway: Running) -> None:
    made = client(gateway, "lister")
    names = {listed.id for listed in made.models.list()}
    assert {"sim", "echo", "fixed"} <= names
    assert made.models.retrieve("sim").id == "sim"
    with pytest.raises(openai.NotFoundError):
        made.models.retrieve("gpt-0")


def test_a_retry_with_the_same_key_is_charged_once(gateway: Running) -> None:
    made = client(gateway, "retrier", retries=2)
    key = {"Idempotency-Key": "order-1"}
    first = made.chat.completions.with_raw_response.create(model="sim", messages=HELLO, seed=1, extra_headers=key)
    with pytest.raises(openai.ConflictError) as again:
        made.chat.completions.create(model="sim", messages=HELLO, seed=1, extra_headers=key)
    with pytest.raises(openai.UnprocessableEntityError):
        made.chat.completions.create(model="sim", messages=HELLO, seed=2, extra_headers=key)
    body: Any = again.value.body
    assert body["code"] == "duplicate_request"
    assert body["event"] == first.headers["x-tokenworth-event"]
    assert again.value.response.headers["x-should-retry"] == "false"
    (event,) = gateway.events("retrier")
    assert gateway.available("retrier") == NANO - event.charge


def test_a_retry_during_the_first_request_may_be_tried_again(gateway: Running) -> None:
    made = client(gateway, "hasty")
    asked: Any = {"model": "drips", "messages": HELLO, "stream": True, "extra_headers": {"Idempotency-Key": "order-3"}}
    with made.chat.completions.create(**asked), pytest.raises(openai.ConflictError) as again:
        made.chat.completions.create(**asked)
    assert again.value.code == "request_in_progress"
    assert [again.value.response.headers[name] for name in ("x-should-retry", "retry-after")] == ["true", "1"]


def test_a_failed_request_may_be_retried_under_its_key(gateway: Running) -> None:
    made = client(gateway, "patient")
    key = {"Idempotency-Key": "order-2"}
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            made.chat.completions.create(model="fails", messages=HELLO, extra_headers=key)
    assert [event.status for event in gateway.events("patient")] == [Status.FAILED, Status.FAILED]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_gone_before_the_answer_pays_nothing_and_nobody_works_for_it(gateway: Running, supplier: Any, stream: bool) -> None:
    name, before = f"hasty-{stream}", supplier.gone
    body = {"model": "waits", "messages": HELLO, "stream": stream}
    secret = gateway.customer(name, NANO)
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=20)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"authorization": f"Bearer {secret}"})
    until(lambda: supplier.waiting == 1)
    connection.close()
    until(lambda: bool(gateway.events(name)))
    (event,) = gateway.events(name)
    assert (event.status, event.alarm, event.charge) == (Status.FAILED, "client_gone", 0)
    assert gateway.available(name) == NANO
    until(lambda: supplier.gone == before + 1)


def test_a_client_gone_at_the_last_text_pays_for_the_reasoning(gateway: Running) -> None:
    stream = client(gateway, "hurried").chat.completions.create(model="counts", messages=HELLO, stream=True)
    while not next(stream).choices[0].finish_reason:
        pass
    stream.close()
    until(lambda: bool(gateway.events("hurried")))
    (event,) = gateway.events("hurried")
    assert (event.status, event.alarm) == (Status.OK, "")
    assert event.charge == 20 * 1000 + 902 * 4000


def test_a_client_gone_in_mid_stream_pays_for_what_came(gateway: Running, supplier: Any) -> None:
    before = supplier.gone
    stream = client(gateway, "leaver").chat.completions.create(model="drips", messages=HELLO, stream=True)
    for _ in range(5):
        next(stream)
    stream.close()
    until(lambda: bool(gateway.events("leaver")))
    (event,) = gateway.events("leaver")
    assert (event.status, event.alarm) == (Status.ESTIMATED, "client_gone")
    assert event.counts["input"] == 4
    # each drop is five bytes; more of them may have been on their way
    assert 5 * 5 / 4 <= event.counts["output"] < 1_000
    assert gateway.available("leaver") == NANO - event.charge
    until(lambda: supplier.gone == before + 1)
