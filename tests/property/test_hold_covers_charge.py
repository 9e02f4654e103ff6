"""Law: what a simulated answer costs is at most what its request held, whatever the request asks for and whatever the card says."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes import FakeDirectory, FakeLedger
from tests.support.shop import book, simulated
from tokenworth.capture.commands import Command, Hold, Result, Settle
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.service import Call
from tokenworth.flows.serve.wire import chat
from tokenworth.price.card import Card, Terms, compile_terms
from tokenworth.wiring.clock import now
from tokenworth.wiring.serving import Backend, serving
from tokenworth.wiring.suppliers import make_suppliers

RATES = st.fixed_dictionaries({name: st.integers(0, 10**7) for name in ("input", "cache_read", "output")})


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Terms with a long-context step that may be cheaper or dearer, and perhaps a fee for each request."""
    steps = {0: draw(RATES)}
    if draw(st.booleans()):
        steps[draw(st.integers(1, 300))] = draw(RATES)
    fee = draw(st.none() | st.integers(0, 10**7))
    if fee is not None:
        steps = {above: {**rates, "request": fee} for above, rates in steps.items()}
    return compile_terms(currency="credits", since=0, source="drawn", steps=steps)


TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["a", "I", "word"]), max_size=400).map(" ".join)
PART = st.one_of(TEXTS.map(lambda text: {"type": "text", "text": text}), st.just({"type": "image_url", "image_url": {"url": "https://x/y.png"}}))
CONTENT = TEXTS | st.lists(PART, min_size=1, max_size=3)
LIMIT = st.none() | st.integers(1, 3000)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Requests that differ in what moves a price."""
    return {
        "model": "sim",
        "messages": [{"role": "user", "content": content} for content in draw(st.lists(CONTENT, min_size=1, max_size=3))],
        "max_tokens": draw(LIMIT),
        "max_completion_tokens": draw(LIMIT),
        "n": draw(st.none() | st.integers(1, 5)),
        "seed": draw(st.none() | st.integers(-(2**31), 2**31)),
        "stream": draw(st.booleans()),
    }


class Recording(FakeLedger):
    """Remembers holds and settlements."""

    holds: list[Hold]
    settlements: list[Settle]

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        self.holds += [command for command in commands if isinstance(command, Hold)]
        self.settlements += [command for command in commands if isinstance(command, Settle)]
        return await super().submit(commands)


async def served(request: dict[str, Any], rates: Terms, trace: str) -> Recording:
    made = book({"sim": simulated()}, trace=trace, context=1_000)
    made = replace(made, cards={"retail": Card("retail", "credits", {("sim", "default"): (rates,)})})
    ledger = Recording({"ada": 2**62})
    ledger.holds, ledger.settlements = [], []
    backend = Backend(ledger, FakeDirectory({"s": Principal("ada", "payg", "k")}), make_suppliers(made, {}, now))
    async with serving(Shop(made, made.costs), backend) as service:
        try:
            reply = await service.answer(chat.FORMAT, Call("s", orjson.dumps(request)))
            async for _ in reply.rest:
                pass
        except Refusal as refusal:
            assert refusal.status == 400  # noqa: PT017 - there may be more words than the context holds
    return ledger


@settings(max_examples=300, deadline=None)
@given(requests(), terms(), st.sampled_from(["azure2023-conv", "azure2023-code", "mooncake-conversation"]))
def test_a_hold_covers_its_charge(request: dict[str, Any], rates: Terms, trace: str) -> None:
    ledger = asyncio.run(served(request, rates, trace))
    (hold,) = ledger.holds
    for settlement in ledger.settlements:
        event = settlement.event
        assert event.alarm == ""  # an alarm would say that the charge was cut down to the hold
        assert event.charge <= hold.amount
    assert not ledger.open
