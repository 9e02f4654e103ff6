"""Commands twice are once, and what contradicts what is there is refused."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.events import START, draft, failed, settled
from tests.support.machine import Bench, paid, refused
from tokenworth.capture import correcting, granting, spending
from tokenworth.capture.change import Change
from tokenworth.capture.commands import Adjust, Cancel, Confirm, Grant, Hold, OpenAccount, Reason, Refund, Refused, Source, Void
from tokenworth.capture.correcting import Payment
from tokenworth.capture.lots import Lot, LotState
from tokenworth.capture.state import Account, HoldRow, HoldState

PAID = paid("paid", 100, 30)
FULL = Bench(PAID).account


@pytest.mark.parametrize(
    ("body", "state", "reason"),
    [
        ("b", HoldState.OPEN, Reason.IN_PROGRESS),
        ("b", HoldState.SETTLED, Reason.DUPLICATE),
        ("other", HoldState.OPEN, Reason.KEY_REUSED),
        ("other", HoldState.SETTLED, Reason.KEY_REUSED),
    ],
)
def test_an_idempotency_key_serves_once(body: str, state: HoldState, reason: Reason) -> None:
    first = HoldRow("first", "ada", 5, (), 0, "k", "b", None, state)
    out = refused(spending.place(Hold(draft(2), 5, 0, "k", body), FULL, None, first))
    assert (out.reason, out.event) == (reason, "first")


def test_commands_twice_are_once() -> None:
    bench = Bench(PAID)
    assert bench.take(granting.open_account(OpenAccount("ada", "credits", "USD", START), bench.account)).done.repeated
    row = bench.hold(1, 50)
    assert bench.grant(PAID).done.repeated
    assert bench.take(bench.try_hold(1, 50)).done.repeated
    event = bench.settle(1, 40).event
    assert event is not None
    again = spending.settle(event._replace(charge=7), bench.account, bench.holds[1], event)
    assert isinstance(again, Change)
    assert (again.done.repeated, again.done.event, again.postings) == (True, event, ())
    gone = row._replace(state=HoldState.RELEASED)
    assert bench.take(spending.release(failed(draft(1)), bench.account, gone, failed(draft(1)))).done.repeated
    assert bench.wallet == (60, 0, 0)


@pytest.mark.parametrize("state", LotState)
def test_a_pending_grant_again(state: LotState) -> None:
    """A store no longer tells of a lot that is confirmed that it was pending."""
    command = paid("g", 5, pending=True)
    stored = Lot(replace(command, pending=state in (LotState.PENDING, LotState.CANCELLED)), state)
    out = granting.grant(command, FULL, stored)
    assert isinstance(out, Change)
    assert out.done.repeated


def test_a_pending_grant_is_another_than_one_that_is_not() -> None:
    pending = Lot(paid("g", 5, pending=True), LotState.PENDING)
    assert refused(granting.grant(paid("g", 5), FULL, pending)).reason is Reason.CONFLICT


FIELDS: dict[str, Any] = {
    "amount": 101,
    "paid": 31,
    "customer": "bob",
    "source": Source.GOODWILL,
    "priority": 1,
    "expiry": START * 2,
    "products": ("chat",),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_grant_of_other_contents_is_a_conflict(field: str) -> None:
    command: Grant = replace(PAID, **{field: FIELDS[field]})
    assert refused(granting.grant(command, FULL, Lot(PAID))).reason is Reason.CONFLICT


def held(state: HoldState = HoldState.OPEN, customer: str = "ada") -> HoldRow:
    return Bench(PAID).hold(1, 5)._replace(state=state, customer=customer)


def settle(charge: int = 1, account: Account | None = FULL, hold: HoldRow | None = None, **fields: Any) -> Change | Refused:
    return spending.settle(settled(draft(1)._replace(**fields), charge), account, hold, None)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (granting.open_account(OpenAccount("ada", "USD", "USD", START), FULL), Reason.CONFLICT),
        (granting.open_account(OpenAccount("ada", "credits", "EUR", START), FULL), Reason.CONFLICT),
        (granting.grant(paid("g", 1), None, None), Reason.UNKNOWN_CUSTOMER),
        (granting.confirm(Confirm("g", START), FULL, None), Reason.UNKNOWN_GRANT),
        (granting.cancel(Cancel("g", START), FULL, None), Reason.UNKNOWN_GRANT),
        (granting.void(Void("g", START, "", ""), FULL, None), Reason.UNKNOWN_GRANT),
        (granting.cancel(Cancel("paid", START), FULL, Lot(PAID)), Reason.GRANT_CLOSED),
        (correcting.refund(Refund("r", "e", 1, START, "", ""), FULL, Payment(), None), Reason.UNKNOWN_EVENT),
        (correcting.adjust(Adjust("a", "bob", 1, START, "", ""), None, None, None), Reason.UNKNOWN_CUSTOMER),
        (spending.place(Hold(draft(1), 1, 0), None, None, None), Reason.UNKNOWN_CUSTOMER),
        (spending.place(Hold(draft(1)._replace(unit="EUR"), 1, 0), FULL, None, None), Reason.CONFLICT),
        (spending.place(Hold(draft(1), 1, 0), FULL, HoldRow("x", "ada", 2, (), 0, "", "", None), None), Reason.CONFLICT),
        (spending.place(Hold(draft(1), 1, 0), FULL, HoldRow("x", "bob", 1, (), 0, "", "", None), None), Reason.CONFLICT),
        (settle(), Reason.UNKNOWN_HOLD),
        (settle(hold=held(), account=None), Reason.UNKNOWN_HOLD),
        (settle(hold=held(customer="bob")), Reason.UNKNOWN_HOLD),  # nobody settles for another
        (spending.release(failed(draft(1)), FULL, held(customer="bob"), None), Reason.UNKNOWN_HOLD),
        (spending.release(failed(draft(1)), FULL, None, None), Reason.UNKNOWN_HOLD),
        (settle(-1, hold=held()), Reason.BAD_AMOUNT),
        (settle(2**63, hold=held()), Reason.BAD_AMOUNT),
        (settle(hold=held(), currency="EUR"), Reason.CONFLICT),
        (settle(hold=held(HoldState.RELEASED)), Reason.HOLD_CLOSED),
        (spending.release(failed(draft(1)), FULL, held(HoldState.SETTLED), None), Reason.HOLD_CLOSED),
    ],
)
def test_refusals(outcome: Change | Refused, reason: Reason) -> None:
    assert refused(outcome).reason is reason
