"""Grants, pending ones, voids and the expiry of lots: expected postings by hand."""

from collections.abc import Callable

import pytest

from tests.support.events import START
from tests.support.machine import DAY, HOUR, Bench, given, lines, paid, refused
from tokenworth.capture import granting
from tokenworth.capture.change import Change
from tokenworth.capture.commands import Cancel, Confirm, Grant, OpenAccount, Reason, Void
from tokenworth.capture.lots import LotState
from tokenworth.capture.policy import Policy
from tokenworth.capture.postings import Kind
from tokenworth.core.exact import INT64_MAX

LOT = paid("l", 100, 30, expiry=START + DAY)


def in_debt(amount: int) -> Bench:
    bench = Bench()
    bench.hold(1, 0)
    bench.settle(1, amount)
    assert bench.wallet == (0, 0, amount)
    return bench


@pytest.mark.parametrize(
    ("grant", "wallet", "postings"),
    [
        (
            paid("g", 100, 10),
            (60, 0, 0),
            [
                "credits issued:paid > wallet:ada 100 (g)",
                "USD payments > deferred 10 (g)",
                "credits wallet:ada > debt:ada 40 (g)",
                "USD deferred > revenue 4 (g)",
            ],
        ),
        (given("g", 30), (0, 0, 10), ["credits issued:promotional > wallet:ada 30 (g)", "credits wallet:ada > debt:ada 30 (g)"]),
        # what buys only some things, or nothing yet, repays nothing
        (paid("g", 100, products=("chat",)), (100, 0, 40), ["credits issued:paid > wallet:ada 100 (g)"]),
        (paid("g", 100, tiers=("flex",)), (100, 0, 40), ["credits issued:paid > wallet:ada 100 (g)"]),
        (paid("g", 100, effective=START + DAY), (100, 0, 40), ["credits issued:paid > wallet:ada 100 (g)"]),
    ],
)
def test_a_grant_repays_debt_first(grant: Grant, wallet: tuple[int, int, int], postings: list[str]) -> None:
    bench = in_debt(40)
    out = bench.grant(grant)
    assert (bench.wallet, lines(out)) == (wallet, postings)


def test_debt_is_repaid_from_several_lots_in_order() -> None:
    bench = in_debt(40)
    bench.grant(paid("a", 25, effective=START + 5))
    bench.grant(paid("b", 25, effective=START + 5, priority=-1))
    out = bench.grant(given("c", 1, at=START + 5))
    assert lines(out)[1:] == ["credits wallet:ada > debt:ada 25 (b)", "credits wallet:ada > debt:ada 1 (c)", "credits wallet:ada > debt:ada 14 (a)"]
    assert bench.wallet == (11, 0, 0)


def test_a_pending_grant_is_no_money_until_it_is_confirmed_once() -> None:
    bench = in_debt(40)
    assert lines(bench.grant(paid("g", 100, 10, pending=True))) == []
    assert (bench.wallet, bench.free()) == ((0, 0, 40), -40)
    assert refused(bench.try_hold(2, 1)).reason is Reason.INSUFFICIENT_CREDITS
    assert lines(bench.confirm("g")) == [
        "credits issued:paid > wallet:ada 100 (g)",
        "USD payments > deferred 10 (g)",
        "credits wallet:ada > debt:ada 40 (g)",
        "USD deferred > revenue 4 (g)",
    ]
    again = bench.confirm("g")
    assert (again.done.repeated, again.postings, bench.wallet) == (True, (), (60, 0, 0))
    assert refused(granting.cancel(Cancel("g", START), bench.account, bench.lots["g"])).reason is Reason.GRANT_CLOSED


def test_a_cancelled_grant_stays_cancelled() -> None:
    bench = Bench(paid("g", 100, pending=True))
    assert lines(bench.cancel("g")) == []
    assert bench.cancel("g").done.repeated
    for outcome in (
        granting.confirm(Confirm("g", START), bench.account, bench.lots["g"]),
        granting.void(Void("g", START, "", ""), bench.account, bench.lots["g"]),
    ):
        assert refused(outcome).reason is Reason.GRANT_CLOSED
    assert bench.wallet == (0, 0, 0)


def test_a_grant_confirmed_after_its_expiry_expires_at_once() -> None:
    bench = Bench(paid("g", 100, 10, expiry=START + DAY, pending=True))
    out = bench.confirm("g", DAY)
    assert lines(out)[2:] == ["credits wallet:ada > expired 100 (g)", "USD deferred > breakage 10 (g)"]


def test_a_void_takes_back_what_is_free_now_and_what_is_held_when_the_hold_ends() -> None:
    bench = Bench(LOT)
    bench.serve(1, 10)
    bench.hold(2, 30)
    out = bench.void("l")
    assert lines(out) == ["credits wallet:ada > issued:paid 60 (l)", "USD deferred > payments 18 (l)"]
    assert (bench.wallet, bench.parts("l"), bench.free()) == ((30, 30, 0), (10, 30, 60), 0)
    assert out.correction is not None
    assert (out.correction.amount, out.correction.who, out.correction.why) == (90, "eve", "charged back")
    assert refused(bench.try_hold(3, 1)).reason is Reason.INSUFFICIENT_CREDITS
    # the hold was granted: it may be used, and the rest goes back where it came from
    out = bench.settle(2, 12)
    assert lines(out) == [
        "credits wallet:ada > used 12 (l)",
        "USD deferred > revenue 4 (l)",  # 24.6 of 82 is due, less 18 + 3
        "credits wallet:ada > issued:paid 18 (l)",
        "USD deferred > payments 5 (l)",
    ]
    assert (bench.wallet, bench.account.lots, bench.void("l").done.repeated) == ((0, 0, 0), (), True)


def test_a_void_of_held_credits_that_are_released() -> None:
    bench = Bench(LOT, paid("other", 5))
    bench.hold(1, 100)
    assert lines(bench.void("l")) == []
    assert (bench.wallet, bench.free()) == ((105, 100, 0), 5)
    assert lines(bench.release(1)) == ["credits wallet:ada > issued:paid 100 (l)", "USD deferred > payments 30 (l)"]
    assert bench.wallet == (5, 0, 0)


def test_a_void_of_what_has_expired_takes_nothing_back() -> None:
    """Whether or not somebody swept before."""
    swept, bench = Bench(LOT), Bench(LOT)
    swept.sweep(DAY)
    for each in (swept, bench):
        out = each.void("l", DAY)
        assert out.correction is not None
        assert (out.correction.amount, each.parts("l"), each.lots["l"].state) == (0, (0, 0, 100), LotState.VOID)
    assert lines(out) == ["credits wallet:ada > expired 100 (l)", "USD deferred > breakage 30 (l)"]


def test_expiry_never_takes_what_is_held() -> None:
    bench = Bench(LOT)
    bench.serve(1, 10)
    bench.hold(2, 40)
    bench.hold(3, 20)
    assert granting.sweep(bench.account, START + DAY - 1) is None
    out = bench.sweep(DAY + HOUR)
    assert lines(out) == ["credits wallet:ada > expired 30 (l)", "USD deferred > breakage 9 (l)"]
    assert {posting.at for posting in out.postings} == {START + DAY}  # when it was due, not when somebody came by
    assert (bench.wallet, bench.parts("l")) == ((60, 60, 0), (10, 60, 30))
    assert granting.sweep(bench.account, START + 2 * DAY) is None
    # held credits can be used; what of them is not, expires when its hold ends
    assert lines(bench.settle(2, 25, at=DAY + HOUR)) == [
        "credits wallet:ada > used 25 (l)",
        "USD deferred > revenue 8 (l)",  # of 65, 19.5 are due, 20 half-even, less 3 + 9
        "credits wallet:ada > expired 15 (l)",
        "USD deferred > breakage 4 (l)",
    ]
    assert lines(bench.release(3, at=DAY + HOUR)) == ["credits wallet:ada > expired 20 (l)", "USD deferred > breakage 6 (l)"]
    assert (bench.wallet, bench.parts("l")) == ((0, 0, 0), (35, 0, 65))


def test_an_expired_lot_goes_with_the_next_entry_too() -> None:
    bench = Bench(LOT, paid("other", 5))
    out = bench.grant(paid("g", 1, at=START + DAY))
    assert lines(out) == [
        "credits issued:paid > wallet:ada 1 (g)",
        "credits wallet:ada > expired 100 (l)",
        "USD deferred > breakage 30 (l)",
    ]
    assert bench.wallet == (6, 0, 0)


def dates(out: Change) -> list[tuple[str, int, int]]:
    """Return what of which lot expired, and when, in days from START; 0 is with the entry."""
    expired = [p for p in out.postings if p.kind is Kind.EXPIRE and p.before is not None]
    return [(p.lot, p.amount, (p.at - START) // DAY if p.at else 0) for p in expired]


@pytest.mark.parametrize(
    "notice",
    [
        lambda bench: bench.grant(paid("g", 1, at=START + 40 * DAY)),
        lambda bench: bench.confirm("later", 40 * DAY),
        lambda bench: bench.adjust(1, at=40 * DAY),
        lambda bench: bench.adjust(-1, at=40 * DAY),
        lambda bench: bench.void("other", 40 * DAY),
        lambda bench: bench.void("l", 40 * DAY),
        lambda bench: bench.settle(2, 7, at=40 * DAY),
        lambda bench: bench.release(2, at=40 * DAY),
        lambda bench: bench.sweep(40 * DAY),
    ],
)
def test_who_notices_an_expiry_late_books_it_when_it_was_due(notice: Callable[[Bench], Change]) -> None:
    bench = Bench(LOT, paid("other", 50), paid("later", 5, pending=True))
    bench.hold(1, 100)
    bench.hold(2, 8)
    bench.release(1)
    assert dates(notice(bench)) == [("l", 100, 1)]


def test_what_a_command_frees_expires_with_it() -> None:
    bench = Bench(LOT)
    bench.hold(1, 40)
    out = bench.settle(1, 25, at=40 * DAY)
    assert dates(out) == [("l", 60, 1), ("l", 15, 0)]
    assert lines(out)[2:] == [
        "credits wallet:ada > expired 60 (l)",
        "USD deferred > breakage 18 (l)",  # of 85, 25.5 are due, 26 half-even, less 8
        "credits wallet:ada > expired 15 (l)",
        "USD deferred > breakage 4 (l)",
    ]
    assert bench.wallet == (0, 0, 0)


@pytest.mark.parametrize(
    "grant",
    [
        paid("g", 0),
        paid("g", -1),
        paid("g", 1, -1),
        paid("g", INT64_MAX - 99),
        paid("g", 1, INT64_MAX + 1),
        paid("g", 1, expiry=START),  # never usable
        paid("g", 1, expiry=START + 5, effective=START + 5),
        paid("g", 1, expiry=-1),
        paid("g", 1, INT64_MAX - 29),  # with the 30 of the lot, one charge could earn more than a row holds
        paid("g", 1, priority=INT64_MAX + 1),
        paid("g", 1, priority=-INT64_MAX - 1),
        paid("g", 1, effective=INT64_MAX + 1),
        paid("g", 1, expiry=INT64_MAX + 1),
        paid("g", -1, pending=True),
        paid("top-up-ada-1", 1),  # such ids are the ledger's own
    ],
)
def test_a_grant_that_cannot_be_booked(grant: Grant) -> None:
    bench = Bench(LOT)
    assert refused(granting.grant(grant, bench.account, None)).reason is Reason.BAD_AMOUNT


BAD_IDS = ["", " ", "a b", "a/b", "a\n", "\u00e9"]


@pytest.mark.parametrize("id_", BAD_IDS)
def test_what_cannot_be_an_id(id_: str) -> None:
    """A lot without a name would be taken for the credit line, and no hold of it could end."""
    bench = Bench(LOT)
    assert refused(granting.grant(paid(id_, 1), bench.account, None)).reason is Reason.BAD_ID
    assert refused(granting.open_account(OpenAccount(id_, "credits", "USD", START), None)).reason is Reason.BAD_ID


@pytest.mark.parametrize("grant", [paid("big", INT64_MAX - 10, pending=True), paid("big", 1, INT64_MAX - 10, pending=True)])
def test_a_confirmation_past_what_an_account_holds(grant: Grant) -> None:
    bench = Bench(grant, LOT)
    assert refused(granting.confirm(Confirm("big", START), bench.account, bench.lots["big"])).reason is Reason.BAD_AMOUNT


def test_a_new_policy_keeps_the_money() -> None:
    bench = Bench(LOT)
    assert bench.agree(Policy(credit_line=7)).postings == ()
    assert (bench.wallet, bench.free()) == ((100, 0, 0), 107)
    assert bench.agree(Policy(credit_line=7)).done.repeated
