"""Law: whoever of a mix serves, on whatever format and at whatever tier, what is charged is at most what was held, under any form of rates.

The usage object is that of a supplier within the recorded bounds of the model that served, in its own format, and it says which tier it served.
"""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_hold_covers_format import RATES, reported, requests
from tests.property.test_worst import compiled, minimums
from tests.support.mixing import mix
from tests.support.shop import model, upstream
from tokenworth.book.model import RANKS, Book, Tier
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.makers import Maker
from tokenworth.flows.serve.meter import Ending, settled
from tokenworth.flows.serve.order import Order, Shop, order
from tokenworth.flows.serve.wire.find import FORMATS
from tokenworth.price.card import Card, Terms
from tokenworth.price.schedule import Form

MODELS = {
    "a": model("a", "a", context=80, max_output=60, input_allowance=20),
    "b": model("b", "b", context=300, max_output=20, input_allowance=5),
    "c": model("c", "c", context=150, max_output=90, input_allowance=0),
}
SPEAKS = {"a": "", "b": "messages", "c": "responses"}
TEXT_OUT = ("output", "reasoning")
steps = st.tuples(RATES, st.dictionaries(st.integers(1, 300), RATES, max_size=2)).map(lambda drawn: {0: drawn[0]} | drawn[1])
sizes = st.integers(1, 70)
forms = st.one_of(
    st.builds(Form, marginal=st.just(True), packages=st.dictionaries(st.sampled_from(TEXT_OUT), sizes), minimum=minimums),
    st.builds(Form, packages=st.dictionaries(st.sampled_from(["input", "cache_read", "cache_write_1h", *TEXT_OUT]), sizes), minimum=minimums),
)
terms = st.builds(compiled, steps, forms)


def made(cells: dict[str, Terms], weights: dict[str, int], *, passing: bool) -> Book:
    """Return a book whose product `chat` is a mix, at a card drawn for each tier; a broken promise of priority is charged as flex."""
    tiers = ("flex", "priority") if passing else ()
    models = {name: replace(each, tiers=tiers) for name, each in MODELS.items()}
    suppliers = {name: replace(upstream("http://nowhere", speaks=speaks), id=name) for name, speaks in SPEAKS.items()}
    told = mix(weights, tiers=[Tier("priority", 1_000_000, first_token=1, broken="flex")])
    card = Card("retail", "credits", {("chat", tier): (each,) for tier, each in cells.items()})
    return replace(told, models=models, suppliers=suppliers, cards={"retail": card})


def charged(ordered: Order, maker: Maker, shop: Shop, shares: list[int], served: str) -> tuple[int, str]:
    """Return the charge and the alarm where a maker served as much of what the request allows as the shares say."""
    mine, ask, most = ordered.by(maker), ordered.ask, maker.model
    context = most.context * ask.prompts
    into = min(ask.size + most.input_allowance * ask.prompts, context) if ask.text_only else context
    out = 0 if ask.api == "embeddings" else min(most.max_output, most.max_output if ask.output_limit is None else ask.output_limit) * ask.choices
    total = sum(shares[:4]) or 1
    answered = out * shares[4] // 10
    tap = mine.tap()
    tap.usage = reported(maker.bridge.api, [into * share // total for share in shares[:4]], answered, answered * shares[5] // 10)
    tap.served_tier = served
    event = settled(mine, tap, shop.costs, Ending(2_000_000, 1_000_000))
    return event.charge, event.alarm


@pytest.mark.parametrize("api", FORMATS)
@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    cells=st.fixed_dictionaries(dict.fromkeys(RANKS, terms)),
    weights=st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), min_size=1),
    shares=st.lists(st.integers(0, 10), min_size=6, max_size=6),
    tier=st.sampled_from(["", *RANKS]),
    served=st.sampled_from(["", "standard", *RANKS]),
    passing=st.booleans(),
)
def test_a_hold_covers_whoever_serves(api: str, data: st.DataObject, **drawn: Any) -> None:
    weights = drawn["weights"] | ({"a": 1} if api == "embeddings" else {})
    shop = Shop(told := made(drawn["cells"], weights, passing=drawn["passing"]), told.costs)
    body = data.draw(requests(api)) | {"model": "chat"} | ({"service_tier": drawn["tier"]} if drawn["tier"] else {})
    # what only some formats have is for other tests
    for name in ("thinking", "n"):
        body.pop(name, None)
    ordered = order(shop, Principal("ada", "payg", "k", tier="flex"), FORMATS[api].parse(orjson.dumps(body)), event="e", at=0)
    assert ordered.draft.tier == (drawn["tier"] or "flex")
    for maker in (ordered.maker, *ordered.others):
        charge, alarm = charged(ordered, maker, shop, drawn["shares"], drawn["served"])
        assert charge <= ordered.amount
        assert alarm in ("", "uncosted")
