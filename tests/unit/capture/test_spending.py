"""Hold, settle, release, expiry of holds: state before, command, state and postings after."""

import pytest

from tests.support.events import START
from tests.support.machine import Bench, given, lines, paid, refused
from tokenworth.capture import spending
from tokenworth.capture.commands import Reason
from tokenworth.capture.events import Status
from tokenworth.capture.policy import Beyond, Policy
from tokenworth.capture.state import HoldState

PAID = paid("paid", 100, 30, priority=-1)
PROMO = given("promo", 50)


@pytest.mark.parametrize(
    ("held", "charge", "wallet", "postings", "revenue"),
    [
        # less than the hold: the rest is free again
        (80, 60, (90, 0, 0), ["credits wallet:ada > used 60 (paid)", "USD deferred > revenue 18 (paid)"], 18),
        # exactly the hold, over two lots: promotional credits earn nothing
        (
            120,
            120,
            (30, 0, 0),
            ["credits wallet:ada > used 100 (paid)", "USD deferred > revenue 30 (paid)", "credits wallet:ada > used 20 (promo)"],
            30,
        ),
        # less than the hold, over two lots: the tail is freed
        (120, 99, (51, 0, 0), ["credits wallet:ada > used 99 (paid)", "USD deferred > revenue 30 (paid)"], 30),
        # more than the hold, covered by free credits
        (
            10,
            25,
            (125, 0, 0),
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
            (0, 0, 20),
            [
                "credits wallet:ada > used 100 (paid)",
                "USD deferred > revenue 30 (paid)",
                "credits wallet:ada > used 50 (promo)",
                "credits debt:ada > used 20",
            ],
            30,
        ),
        (80, 0, (150, 0, 0), [], 0),
        (0, 0, (150, 0, 0), [], 0),
        (0, 1, (149, 0, 0), ["credits wallet:ada > used 1 (paid)"], 0),  # 0.3 rounds to nothing yet
    ],
)
def test_settle(held: int, charge: int, wallet: tuple[int, int, int], postings: list[str], revenue: int) -> None:
    bench = Bench(PAID, PROMO)
    bench.hold(1, held)
    assert bench.free() == 150 - held
    out = bench.settle(1, charge)
    assert bench.wallet == wallet
    assert bench.free() == wallet[0] - wallet[2]
    assert lines(out) == postings
    assert out.event is not None
    assert (out.event.charge, out.event.revenue, out.event.waived) == (charge, revenue, 0)
    assert bench.holds[1].state is HoldState.SETTLED


@pytest.mark.parametrize(
    ("policy", "charge", "waived", "debt", "last"),
    [
        # 10 are held, 5 more are free
        (Policy(beyond=Beyond.CAPPED), 10, 0, 0, "credits wallet:ada > used 10 (l)"),
        (Policy(beyond=Beyond.CAPPED), 12, 2, 0, "credits waived > used 2"),
        (Policy(beyond=Beyond.CAPPED), 40, 30, 0, "credits waived > used 30"),
        (Policy(overdraft=0), 15, 0, 0, "credits wallet:ada > used 5 (l)"),
        (Policy(overdraft=0), 18, 3, 0, "credits waived > used 3"),
        (Policy(overdraft=2), 18, 1, 2, "credits waived > used 1"),
        (Policy(overdraft=3), 18, 0, 3, "credits debt:ada > used 3"),
        (Policy(overdraft=1, credit_line=1), 18, 1, 2, "credits waived > used 1"),
        (Policy(credit_line=1), 18, 0, 3, "credits debt:ada > used 3"),
    ],
)
def test_beyond_the_hold(policy: Policy, charge: int, waived: int, debt: int, last: str) -> None:
    bench = Bench(paid("l", 15), policy=policy)
    bench.hold(1, 10)
    out = bench.settle(1, charge)
    assert lines(out)[-1] == last
    assert out.event is not None
    assert (out.event.charge, out.event.waived) == (charge - waived, waived)
    assert bench.account.debt == debt
    assert bench.account.balance == 15 - (charge - waived - debt)


def test_the_room_for_overdraft_is_one_for_all() -> None:
    bench = Bench(paid("l", 20), policy=Policy(overdraft=5))
    bench.hold(1, 10)
    bench.hold(2, 10)
    bench.settle(1, 14)
    out = bench.settle(2, 14)
    assert out.event is not None
    assert (bench.account.debt, out.event.charge, out.event.waived) == (5, 11, 3)


def test_holds_take_the_credit_line_after_all_credits() -> None:
    bench = Bench(paid("l", 10), policy=Policy(credit_line=20, overdraft=0))
    assert bench.free() == 30
    assert bench.hold(1, 15).bound == (("l", 10), ("", 5))
    assert (bench.wallet, bench.account.lent, bench.free()) == ((10, 10, 0), 5, 15)
    assert refused(bench.try_hold(2, 16)).available == 15
    assert bench.hold(2, 15).bound == (("", 15),)
    out = bench.settle(1, 12)
    assert lines(out) == ["credits wallet:ada > used 10 (l)", "credits debt:ada > used 2"]
    assert (bench.wallet, bench.account.lent, bench.free()) == ((0, 0, 2), 15, 3)
    # what another hold took of the line is not there for an overdraft
    bench.hold(3, 3)
    out = bench.settle(3, 9)
    assert lines(out) == ["credits debt:ada > used 3", "credits waived > used 6"]
    bench.release(2)
    assert (bench.wallet, bench.account.lent, bench.free()) == ((0, 0, 5), 0, 15)


def test_a_hold_on_the_line_stays_there_when_credits_come() -> None:
    bench = Bench(policy=Policy(credit_line=20))
    bench.hold(1, 8)
    bench.grant(paid("l", 5))
    assert (bench.wallet, bench.account.lent, bench.free()) == ((5, 0, 0), 8, 17)
    out = bench.settle(1, 8)
    assert lines(out) == ["credits debt:ada > used 8", "credits wallet:ada > debt:ada 5 (l)"]
    assert bench.wallet == (0, 0, 3)


def test_credits_bound_by_another_hold_are_not_taken() -> None:
    bench = Bench(PAID, PROMO)
    bench.hold(1, 20)
    bench.hold(2, 130)
    out = bench.settle(1, 25)
    # 20 of its own; the other 5 are all held, so they are debt, although the balance is 130
    assert (bench.wallet, bench.free()) == ((130, 130, 5), -5)
    assert lines(out)[-1] == "credits debt:ada > used 5"
    # what becomes free repays it first
    out = bench.release(2)
    assert (bench.wallet, bench.free()) == ((125, 0, 0), 125)
    assert lines(out) == ["credits wallet:ada > debt:ada 5 (paid)", "USD deferred > revenue 2 (paid)"]  # 7.5 - 6, half-even


def test_beyond_the_hold_only_what_buys_it_is_taken() -> None:
    bench = Bench(paid("chat", 5, products=("chat",)), paid("code", 50, products=("code",)))
    bench.hold(1, 3)
    bench.settle(1, 9)
    assert (bench.parts("chat"), bench.parts("code"), bench.wallet) == ((5, 0, 0), (0, 0, 0), (50, 0, 4))


def test_what_given_credits_paid_for_costs_promotion() -> None:
    bench = Bench(paid("paid", 6, 6, priority=-1), given("promo", 10))
    out = bench.serve(1, 9, cost=100)
    assert lines(out)[-1] == "USD promotional > cost 33"  # three ninths of 100
    assert "USD deferred > revenue 6 (paid)" in lines(out)
    assert lines(Bench(paid("p", 9)).serve(1, 9, cost=100)) == ["credits wallet:ada > used 9 (p)"]


def test_revenue_of_a_lot_telescopes_to_what_was_paid() -> None:
    """In steps of one credit, a lot of 3 for 10 recognises 3, 4, 3: the rounded total so far, less the one before."""
    bench = Bench(paid("l", 3, 10))
    events = [bench.serve(number, 1).event for number in range(3)]
    assert [event.revenue for event in events if event] == [3, 4, 3]
    assert bench.account.lots == ()


@pytest.mark.parametrize("amount", [151, -1, 10**30])
def test_what_is_not_there_cannot_be_held(amount: int) -> None:
    out = refused(Bench(PAID, PROMO).try_hold(1, amount))
    assert (out.reason, out.available, out.needed) == (Reason.INSUFFICIENT_CREDITS, 150, amount)


def test_nothing_can_be_held_in_debt() -> None:
    bench = Bench()
    bench.hold(1, 0)
    bench.settle(1, 1)
    assert bench.wallet == (0, 0, 1)
    assert refused(bench.try_hold(2, 1)).available == -1
    bench.hold(2, 0)


def test_an_expired_hold_is_a_lost_event_that_charges_nothing() -> None:
    bench = Bench(PAID, PROMO)
    bench.hold(1, 70)
    out = bench.expire(1, 61)
    assert (bench.wallet, lines(out)) == ((150, 0, 0), [])
    assert out.event is not None
    assert (out.event.status, out.event.charge, out.event.ended) == (Status.LOST, 0, START + 61)
    assert out.event.alarm


def test_a_deadline_never_moves_back() -> None:
    row = Bench(PAID).hold(1, 1)
    assert spending.extend(row, START).deadline == START + 60
    assert spending.extend(row, START + 99).deadline == START + 99
