"""Events through Parquet and the columnar kernel: equal to the nano-unit to what the scalar path recorded."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.errors import PriceError
from tokenworth.core.money import parse_rate
from tokenworth.core.units import UNITS
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import Card, Terms, compile_terms
from tokenworth.price.hours import Hours
from tokenworth.price.rate import rate
from tokenworth.price.schedule import PLAIN, Form
from tokenworth.store.lake.parquet import write_parquet
from tokenworth.store.lake.rating import rerate

NEW_YEAR = 1_767_225_600_000_000
DAY = 86_400_000_000


FULL = Form(packages={"output": 64, "cache_read": 100}, minimum=90_000_000_777)


def card(name: str, scale: int, *, chat: Form = PLAIN, code: Form = PLAIN, hours: bool = False) -> Card:
    """Two dates for chat, a long-context step for code, odd last digits everywhere."""

    def at(since: int, rates: dict[int, dict[str, str]], form: Form) -> Terms:
        steps = {above: {unit: parse_rate(text) * scale for unit, text in table.items()} for above, table in rates.items()}
        if form.marginal:
            steps = {above: row | {"output": steps[0]["output"]} for above, row in steps.items()}
        return compile_terms(currency="credits", since=since, source=f"{name}@{since}", steps=steps, form=form)

    flat = {"input": "12.000001", "cache_read": "1.2", "output": "60.654321"}
    dear = {"input": "24.000003", "cache_read": "2.4", "output": "120.000007"}
    new = at(NEW_YEAR, {0: dear}, PLAIN)
    if hours:
        cheap, night = at(NEW_YEAR, {0: flat}, PLAIN), at(NEW_YEAR, {0: dear, 700: flat}, PLAIN)
        new = replace(new, hours=((Hours(7 * 60 + 30, 9 * 60, "Asia/Kolkata"), cheap), (Hours(23 * 60, 60, "America/New_York"), night)))
    cells = {
        ("chat", "default"): (at(0, {0: flat}, chat), new),
        ("code", "flex"): (at(0, {0: flat, 1000: dear}, code),),
    }
    return Card(name, "credits", cells)


CARDS = {
    "payg": card("standard", 1),
    "pro": card("better", 3),
    "odd": card("odd", 7, chat=FULL, code=Form(marginal=True, minimum=150_000_000_001)),
    "night": card("night", 2, hours=True),
}


def events(number: int) -> list[UsageEvent]:
    """Random events around the change of price, recorded by the scalar path."""
    dice = random.Random(7)
    made = []
    for index in range(number):
        plan, (product, tier) = dice.choice(list(CARDS)), dice.choice([("chat", "default"), ("code", "flex")])
        counts = {
            "input": dice.randrange(3000),
            "cache_read": dice.randrange(500),
            "output": dice.randrange(400),
            "reasoning": dice.randrange(50),
        }
        usage = Usage({name: n for name, n in counts.items() if n})
        at = NEW_YEAR + dice.choice([dice.randrange(-3, 3), dice.randrange(3 * DAY)])
        charge = rate(usage, CARDS[plan], at, product=product, tier=tier)
        texts: dict[str, Any] = {"supplier": "s", "model": "m", "api": "chat", "unit": "credits", "currency": "USD", "cost_card": "c", "book": "b"}
        made.append(
            UsageEvent(
                id=f"{index:026d}",
                customer=f"c{index % 5}",
                plan=plan,
                api_key="k",
                product=product,
                tier=tier,
                at=at,
                card=charge.terms.source,
                status=Status.OK,
                ended=at + 5,
                counts=usage.counts,
                charge=charge.nano,
                revenue=1,
                cost=2,
                **texts,
            )
        )
    return made


def test_columns_rate_as_the_gateway_did(tmp_path: Path) -> None:
    made = events(2_000)
    assert write_parquet(made, tmp_path / "events.parquet") == len(made)
    groups = rerate(tmp_path / "events.parquet", CARDS)
    assert sum(group.requests for group in groups) == len(made)
    assert [group for group in groups if group.rated != group.recorded or group.unequal] == []
    assert sum(group.rated for group in groups) == sum(event.charge for event in made)


def test_what_was_charged_at_a_lower_tier_is_rated_at_it(tmp_path: Path) -> None:
    made = [event._replace(tier="priority", charged_tier=event.tier) for event in events(100)]
    write_parquet(made, tmp_path / "events.parquet")
    assert not any(group.unequal for group in rerate(tmp_path / "events.parquet", CARDS))


def test_one_nano_unit_is_seen(tmp_path: Path) -> None:
    made = events(50)
    made[17] = made[17]._replace(charge=made[17].charge + 1)
    write_parquet(made, tmp_path / "events.parquet")
    off = [group for group in rerate(tmp_path / "events.parquet", CARDS) if group.unequal]
    assert [(group.product, group.customer, group.recorded - group.rated, group.unequal) for group in off] == [
        (made[17].product, made[17].customer, 1, 1)
    ]


def test_a_unit_without_a_rate_is_named_not_zero(tmp_path: Path) -> None:
    made = events(3)
    made[1] = made[1]._replace(counts={"output_audio": 4})
    write_parquet(made, tmp_path / "events.parquet")
    with pytest.raises(PriceError, match=made[1].id):
        rerate(tmp_path / "events.parquet", CARDS)


def test_the_file_has_every_unit_and_appears_whole(tmp_path: Path) -> None:
    def broken() -> object:
        yield events(1)[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_parquet(broken(), tmp_path / "events.parquet")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    write_parquet(events(1), tmp_path / "events.parquet")
    assert set(UNITS) < set(pq.read_schema(tmp_path / "events.parquet").names)
