"""What keys may ask for, and holds for the usual answer, through the use-case."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.support.fakes import FakeDirectory, FakeLedger
from tests.support.shop import book, upstream
from tests.support.upstream import completion
from tests.unit.flows.test_serve_exchange import DONE, RESET, ROLE, TEXT, Scripted
from tokenworth.book.model import UNLIMITED, Book, Plan, Rates
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.money import NANO
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.limits import duration
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.service import Call, Reply, Service
from tokenworth.flows.serve.wire import chat
from tokenworth.flows.sizes import Sizes
from tokenworth.wiring.serving import Backend, serving

ANSWER = [orjson.dumps(completion("12345678"))]
INPUT, OUTPUT = 20, 7


def shop(rates: Rates = UNLIMITED, **product: Any) -> Book:
    made = book({"up": upstream("http://nowhere")})
    return replace(made, plans={"payg": Plan("payg", "retail", rates=rates)}, products={"up": replace(made.products["up"], **product)})


def served(made: Book, ledger: FakeLedger, *pieces: Any, sizes: Sizes | None = None) -> AbstractAsyncContextManager[Service]:
    directory = FakeDirectory({"one": Principal("ada", "payg", "k1"), "two": Principal("ada", "payg", "k2")})
    return serving(Shop(made, made.costs, sizes=sizes or Sizes()), Backend(ledger, directory, {"up": Scripted(pieces or ANSWER)}))


async def ask(service: Service, *, key: str = "one", **more: Any) -> Reply:
    body = orjson.dumps({"model": "up", "messages": [{"role": "user", "content": "hi"}]} | more)
    return await service.answer(chat.FORMAT, Call(key, body))


async def finish(reply: Reply) -> None:
    async for _ in reply.rest:
        pass


async def test_requests_are_limited_by_key_and_told_in_headers() -> None:
    ledger = FakeLedger({"ada": NANO})
    async with served(shop(Rates(requests=2)), ledger) as service:
        first = await ask(service)
        await finish(first)
        told = {name: value for name, value in first.headers.items() if name.startswith("x-ratelimit")}
        assert told == {"x-ratelimit-limit-requests": "2", "x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "30s"}
        await finish(await ask(service))
        with pytest.raises(Refusal) as refused:
            await ask(service)
        await finish(await ask(service, key="two"))
    assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")
    assert chat.FORMAT.error(refused.value)["error"]["type"] == "requests"
    assert 0 < int(refused.value.headers["retry-after"]) <= 30
    assert not ledger.open
    assert len(ledger.events) == 3


async def test_tokens_are_taken_by_the_request_and_given_back_by_the_answer() -> None:
    async with served(shop(Rates(tokens=1_000)), FakeLedger({"ada": NANO})) as service:
        reply = await ask(service, max_completion_tokens=900)
        # the body's bytes at four a token, and the limit
        assert 60 < int(reply.headers["x-ratelimit-remaining-tokens"]) < 100
        await finish(reply)
        again = await ask(service, max_completion_tokens=900)
        await finish(again)
        assert int(again.headers["x-ratelimit-remaining-tokens"]) == int(reply.headers["x-ratelimit-remaining-tokens"]) - INPUT - OUTPUT


async def test_a_refused_hold_gives_its_tokens_back() -> None:
    async with served(shop(Rates(tokens=1_000)), FakeLedger({"ada": 1})) as service:
        for _ in range(3):
            with pytest.raises(Refusal) as refused:
                await ask(service, max_completion_tokens=900)
            assert refused.value.status == 402


async def test_streams_are_limited_until_they_end_however_they_do() -> None:
    async with served(shop(Rates(streams=1)), FakeLedger({"ada": NANO}), ROLE, TEXT, RESET) as service:
        reply = await ask(service, stream=True)
        with pytest.raises(Refusal, match="1 streams at once"):
            await ask(service, stream=True)
        await reply.rest.aclose()
        await finish(await ask(service, stream=True))
        await finish(await ask(service, stream=True))


@pytest.mark.parametrize(("free", "charged"), [(False, True), (True, False)])
async def test_a_stream_that_the_supplier_broke_off_is_charged_as_the_book_says(free: bool, charged: bool) -> None:
    ledger = FakeLedger({"ada": NANO})
    async with served(shop(broken_off_free=free), ledger, ROLE, TEXT, RESET) as service:
        await finish(await ask(service, stream=True))
    (event,) = ledger.events.values()
    assert (event.status, event.alarm, event.charge > 0, event.cost > 0) == (Status.ESTIMATED, "supplier_gone", charged, True)


async def test_one_that_the_client_left_is_charged_all_the_same() -> None:
    ledger = FakeLedger({"ada": NANO})
    async with served(shop(broken_off_free=True), ledger, ROLE, TEXT, DONE) as service:
        reply = await ask(service, stream=True)
        await anext(reply.rest)
        await reply.rest.aclose()
    (event,) = ledger.events.values()
    assert event.charge > 0


async def held(sizes: Sizes, **more: Any) -> tuple[int, UsageEvent]:
    ledger = FakeLedger({"ada": NANO})
    async with served(shop(hold_percentile=90), ledger, sizes=sizes) as service:
        reply = await ask(service, **more)
        amount = next(iter(ledger.open.values())).amount if ledger.open else int(float(reply.headers["x-tokenworth-hold"]) * NANO)
        await finish(reply)
    (event,) = ledger.events.values()
    return amount, event


async def test_a_hold_is_for_the_usual_length_once_it_is_known() -> None:
    whole, _ = await held(Sizes())
    usual, event = await held(Sizes([("up", 10)] * 1_000))
    # 1,000 tokens of output at 4 credits a million, or 10 of them
    assert whole - usual == 990 * 4_000
    assert (event.status, event.alarm) == (Status.OK, "")
    assert (await held(Sizes([("up", 10)] * 1_000), n=3))[0] == usual + 20 * 4_000 + len(b',"n":3') * 1_000
    # the request allows less than is usual
    assert (await held(Sizes([("up", 500)] * 1_000), max_completion_tokens=20))[0] < usual + 100_000


async def test_lengths_are_learned_from_whole_answers() -> None:
    sizes = Sizes()
    async with served(shop(), FakeLedger({"ada": NANO}), sizes=sizes) as service:
        for _ in range(256):
            await finish(await ask(service))
    assert sizes.quantile("up", 50) == OUTPUT


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(0, "0ms"), (1, "1ms"), (20_000, "20ms"), (1_000_000, "1s"), (8_640_000, "8.64s"), (360_000_000, "6m0s"), (61_500_000, "1m1.5s")],
)
def test_times_are_written_as_openai_writes_them(microseconds: int, text: str) -> None:
    assert duration(microseconds) == text
