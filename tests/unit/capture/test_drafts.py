"""Amounts of another unit are refused; what a request came to by then is kept when its hold runs out."""

import pytest

from tests.support.events import START, draft, settled
from tokenworth.capture import spending
from tokenworth.capture.change import Change
from tokenworth.capture.commands import Grant, Hold, Reason, Refused, Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.capture.lots import Lot
from tokenworth.capture.state import Account, HoldRow

FULL = Account("ada", "credits", "USD", balance=150, version=2, lots=(Lot(Grant("paid", "ada", 150, Source.PAID, 30, START)),))


def held() -> tuple[Account, HoldRow]:
    placed = spending.place(Hold(draft(1), 70, START + 60), FULL, None, None)
    assert isinstance(placed, Change)
    assert placed.account is not None
    assert placed.hold is not None
    return placed.account, placed.hold


@pytest.mark.parametrize("other", [{"unit": "USD"}, {"currency": "EUR"}])
def test_an_account_spends_only_its_own_unit(other: dict[str, str]) -> None:
    placed = spending.place(Hold(draft(1)._replace(**other), 1, 0), FULL, None, None)  # type: ignore[arg-type]
    charged = spending.settle(settled(draft(1), 1, **other), *held(), None)
    for outcome in (placed, charged):
        assert isinstance(outcome, Refused)
        assert outcome.reason is Reason.CONFLICT


def test_an_expired_hold_keeps_the_counts_and_the_cost_that_its_draft_came_to() -> None:
    account, row = held()
    so_far = draft(1)._replace(counts={"input": 5, "output": 9}, cost=12, cost_card="list")
    out = spending.expire(account, spending.extend(row, START + 99, so_far), START + 100)
    assert isinstance(out, Change)
    assert out.event is not None
    assert (out.event.status, out.event.charge, out.event.counts, out.event.cost) == (Status.LOST, 0, {"input": 5, "output": 9}, 12)
    assert out.account is not None
    assert (out.account.balance, out.account.held) == (150, 0)


@pytest.mark.parametrize("other", [draft(2)._replace(cost=12), draft(1)._replace(customer="bob", cost=12), None])
def test_another_draft_changes_nothing_but_the_deadline(other: UsageEvent | None) -> None:
    _, row = held()
    assert spending.extend(row, START + 99, other) == row._replace(deadline=START + 99)
