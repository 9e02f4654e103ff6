"""Budgets, low-balance thresholds and top-ups."""

from typing import Any

import pytest

from tests.support.events import START
from tests.support.machine import DAY, HOUR, Bench, given, paid, refused
from tokenworth.capture import granting
from tokenworth.capture.commands import Confirm, Notice, OpenAccount, Reason, Refused
from tokenworth.capture.limits import count, forget
from tokenworth.capture.lots import LotState
from tokenworth.capture.policy import Budget, Policy, TopUp
from tokenworth.capture.state import Limits, Spend
from tokenworth.core.errors import InputError
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.instants import parse_instant
from tokenworth.core.periods import Window

RICH = paid("l", 10**12)


def budgets(*each: Budget, zone: str = "UTC") -> Bench:
    return Bench(RICH, policy=Policy(budgets=each, zone=zone))


def spend(bench: Bench) -> dict[tuple[str, str], tuple[int, int]]:
    return {key[:2]: (spend.used, spend.held) for key, spend in bench.account.limits.spends.items()}


@pytest.mark.parametrize(
    ("subject", "fields", "counted"),
    [
        ("account", {}, "account"),
        ("account", {"api_key": "", "project": ""}, "account"),
        ("key:key", {}, "key:key"),
        ("key:*", {}, "key:key"),
        ("key:other", {}, ""),
        ("key:*", {"api_key": ""}, ""),
        ("project:*", {"project": "p"}, "project:p"),
        ("project:p", {"project": "p"}, "project:p"),
        ("project:*", {}, ""),  # a request of no project
        ("project:q", {"project": "p"}, ""),
    ],
)
def test_whose_spending_a_budget_counts(subject: str, fields: dict[str, Any], counted: str) -> None:
    bench = budgets(Budget(subject, Window.DAY, 100))
    row = bench.hold(1, 60, **fields)
    assert [name for name, *_ in row.counted] == ([counted] if counted else [])
    again = bench.try_hold(2, 41, **fields)
    if counted:
        assert refused(again).reason is Reason.BUDGET_EXCEEDED
        bench.hold(2, 40, **fields)
    else:
        bench.take(again)


def test_each_key_has_its_own() -> None:
    bench = budgets(Budget("key:*", Window.HOUR, 10))
    bench.hold(1, 10, api_key="a")
    bench.hold(2, 10, api_key="b")
    assert refused(bench.try_hold(3, 1, api_key="a")).reason is Reason.BUDGET_EXCEEDED


def test_holds_count_and_settlements_replace_them() -> None:
    bench = budgets(Budget("account", Window.DAY, 100))
    bench.hold(1, 60)
    bench.hold(2, 30)
    assert spend(bench) == {("account", "day"): (0, 90)}
    bench.settle(1, 20)
    assert spend(bench) == {("account", "day"): (20, 30)}
    bench.release(2)
    assert spend(bench) == {("account", "day"): (20, 0)}
    bench.hold(3, 80)
    bench.settle(3, 95)  # beyond its hold: served is served
    assert spend(bench) == {("account", "day"): (115, 0)}
    out = refused(bench.try_hold(4, 1))
    assert "has 0 credits left" in out.detail
    bench.hold(4, 0)  # what costs nothing passes


def test_what_is_waived_is_not_spent() -> None:
    bench = Bench(paid("l", 10), policy=Policy(overdraft=0, budgets=(Budget("account", Window.DAY, 100),)))
    bench.hold(1, 10)
    bench.settle(1, 15)
    assert spend(bench) == {("account", "day"): (10, 0)}


def test_two_budgets_of_one_subject_count_it_once() -> None:
    bench = budgets(Budget("key:*", Window.DAY, 100), Budget("key:key", Window.DAY, 50))
    bench.hold(1, 40)
    assert spend(bench) == {("key:key", "day"): (0, 40)}
    bench.hold(2, 10)
    assert refused(bench.try_hold(3, 1)).reason is Reason.BUDGET_EXCEEDED
    bench.settle(1, 5)
    assert spend(bench) == {("key:key", "day"): (5, 10)}


@pytest.mark.parametrize(
    ("window", "zone", "at", "last", "end"),
    [
        (Window.HOUR, "UTC", "2026-11-24T10:00:00Z", "2026-11-24T10:59:59Z", "2026-11-24T11:00:00Z"),
        (Window.DAY, "UTC", "2026-11-24T00:00:00Z", "2026-11-24T23:59:59Z", "2026-11-25T00:00:00Z"),
        (Window.MONTH, "UTC", "2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z"),
        # a day of 23 hours, and one of 25
        (Window.DAY, "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
        (Window.DAY, "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),
        # midnight that does not exist, or comes an hour late
        (Window.DAY, "America/Santiago", "2026-09-06T04:00:00Z", "2026-09-07T02:59:59Z", "2026-09-07T03:00:00Z"),
        (Window.DAY, "Africa/Cairo", "2026-10-28T21:00:00Z", "2026-10-29T21:59:59Z", "2026-10-29T22:00:00Z"),
        (Window.HOUR, "Asia/Kolkata", "2026-11-24T10:30:00Z", "2026-11-24T11:29:59Z", "2026-11-24T11:30:00Z"),
        (Window.MONTH, "America/New_York", "2026-11-01T04:00:00Z", "2026-12-01T04:59:59Z", "2026-12-01T05:00:00Z"),
    ],
)
def test_a_window_in_the_accounts_zone(window: Window, zone: str, at: str, last: str, end: str) -> None:
    """It is full until its end, which the refusal names; a new one begins there, and the one before was another."""
    bench = budgets(Budget("account", window, 100), zone=zone)
    first, ends = parse_instant(at) - START, parse_instant(end)
    bench.hold(1, 100, at=first - 1)
    bench.hold(2, 100, at=first)
    out = refused(bench.try_hold(3, 1, at=parse_instant(last) - START))
    assert (out.reason, out.needed, out.again) == (Reason.BUDGET_EXCEEDED, 1, ends)
    assert f"left until {end}" in out.detail
    bench.hold(3, 100, at=ends - START)


def test_a_settlement_counts_where_its_hold_did() -> None:
    bench = budgets(Budget("account", Window.HOUR, 100))
    bench.hold(1, 70)
    bench.hold(2, 50, at=HOUR)
    bench.settle(1, 65, at=HOUR + 5)
    assert sorted((spend.used, spend.held) for spend in bench.account.limits.spends.values()) == [(0, 50), (65, 0)]


def test_what_arrives_late_still_counts_in_its_window() -> None:
    """A clock that is a little behind must not have the last window's budget anew."""
    bench = budgets(Budget("account", Window.HOUR, 100))
    bench.serve(1, 100)
    bench.hold(2, 1, at=HOUR)
    assert refused(bench.try_hold(3, 1)).reason is Reason.BUDGET_EXCEEDED


def test_a_store_may_forget_all_but_two_windows_and_those_with_holds() -> None:
    def day(number: int, name: str = "account") -> tuple[str, str, int]:
        return name, "day", number * DAY

    spends = {day(1): Spend(5, 1), day(2): Spend(5), day(3): Spend(5), day(4): Spend(5), day(1, "key:a"): Spend(5)}
    assert forget(Limits(spends)).spends.keys() == {day(1), day(3), day(4), day(1, "key:a")}
    assert count(Limits(spends), (day(1),), held=-1, used=1).spends[day(1)] == Spend(6, 0)


WATCHED = Policy(low_balance=(50, 20))


def told(notices: tuple[Notice, ...]) -> list[tuple[str, str, int]]:
    return [(notice.kind, notice.subject, notice.left) for notice in notices]


def test_a_threshold_tells_once_a_crossing() -> None:
    bench = Bench(paid("l", 100, at=START - 1), policy=WATCHED)
    low = "low_balance"
    assert told(bench.serve(1, 50).notices) == []  # at the threshold is not below it
    assert told(bench.serve(2, 1).notices) == [(low, "0.00000005", 49)]
    assert told(bench.serve(3, 1).notices) == []
    assert told(bench.serve(4, 40).notices) == [(low, "0.00000002", 8)]
    assert told(bench.grant(paid("some", 20)).notices) == []  # above 20 again, still below 50
    assert told(bench.serve(5, 10).notices) == [(low, "0.00000002", 18)]
    assert told(bench.grant(paid("more", 100)).notices) == []
    assert told(bench.serve(6, 110).notices) == [(low, "0.00000005", 8), (low, "0.00000002", 8)]  # both at once


def test_what_is_held_is_left() -> None:
    bench = Bench(paid("l", 100), policy=WATCHED)
    bench.hold(1, 90)
    assert told(bench.settle(1, 10).notices) == []


def test_expiry_voids_and_adjustments_cross_too() -> None:
    bench = Bench(paid("l", 40, expiry=START + DAY), paid("m", 30), given("n", 15), policy=WATCHED)
    assert told(bench.sweep(DAY).notices) == [("low_balance", "0.00000005", 45)]
    assert told(bench.void("m").notices) == [("low_balance", "0.00000002", 15)]
    bench.grant(paid("o", 100))
    assert told(bench.adjust(-60).notices) == []
    assert told(bench.adjust(-10, "a2").notices) == [("low_balance", "0.00000005", 45)]


TOPPED = Policy(top_up=TopUp(below=50, amount=100, paid=9))


def test_a_top_up_is_asked_for_once_and_confirmed_once() -> None:
    bench = Bench(paid("l", 100, at=START - 1), policy=TOPPED)
    out = bench.serve(1, 60)
    assert told(out.notices) == [("top_up", "top-up-ada/1", 40)]
    (lot,) = out.made
    assert (lot.state, lot.grant.amount, lot.grant.paid, lot.grant.pending) == (LotState.PENDING, 100, 9, True)
    assert (bench.wallet, bench.account.limits.pending) == ((40, 0, 0), "top-up-ada/1")
    assert (bench.serve(2, 10).notices, bench.wallet) == ((), (30, 0, 0))
    out = bench.confirm("top-up-ada/1")
    assert (told(out.notices), bench.wallet, bench.account.limits.pending) == ([], (130, 0, 0), "")
    assert bench.confirm("top-up-ada/1").done.repeated
    assert bench.wallet == (130, 0, 0)
    assert told(bench.serve(3, 90).notices) == [("top_up", "top-up-ada/2", 40)]


def test_a_top_up_that_was_cancelled_is_asked_for_again() -> None:
    bench = Bench(paid("l", 100), policy=TOPPED)
    bench.serve(1, 60)
    assert bench.cancel("top-up-ada/1").notices == ()
    assert told(bench.serve(2, 1).notices) == [("top_up", "top-up-ada/2", 39)]
    assert refused(granting.confirm(Confirm("top-up-ada/1", START), bench.account, bench.lots["top-up-ada/1"])).reason is Reason.GRANT_CLOSED


def test_a_top_up_too_small_is_followed_by_another() -> None:
    bench = Bench(policy=Policy(overdraft=10**6, top_up=TopUp(50, 10, 0)))
    bench.hold(1, 0)
    bench.settle(1, 30)
    assert told(bench.confirm("top-up-ada/1").notices) == [("top_up", "top-up-ada/2", -20)]


@pytest.mark.parametrize(
    "terms",
    [
        {"zone": "Nowhere/Atlantis"},
        {"budgets": (Budget("team:a", Window.DAY, 1),)},
        {"budgets": (Budget("key:", Window.DAY, 1),)},
        {"budgets": (Budget("account:ada", Window.DAY, 1),)},
        {"budgets": (Budget("account", Window.DAY, -1),)},
        {"overdraft": -1},
        {"credit_line": INT64_MAX + 1},
        {"low_balance": (-1,)},
        {"top_up": TopUp(5, 0, 0)},
        {"top_up": TopUp(5, 1, -1)},
    ],
)
def test_a_policy_that_could_not_be_acted_on_is_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Policy(**terms)


def test_opening_again_keeps_the_policy_unless_one_is_given() -> None:
    bench = Bench(policy=WATCHED)
    bench.take(granting.open_account(OpenAccount("ada", "credits", "USD", START), bench.account))
    assert bench.account.policy == WATCHED


def test_a_new_account_may_spend_its_credit_line() -> None:
    out = granting.open_account(OpenAccount("ada", "credits", "USD", START, Policy(credit_line=7)), None)
    assert not isinstance(out, Refused)
    assert out.done.available == 7
