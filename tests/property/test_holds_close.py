"""Whatever suppliers do and whenever clients leave, every hold is closed once, every slot is given back, and no charge is beyond its hold.

Whole lives of a service, in virtual time: queues, retries, hedges, breakers, editions of the book that follow one another.
"""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mixing import RESET, UNREACHABLE, Answer, Bench, Scripted, bench, line, mix
from tests.support.upstream import chunk
from tests.support.virtual import VirtualLoop, run
from tokenworth.book.model import RANKS, Asking, Book, Tier
from tokenworth.capture.events import Status
from tokenworth.core.instants import SECOND
from tokenworth.flows.serve.edition import Edition
from tokenworth.flows.serve.order import Shop

WAITS = st.sampled_from([0.0, 0.01, 0.5, 3.0, 20.0])
PIECES = st.sampled_from(
    [
        [RESET],
        [],
        [60.0],
        [b": comment\n\n", RESET],
        [line(chunk({"role": "assistant", "content": ""})), RESET],
        [line(chunk({"content": "text"})), 2.0, RESET],
        [line(chunk({"content": "text"})), 30.0, line(chunk({}, "stop"))],
        [b"<html>"],
    ]
)
ANSWERS = st.one_of(
    st.builds(Answer, wait=WAITS, tier=st.sampled_from(["", "default", "flex", "priority"])),
    st.builds(Answer, wait=WAITS, error=st.sampled_from([UNREACHABLE, RESET])),
    st.builds(Answer, wait=WAITS, status=st.sampled_from([400, 401, 429, 500, 503]), headers=st.sampled_from([{}, {"retry-after": "3"}])),
    st.builds(Answer, wait=WAITS, pieces=PIECES),
)
REQUESTS = st.fixed_dictionaries(
    {
        "wait": st.sampled_from([0.0, 0.0, 0.01, 1.0, 10.0]),
        "tier": st.sampled_from(list(RANKS)),
        "stream": st.booleans(),
        "leaves": st.sampled_from([0.0, 0.0, 0.0, 0.005, 0.4, 2.5]),
        "reads": st.sampled_from([1, 2, 100]),
        "edition": st.booleans(),
    }
)


@st.composite
def books(draw: st.DrawFn) -> Book:
    names = draw(st.sampled_from(["a", "ab", "abc"]))
    weights = {name: draw(st.integers(0, 3)) for name in names}
    asking = Asking(draw(st.integers(1, 3)), draw(st.sampled_from([0, SECOND // 10, 2 * SECOND])), draw(st.sampled_from([0, SECOND // 20])))
    slots = {name: {"concurrency": draw(st.sampled_from([0, 1, 2])), "tokens_per_minute": draw(st.sampled_from([0, 60, 6_000]))} for name in names}
    tiers = [
        Tier("flex", 10 * SECOND),
        Tier("default", 3 * SECOND, reserved=draw(st.sampled_from([0, 50]))),
        Tier("priority", SECOND, reserved=50, first_token=SECOND, broken="flex"),
    ]
    made = mix(weights, asking=asking, tiers=tiers, suppliers=slots)
    passed = draw(st.sampled_from([(), ("flex", "priority")]))
    return replace(made, models={name: replace(model, tiers=passed) for name, model in made.models.items()})


async def client(at: Bench, told: dict[str, Any]) -> None:
    task = asyncio.create_task(at.ask(stream=told["stream"], service_tier=told["tier"], read=told["reads"]))
    if told["leaves"]:
        await asyncio.sleep(told["leaves"])
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None, task.exception()


async def live(made: Book, scripts: dict[str, list[Answer]], requests: list[dict[str, Any]], loop: VirtualLoop) -> None:
    suppliers = {name: Scripted(scripts[name]) for name in made.models}
    async with bench(made, suppliers, clock=loop.clock) as at:
        clients = []
        for told in requests:
            await asyncio.sleep(told["wait"])
            if told["edition"]:
                at.service.change(Edition(Shop(made, made.costs), {name: Scripted(scripts[name]) for name in made.models}))
            clients.append(asyncio.create_task(client(at, told)))
        # of virtual time: whoever waits for ever would wait here
        async with asyncio.timeout(3_600):
            await asyncio.gather(*clients)
        await at.service.holds.drain()
        for event in at.ledger.events.values():
            assert event.charge == 0 or event.status in (Status.OK, Status.ESTIMATED)
            assert RANKS[event.charged_tier or event.tier] <= RANKS[event.tier]
            assert event.queued <= 10 * SECOND
            assert all(tried["cost"] >= 0 for tried in orjson.loads(event.attempts or b"[]"))
        retired = [supplier for edition in at.service._living for supplier in edition.suppliers.values()]
        assert not retired, "editions without requests are closed"


@given(
    made=books(),
    scripts=st.fixed_dictionaries({name: st.lists(ANSWERS, min_size=1, max_size=5) for name in "abc"}),
    requests=st.lists(REQUESTS, min_size=1, max_size=12),
)
def test_every_hold_is_closed(made: Book, scripts: dict[str, list[Answer]], requests: list[dict[str, Any]]) -> None:
    loop = VirtualLoop()
    run(loop, live(made, scripts, requests, loop))
