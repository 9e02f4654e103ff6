"""Usage that happened elsewhere: account before, record, account and postings after."""

from typing import Any

import pytest

from tests.support.events import START
from tests.support.machine import DAY, Bench, change, given, lines, paid, refused
from tokenworth.capture.commands import Reason
from tokenworth.capture.events import Status
from tokenworth.capture.policy import Beyond, Budget, Policy
from tokenworth.capture.state import HoldState
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.periods import Window


@pytest.mark.parametrize(
    ("policy", "charge", "waived", "wallet", "last"),
    [
        # 10 paid and 5 given are free
        (Policy(), 0, 0, (15, 0, 0), None),
        (Policy(), 12, 0, (3, 0, 0), "USD deferred > revenue 7 (paid)"),
        (Policy(), 15, 0, (0, 0, 0), "USD deferred > revenue 10 (paid)"),
        (Policy(), 19, 0, (0, 0, 4), "credits debt:ada > used 4"),
        (Policy(overdraft=3), 19, 1, (0, 0, 3), "credits waived > used 1"),
        # what is capped is what goes beyond an authorisation: here nobody authorised anything, and credits pay
        (Policy(beyond=Beyond.CAPPED), 15, 0, (0, 0, 0), "USD deferred > revenue 10 (paid)"),
        (Policy(beyond=Beyond.CAPPED), 19, 4, (0, 0, 0), "credits waived > used 4"),
        (Policy(beyond=Beyond.CAPPED, credit_line=3), 19, 1, (0, 0, 3), "credits waived > used 1"),
    ],
)
def test_record(policy: Policy, charge: int, waived: int, wallet: tuple[int, int, int], last: str | None) -> None:
    bench = Bench(paid("paid", 10, 10), given("promo", 5), policy=policy)
    out = change(bench.record(1, charge))
    assert bench.wallet == wallet
    assert lines(out)[-1:] == [last] * bool(last)
    assert out.event is not None
    assert (out.event.charge, out.event.waived) == (charge - waived, waived)
    # a charge of nothing is a row like any other
    assert (bench.holds[1].state, bench.holds[1].amount, bench.holds[1].body) == (HoldState.SETTLED, 0, "body")


def test_it_counts_once() -> None:
    bench = Bench(paid("l", 10))
    first = change(bench.record(1, 4))
    again = change(bench.record(1, 4))
    assert again.done.repeated
    assert again.done.event == first.event
    # rated otherwise by now, but of the same content
    assert change(bench.record(1, 9)).done.event == first.event
    out = refused(bench.record(1, 4, body="other"))
    assert (out.reason, out.event) == (Reason.KEY_REUSED, bench.holds[1].id)
    assert bench.wallet == (6, 0, 0)


def test_credits_held_by_others_are_not_taken() -> None:
    bench = Bench(paid("l", 10))
    bench.hold(1, 8)
    change(bench.record(2, 5))
    assert bench.wallet == (8, 8, 3)


def test_late_usage_takes_what_was_open_then() -> None:
    bench = Bench(paid("old", 10, expiry=START + DAY), paid("next", 10, effective=START + DAY))
    out = change(bench.record(1, 12, at=DAY - 5))
    assert bench.parts("old") == (10, 0, 0)
    assert bench.parts("next") == (0, 0, 0)
    assert bench.wallet == (10, 0, 2)
    assert out.event is not None
    # and what comes free repays the debt
    change(bench.record(2, 0, at=DAY + 1))
    assert bench.wallet == (8, 0, 0)


def test_budgets_count_it_in_the_window_of_its_own_time_and_do_not_refuse_it() -> None:
    bench = Bench(paid("l", 100), policy=Policy(budgets=(Budget("account", Window.DAY, 10),)))
    change(bench.record(1, 30, at=-DAY))
    bench.hold(2, 10)
    change(bench.record(3, 4))
    assert refused(bench.try_hold(4, 1)).reason is Reason.BUDGET_EXCEEDED
    assert sorted((spend.used, spend.held) for spend in bench.account.limits.spends.values()) == [(4, 10), (30, 0)]


def test_what_failed_charges_nothing() -> None:
    bench = Bench(paid("l", 10))
    out = change(bench.record(1, 5, status=Status.FAILED))
    assert out.event is not None
    assert (out.event.charge, out.event.status, bench.wallet) == (0, Status.FAILED, (10, 0, 0))
    assert bench.holds[1].state is HoldState.RELEASED


@pytest.mark.parametrize(
    ("fields", "reason"), [({"unit": "USD"}, Reason.CONFLICT), ({"charge": INT64_MAX}, Reason.BAD_AMOUNT), ({"charge": -1}, Reason.BAD_AMOUNT)]
)
def test_refused(fields: dict[str, Any], reason: Reason) -> None:
    bench = Bench(policy=Policy(credit_line=9))
    change(bench.record(1, 2))
    before = bench.account
    assert refused(bench.record(2, **{"charge": 0} | fields)).reason is reason
    assert bench.account == before
