"""The rules of the ledger as tables: state before, command, state and postings after."""

from dataclasses import replace

import pytest

from tests.support.events import START, draft, failed, settled
from tokenworth.capture import machine
from tokenworth.capture.commands import Grant, Hold, OpenAccount, Reason, Refused, Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.capture.machine import Change
from tokenworth.capture.state import Account, HoldRow, HoldState, Lot
from tokenworth.core.exact import INT64_MAX

PAID = Lot("paid", "ada", Source.PAID, 100, 30, START)
PROMO = Lot("promo", "ada", Source.PROMOTIONAL, 50, 0, START)
FULL = Account("ada", "credits", "USD", balance=150, version=2, lots=(PAID, PROMO))


def change(outcome: Change | Refused) -> Change:
    """Return what a command did; it must not have been refused."""
    assert isinstance(outcome, Change), outcome
    return outcome


def hold(account: Account, amount: int, number: int = 1) -> tuple[Account, HoldRow]:
    """Place a hold and return the account and the hold."""
    made = change(machine.place(Hold(draft(number), amount, START + 60), account, None, None))
    assert made.account is not None
    assert made.hold is not None
    return made.account, made.hold


def wallet_of(outcome: Change) -> tuple[int, int, int, int]:
    """Return balance, held, debt and what is available."""
    assert outcome.account is not None
    account = outcome.account
    return account.balance, account.held, account.debt, account.available


def lines(outcome: Change) -> list[str]:
    """Return postings as `unit debit > credit amount (lot)`."""
    return [f"{p.unit} {p.debit} > {p.credit} {p.amount}" + (f" ({p.lot})" if p.lot else "") for p in outcome.postings]


@pytest.mark.parametrize(
    ("held", "charge", "wallet", "postings", "revenue"),
    [
        # less than the hold: the rest is free again
        (80, 60, (90, 0, 0, 90), ["credits wallet:ada > used 60 (paid)", "USD deferred > revenue 18 (paid)"], 18),
        # exactly the hold, over two lots: promotional credits earn nothing
        (
            120,
            120,
            (30, 0, 0, 30),
            ["credits wallet:ada > used 100 (paid)", "USD deferred > revenue 30 (paid)", "credits wallet:ada > used 20 (promo)"],
            30,
        ),
        # more than the hold, covered by free credits
        (
            10,
            25,
            (125, 0, 0, 125),
            [
                "credits wallet:ada > used 10 (paid)",
                "USD deferred > revenue 3 (paid)",
                "credits wallet:ada > used 15 (paid)",
                "USD deferred > revenue 5 (paid)",  # 7.5 of 25 is due, 8 half-even, less the 3 before
            ],
            8,
        ),
        # more than everything: an explicit debt
        (
            150,
            170,
            (0, 0, 20, -20),
            [
                "credits wallet:ada > used 100 (paid)",
                "USD deferred > revenue 30 (paid)",
                "credits wallet:ada > used 50 (promo)",
                "credits debt:ada > used 20",
            ],
            30,
        ),
        (80, 0, (150, 0, 0, 150), [], 0),
        (0, 0, (150, 0, 0, 150), [], 0),
    ],
)
def test_settle(held: int, charge: int, wallet: tuple[int, int, int, int], postings: list[str], revenue: int) -> None:
    account, row = hold(FULL, held)
    assert account.available == 150 - held
    out = change(machine.settle(settled(draft(1), charge), account, row, None))
    assert wallet_of(out) == wallet
    assert lines(out) == postings
    assert out.event is not None
    assert out.event.revenue == revenue
    assert out.hold is not None
    assert out.hold.state is HoldState.SETTLED


def test_a_hold_binds_lots_in_order_of_burn_down() -> None:
    account, row = hold(FULL, 120)
    assert row.bound == (("paid", 100), ("promo", 20))
    _, second = hold(account, 30, 2)
    assert second.bound == (("promo", 30),)


def test_credits_bound_by_another_hold_are_not_taken() -> None:
    account, first = hold(FULL, 20)
    account, _ = hold(account, 130, 2)
    out = change(machine.settle(settled(draft(1), 25), account, first, None))
    # 20 of its own; the other 5 are all held, so they are debt, although the balance is 130
    assert wallet_of(out) == (130, 130, 5, -5)
    assert lines(out)[-1] == "credits debt:ada > used 5"


def test_what_becomes_free_repays_debt_first() -> None:
    account, first = hold(FULL, 20)
    account, second = hold(account, 130, 2)
    indebted = change(machine.settle(settled(draft(1), 25), account, first, None)).account
    out = change(machine.release(failed(draft(2)), indebted, second, None))
    assert wallet_of(out) == (125, 0, 0, 125)
    assert lines(out) == ["credits wallet:ada > debt:ada 5 (paid)", "USD deferred > revenue 2 (paid)"]  # 7.5 - 6, half-even


def test_a_grant_repays_debt_first() -> None:
    account = Account("ada", "credits", "USD", debt=40, version=9)
    out = change(machine.grant(Grant("g", "ada", 100, Source.PAID, 10, START), account, None))
    assert wallet_of(out) == (60, 0, 0, 60)
    assert lines(out) == [
        "credits issued:paid > wallet:ada 100 (g)",
        "USD payments > deferred 10 (g)",
        "credits wallet:ada > debt:ada 40 (g)",
        "USD deferred > revenue 4 (g)",
    ]


def test_revenue_of_a_lot_telescopes_to_what_was_paid() -> None:
    """In steps of one credit, a lot of 3 for 10 recognises 3, 4, 3: the rounded total so far, less the one before."""
    account: Account | None = Account("ada", "credits", "USD", 3, lots=(Lot("g", "ada", Source.PAID, 3, 10, START),))
    seen = []
    for number in range(3):
        assert account is not None
        account, row = hold(account, 1, number)
        out = change(machine.settle(settled(draft(number), 1), account, row, None))
        assert out.event is not None
        seen.append(out.event.revenue)
        account = out.account
    assert seen == [3, 4, 3]
    assert account is not None
    assert account.lots == ()


@pytest.mark.parametrize(("amount", "available"), [(151, 150), (-1, 150)])
def test_what_is_not_there_cannot_be_held(amount: int, available: int) -> None:
    out = machine.place(Hold(draft(1), amount, 0), FULL, None, None)
    assert isinstance(out, Refused)
    assert (out.reason, out.available, out.needed) == (Reason.INSUFFICIENT_CREDITS, available, amount)


def test_nothing_can_be_held_in_debt() -> None:
    account = Account("ada", "credits", "USD", debt=1)
    assert isinstance(machine.place(Hold(draft(1), 1, 0), account, None, None), Refused)
    assert isinstance(machine.place(Hold(draft(1), 0, 0), account, None, None), Change)


@pytest.mark.parametrize(
    ("body", "state", "reason"),
    [
        ("b", HoldState.OPEN, Reason.IN_PROGRESS),
        ("b", HoldState.SETTLED, Reason.DUPLICATE),
        ("other", HoldState.SETTLED, Reason.KEY_REUSED),
    ],
)
def test_an_idempotency_key_serves_once(body: str, state: HoldState, reason: Reason) -> None:
    first = HoldRow("first", "ada", 5, (), 0, "k", "b", None, state)
    out = machine.place(Hold(draft(2), 5, 0, "k", body), FULL, None, first)
    assert isinstance(out, Refused)
    assert (out.reason, out.event) == (reason, "first")


def test_commands_twice_are_once() -> None:
    opened = change(machine.open_account(OpenAccount("ada", "credits", "USD", START), None)).account
    assert change(machine.open_account(OpenAccount("ada", "credits", "USD", START), opened)).done.repeated
    given = Grant("paid", "ada", 100, Source.PAID, 30, START)
    used = replace(PAID, used=7, held=3)
    assert change(machine.grant(given, FULL, used)).done.repeated
    account, row = hold(FULL, 50)
    assert change(machine.place(Hold(draft(1), 50, START + 60), account, row, None)).done.repeated
    event = settled(draft(1), 40)
    closed = replace(row, state=HoldState.SETTLED)
    again = change(machine.settle(event, account, closed, event))
    assert (again.done.repeated, again.done.event, again.postings) == (True, event, ())
    gone = replace(row, state=HoldState.RELEASED)
    assert change(machine.release(failed(draft(1)), account, gone, failed(draft(1)))).done.repeated


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (machine.open_account(OpenAccount("ada", "USD", "USD", START), FULL), Reason.CONFLICT),
        (machine.grant(Grant("paid", "ada", 101, Source.PAID, 30, START), FULL, PAID), Reason.CONFLICT),
        (machine.grant(Grant("g", "bob", 1, Source.PAID, 0, START), None, None), Reason.UNKNOWN_CUSTOMER),
        (machine.grant(Grant("g", "ada", 0, Source.PAID, 0, START), FULL, None), Reason.BAD_AMOUNT),
        (machine.grant(Grant("g", "ada", 1, Source.PAID, -1, START), FULL, None), Reason.BAD_AMOUNT),
        (machine.grant(Grant("g", "ada", INT64_MAX - 149, Source.PAID, 0, START), FULL, None), Reason.BAD_AMOUNT),
        (machine.place(Hold(draft(1), 1, 0), None, None, None), Reason.UNKNOWN_CUSTOMER),
        (machine.place(Hold(draft(1), 1, 0), FULL, HoldRow("x", "ada", 2, (), 0, "", "", None), None), Reason.CONFLICT),
        (machine.place(Hold(replace(draft(1), unit="USD"), 1, 0), FULL, None, None), Reason.CONFLICT),
        (machine.place(Hold(replace(draft(1), currency="EUR"), 1, 0), FULL, None, None), Reason.CONFLICT),
        (machine.settle(settled(draft(1), 1, unit="USD"), *hold(FULL, 5), None), Reason.CONFLICT),
        (machine.settle(settled(draft(1), 1, currency="EUR"), *hold(FULL, 5), None), Reason.CONFLICT),
        (machine.settle(settled(draft(1), 1), FULL, None, None), Reason.UNKNOWN_HOLD),
        (machine.settle(settled(draft(1), -1), *hold(FULL, 5), None), Reason.BAD_AMOUNT),
        (machine.settle(settled(draft(1), 1), FULL, replace(hold(FULL, 5)[1], state=HoldState.RELEASED), None), Reason.HOLD_CLOSED),
        (machine.release(failed(draft(1)), FULL, replace(hold(FULL, 5)[1], state=HoldState.SETTLED), None), Reason.HOLD_CLOSED),
    ],
)
def test_refusals(outcome: Change | Refused, reason: Reason) -> None:
    assert isinstance(outcome, Refused)
    assert outcome.reason is reason


def test_an_expired_hold_is_a_lost_event_that_charges_nothing() -> None:
    account, row = hold(FULL, 70)
    out = change(machine.expire(account, row, START + 61))
    assert wallet_of(out) == (150, 0, 0, 150)
    assert out.event is not None
    assert (out.event.status, out.event.charge, out.event.ended) == (Status.LOST, 0, START + 61)
    assert out.event.alarm


def test_a_deadline_never_moves_back() -> None:
    _, row = hold(FULL, 1)
    assert machine.extend(row, START).deadline == START + 60
    assert machine.extend(row, START + 99).deadline == START + 99


def test_an_expired_hold_keeps_the_counts_and_the_cost_that_its_draft_came_to() -> None:
    account, row = hold(FULL, 70)
    so_far = replace(draft(1), counts={"input": 5, "output": 9}, cost=12, cost_card="list")
    row = machine.extend(row, START + 99, so_far)
    out = change(machine.expire(account, row, START + 100))
    assert out.event is not None
    assert (out.event.status, out.event.charge, out.event.counts, out.event.cost) == (Status.LOST, 0, {"input": 5, "output": 9}, 12)
    assert wallet_of(out) == (150, 0, 0, 150)


@pytest.mark.parametrize("other", [replace(draft(2), cost=12), replace(draft(1), customer="bob", cost=12), None])
def test_another_draft_changes_nothing_but_the_deadline(other: UsageEvent | None) -> None:
    _, row = hold(FULL, 1)
    assert machine.extend(row, START + 99, other) == replace(row, deadline=START + 99)
