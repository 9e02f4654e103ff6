"""Usage from elsewhere: whose it is, what it is worth at its own time, and that it counts once."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.events import START
from tests.support.fakes import FakeDirectory
from tests.support.shop import COSTS, model, simulated, terms
from tests.support.shop import book as make_book
from tokenworth.book.model import Book, Product
from tokenworth.capture.commands import Done, Reason, Record, Refused
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.instants import parse_instant
from tokenworth.flows.elsewhere.intake import AHEAD, Fate, Intake, Outcome
from tokenworth.flows.elsewhere.rating import Unrated, rate
from tokenworth.flows.elsewhere.reported import Read, Reported
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.order import Shop
from tokenworth.price.card import Card

CHANGE = parse_instant("2026-07-01T00:00:00+02:00")
"""When the price changes: midnight of the operator, ten in the evening of the day before in UTC."""
COUNTS = {"input": 800, "cache_read": 200, "output": 100}


def shop() -> Shop:
    """A product `chat` of one model, `twin` and `other` of another; the price of chat doubles at CHANGE."""
    made = make_book({"chat": simulated(), "other": simulated()})
    dated = (
        terms({"input": "1", "cache_read": "0.1", "output": "4"}, "chat of old"),
        replace(terms({"input": "2", "output": "8"}, "chat of new"), since=CHANGE),
    )
    cells = {**made.cards["retail"].cells, ("chat", "default"): dated, ("twin", "default"): dated}
    models = {
        "chat": replace(made.models["chat"], name="gpt-5.4-mini", list_price="openai/gpt-5.4-mini"),
        "other": replace(made.models["other"], name="claude-sonnet-4-5"),
        "unsold": model("unsold", "chat"),
    }
    products = {**made.products, "twin": Product("twin", "other")}
    costs = {**made.costs.cells, ("unsold", "default"): (terms(COSTS, "cost of unsold", "USD"),)}
    whole: Book = replace(made, cards={"retail": Card("retail", "credits", cells)}, models=models, products=products)
    return Shop(whole, Card("costs", "USD", costs))


def reported(**changes: Any) -> Reported:
    values: dict[str, Any] = {
        "source": "gateway",
        "id": "1",
        "customer": "ada",
        "feed": "rows",
        "at": CHANGE - 1,
        "ended": CHANGE + 5,
        "counts": COUNTS,
        "product": "chat",
    }
    return Reported(**(values | changes))


def intake(now: int = START) -> Intake:
    made = shop()
    people = FakeDirectory({"s": Principal("ada", "payg", "key_1", "app"), "t": Principal("eve", "gone", "key_2")})
    return Intake(lambda: made, people, lambda: now)


def prepared(**changes: Any) -> UsageEvent:
    found = intake().prepare(Read(1, found=reported(**changes)))
    assert isinstance(found, Record), found
    return found.event


def refused(**changes: Any) -> tuple[str, str]:
    found = intake().prepare(Read(7, found=reported(**changes)))
    assert isinstance(found, Outcome), found
    assert found.fate is Fate.REFUSED
    (problem,) = found.problems
    assert problem.line == 7
    assert problem.what
    return problem.code, problem.field


def test_a_use_is_rated_at_its_own_time() -> None:
    before = prepared()
    # 800 x 1 + 200 x 0.1 + 100 x 4 a million; cost half of it
    assert (before.charge, before.card) == (800_000 + 20_000 + 400_000, "chat of old")
    assert (before.cost, before.cost_card) == (400_000 + 10_000 + 200_000, "cost of chat")
    assert (before.at, before.ended, before.status, before.alarm) == (CHANGE - 1, CHANGE + 5, Status.OK, "")
    # told of later than what came after it, and rated as of then all the same
    after = prepared(at=CHANGE, counts={"input": 800, "output": 100}, id="2")
    assert (after.charge, after.card) == (1_600_000 + 800_000, "chat of new")


def test_the_contents_make_the_body_and_the_name_makes_the_event() -> None:
    first = reported()
    assert first.event == reported(counts={"input": 1}).event
    assert first.body == reported(counts=dict(reversed(COUNTS.items()))).body
    assert reported(source="gateway1", id="").event != reported(source="gateway", id="1").event
    changes: list[dict[str, Any]] = [
        {"customer": "bob"},
        {"at": CHANGE},
        {"counts": {"input": 800}},
        {"tier": "flex"},
        {"product": ""},
        {"estimated": True},
    ]
    assert len({first.body, *(reported(**each).body for each in changes)}) == len(changes) + 1


def test_product_and_model_are_found_by_the_names_of_suppliers() -> None:
    assert prepared(product="", asked=("chat",)).product == "chat"
    for name in ("gpt-5.4-mini", "openai/gpt-5.4-mini", "gpt-5.4-mini-2026-03-17", "chat/gpt-5.4-mini"):
        event = prepared(product="", served=(name,))
        assert (event.product, event.model, event.supplier) == ("chat", "chat", "chat")
    # the product is sold, and another model than its own served it: the cost follows that one
    event = prepared(served=("claude-sonnet-4-5",))
    assert (event.product, event.model, event.cost_card) == ("chat", "other", "cost of other")


def test_of_a_mix_the_model_that_served_is_the_cost_and_must_be_named() -> None:
    made = shop()
    mixed = replace(made.book.products["chat"], model="", mix={"chat": 3, "other": 1})
    mix = Shop(replace(made.book, products={**made.book.products, "chat": mixed}), made.costs)
    buyer = FakeDirectory({"s": Principal("ada", "payg", "key_1", "app")}).find_buyer("ada")
    assert buyer is not None
    assert rate(mix, buyer, reported(served=("claude-sonnet-4-5",))).model == "other"
    with pytest.raises(Unrated, match="chat is served by chat, other: which of them it was is not told") as told:
        rate(mix, buyer, reported())
    assert told.value.code == "unknown_model"


def test_keys_name_projects_and_what_is_guessed_is_marked() -> None:
    assert prepared(api_key="key_1").project == "app"
    assert prepared(api_key="key_1", project="mine").project == "mine"
    guessed = prepared(estimated=True)
    assert (guessed.status, guessed.alarm) == (Status.ESTIMATED, "estimated_elsewhere")
    assert guessed.charge == prepared().charge
    failed = prepared(failed=True, counts={})
    assert (failed.status, failed.charge, failed.alarm) == (Status.FAILED, 0, "failed_elsewhere")
    cached = prepared(from_cache=True)
    assert (cached.charge, cached.cost) == (prepared().charge, 0)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"customer": "bob"}, "unknown_customer", "customer"),
        ({"customer": "eve"}, "unknown_plan", "customer"),
        ({"product": "cht"}, "unknown_product", "product"),
        ({"product": "", "asked": ("gpt-9",)}, "unknown_product", "product"),
        ({"product": "", "served": ("unsold-upstream",)}, "unknown_product", "product"),
        ({"product": "", "served": ("claude-sonnet-4-5",)}, "ambiguous_product", "product"),
        ({"served": ("gpt-9",)}, "unknown_model", "model"),
        ({"tier": "flex"}, "unknown_cell", "tier"),
        ({"at": -1}, "not_yet_priced", "time"),
        ({"counts": {"web_search": 1}}, "unpriced", "counts"),
        # cached tokens were given up in the new card
        ({"at": CHANGE}, "unpriced", "counts"),
        ({"api_key": "key_2"}, "unknown_key", "api_key"),
        ({"at": START + AHEAD + 1, "ended": START + AHEAD + 1}, "from_the_future", "time"),
    ],
)
def test_what_cannot_be_rated_is_refused_and_never_free(changes: dict[str, Any], code: str, field: str) -> None:
    assert refused(**changes) == (code, field)


class Answers:
    """A ledger that answers each command as it is told to."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []

    async def submit(self, commands: Any) -> list[Any]:
        self.asked.append(len(commands))
        return [self.answers.pop(0) for _ in commands]


async def test_each_record_has_its_own_fate() -> None:
    event = prepared()
    ledger = Answers(
        Done(5, event), Done(5, event, repeated=True), Refused(Reason.KEY_REUSED, "", event=event.id), Refused(Reason.CONFLICT, "in USD")
    )
    reads = [
        Read(1, found=reported()),
        Read(2),
        Read(3, found=reported()),
        Read(4, found=reported(product="cht")),
        Read(5, found=reported()),
        Read(6, found=reported()),
    ]
    outcomes = await intake().take(ledger, reads)
    assert [each.fate for each in outcomes] == [Fate.ACCEPTED, Fate.IGNORED, Fate.DUPLICATE, Fate.REFUSED, Fate.REFUSED, Fate.REFUSED]
    assert [problem.code for each in outcomes for problem in each.problems] == ["unknown_product", "idempotency_key_reused", "account_unit_differs"]
    assert outcomes[0].charge == event.charge
    assert ledger.asked == [4]


async def test_many_are_recorded_piece_by_piece() -> None:
    event = prepared()
    ledger = Answers(*[Done(5, event)] * 250)
    outcomes = await intake().take(ledger, [Read(number, found=reported(id=str(number))) for number in range(250)])
    assert len(outcomes) == 250
    assert ledger.asked == [100, 100, 50]
