"""Postpaid accounts: nothing is held, everything is charged."""

from dataclasses import replace

import pytest

from tests.support.events import START, draft, failed, settled
from tokenworth.capture import spending
from tokenworth.capture.change import Change
from tokenworth.capture.commands import Hold, Reason, Refused
from tokenworth.capture.policy import Beyond, Budget, Policy
from tokenworth.capture.state import Account, HoldRow, HoldState, Limits, Spend
from tokenworth.core.periods import Window, window_of

ONE = draft(1)
LATER = START + 60_000_000
DAY = ("account", "day", window_of(START, Window.DAY, "UTC")[0])
POSTPAID = Policy(credit_line=100, postpaid=True)


def account(policy: Policy = POSTPAID, **more: object) -> Account:
    return Account("ada", "credits", "USD", policy)._replace(**more)  # type: ignore[arg-type]


def changed(result: Change | Refused) -> Change:
    assert isinstance(result, Change), result
    return result


def test_nothing_is_held_and_nothing_changes() -> None:
    change = changed(spending.place(Hold(ONE, 60, LATER), account(debt=30), None, None))
    assert (change.account, change.hold, change.postings, change.done.available) == (None, None, (), 70)


@pytest.mark.parametrize(
    ("before", "amount", "reason"),
    [
        (account(), 100, None),
        (account(), 101, Reason.INSUFFICIENT_CREDITS),
        (account(debt=41), 60, Reason.INSUFFICIENT_CREDITS),
        (account(replace(POSTPAID, budgets=(Budget("account", Window.DAY, 50),))), 51, Reason.BUDGET_EXCEEDED),
        (account(replace(POSTPAID, budgets=(Budget("account", Window.DAY, 50),)), limits=Limits({DAY: Spend(20, 0)})), 31, Reason.BUDGET_EXCEEDED),
        (account(replace(POSTPAID, budgets=(Budget("account", Window.DAY, 50),)), limits=Limits({DAY: Spend(20, 0)})), 30, None),
        (account(unit="USD"), 1, Reason.CONFLICT),
    ],
)
def test_what_could_not_be_paid_now_is_refused(before: Account, amount: int, reason: Reason | None) -> None:
    result = spending.place(Hold(ONE, amount, LATER), before, None, None)
    assert (result.reason if isinstance(result, Refused) else None) == reason


@pytest.mark.parametrize(
    ("policy", "charge", "debt", "waived"),
    [
        (POSTPAID, 70, 70, 0),
        # several at once passed the line together: `beyond` says what becomes of it
        (POSTPAID, 130, 130, 0),
        (replace(POSTPAID, overdraft=20), 130, 120, 10),
        (replace(POSTPAID, beyond=Beyond.CAPPED), 130, 100, 30),
        (replace(POSTPAID, beyond=Beyond.CAPPED), 70, 70, 0),
    ],
)
def test_a_settlement_without_a_hold_becomes_debt(policy: Policy, charge: int, debt: int, waived: int) -> None:
    change = changed(spending.settle(settled(ONE, charge), account(policy), None, None))
    assert change.account is not None
    assert change.event is not None
    assert change.hold == HoldRow(ONE.id, "ada", 0, (), START + 1, "", "", None, HoldState.SETTLED)
    assert (change.account.debt, change.event.charge, change.event.waived) == (debt, charge - waived, waived)
    assert (change.account.held, change.account.lent) == (0, 0)


def test_budgets_count_it() -> None:
    policy = replace(POSTPAID, budgets=(Budget("account", Window.DAY, 50),))
    change = changed(spending.settle(settled(ONE, 40), account(policy), None, None))
    assert change.account is not None
    assert change.account.limits.spends == {DAY: Spend(40, 0)}


def test_a_failed_request_leaves_its_event() -> None:
    change = changed(spending.release(failed(ONE), account(), None, None))
    assert change.hold is not None
    assert change.event is not None
    assert (change.hold.state, change.event.charge, change.postings) == (HoldState.RELEASED, 0, ())


def test_again_is_once() -> None:
    closed = HoldRow(ONE.id, "ada", 0, (), 0, "", "", None, HoldState.SETTLED)
    change = changed(spending.settle(settled(ONE, 40), account(), closed, settled(ONE, 40)))
    assert change.done.repeated
    late = spending.release(failed(ONE), account(), closed, settled(ONE, 40))
    assert isinstance(late, Refused)
    assert late.reason is Reason.HOLD_CLOSED


def test_a_key_has_a_row_that_holds_nothing() -> None:
    hold = Hold(ONE, 60, LATER, "k", "b")
    change = changed(spending.place(hold, account(), None, None))
    assert change.hold == HoldRow(ONE.id, "ada", 0, (), LATER, "k", "b", ONE)
    assert change.done.available == 100
    assert changed(spending.place(hold, account(), change.hold, change.hold)).done.repeated
    other = spending.place(replace(hold, draft=draft(2)), account(), None, change.hold)
    assert isinstance(other, Refused)
    assert other.reason is Reason.IN_PROGRESS


def test_without_the_term_a_settlement_needs_its_hold() -> None:
    refused = spending.settle(settled(ONE, 1), account(Policy(credit_line=100)), None, None)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.UNKNOWN_HOLD
    stranger = spending.settle(settled(draft(1, "bob"), 1), account(), None, None)
    assert isinstance(stranger, Refused)
