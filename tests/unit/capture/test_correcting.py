"""Refunds and adjustments: new entries, the last part taken is the first given back, revenue is unwound."""

from typing import Any

import pytest

from tests.support.events import START
from tests.support.machine import DAY, Bench, given, lines, paid, refused
from tokenworth.capture import correcting
from tokenworth.capture.commands import Adjust, Reason, Refund
from tokenworth.capture.correcting import Payment
from tokenworth.capture.policy import Policy
from tokenworth.core.exact import INT64_MAX

A = paid("a", 10, 5, priority=-1)
B = paid("b", 20, 40)
PARTS = (("a", 10), ("b", 6))


def served() -> Bench:
    """Sixteen used, of two lots."""
    bench = Bench(A, B)
    bench.serve(1, 16)
    assert (bench.wallet, bench.parts("a"), bench.parts("b")) == ((14, 0, 0), (10, 0, 0), (6, 0, 0))
    return bench


BACK_B = ["credits used > wallet:ada 6 (b)", "USD revenue > deferred 12 (b)"]


@pytest.mark.parametrize(
    ("amount", "postings", "balance"),
    [
        (None, [*BACK_B, "credits used > wallet:ada 10 (a)", "USD revenue > deferred 5 (a)"], 30),
        (16, [*BACK_B, "credits used > wallet:ada 10 (a)", "USD revenue > deferred 5 (a)"], 30),
        (6, BACK_B, 20),
        (7, [*BACK_B, "credits used > wallet:ada 1 (a)", "USD revenue > deferred 1 (a)"], 21),  # 4.5 of 9 stay, 4 half-even
        (1, ["credits used > wallet:ada 1 (b)", "USD revenue > deferred 2 (b)"], 15),
    ],
)
def test_refund(amount: int | None, postings: list[str], balance: int) -> None:
    bench = served()
    out = bench.refund(amount, *PARTS)
    assert (lines(out), bench.wallet) == (postings, (balance, 0, 0))
    assert out.correction is not None
    note = out.correction
    assert (note.kind, note.corrects, note.amount, note.who, note.why) == ("refund", "e1", balance - 14, "eve", "bad answer")


def test_twice_the_same_refund_is_once_and_the_next_takes_what_is_left() -> None:
    bench = served()
    bench.refund(7, *PARTS)
    again = bench.refund(7, ("a", 9))
    assert (again.done.repeated, again.postings, bench.wallet) == (True, (), (21, 0, 0))
    bench.refund(None, ("a", 9), id_="r2")
    assert (bench.wallet, bench.parts("a"), bench.parts("b")) == ((30, 0, 0), (0, 0, 0), (0, 0, 0))


@pytest.mark.parametrize("amount", [17, 0, -1])
def test_more_than_was_charged_is_not_refunded(amount: int) -> None:
    bench = served()
    out = correcting.refund(Refund("r", "e1", amount, START, "", ""), bench.account, Payment("ada", PARTS, (), bench.lots), None)
    assert refused(out).reason is Reason.BAD_AMOUNT


def test_debt_not_yet_repaid_is_forgiven() -> None:
    bench = Bench(A)
    bench.hold(1, 10)
    bench.settle(1, 14)
    out = bench.refund(None, ("a", 10), ("", 4))
    assert lines(out) == ["credits used > debt:ada 4", "credits used > wallet:ada 10 (a)", "USD revenue > deferred 5 (a)"]
    assert bench.wallet == (10, 0, 0)


def test_debt_repaid_since_goes_back_to_what_repaid_it() -> None:
    bench = Bench(A)
    bench.hold(1, 10)
    bench.settle(1, 14)
    bench.grant(given("g", 3))
    bench.grant(paid("b", 20, 40))
    assert (bench.wallet, bench.parts("g"), bench.parts("b")) == ((19, 0, 0), (3, 0, 0), (1, 0, 0))
    out = bench.refund(3, ("a", 10), ("", 4), repaid=(("g", 3), ("b", 1)))
    assert lines(out) == [
        "credits used > debt:ada 3",
        "credits debt:ada > wallet:ada 1 (b)",
        "USD revenue > deferred 2 (b)",
        "credits debt:ada > wallet:ada 2 (g)",
    ]
    assert (bench.wallet, bench.parts("g"), bench.parts("b")) == ((22, 0, 0), (1, 0, 0), (0, 0, 0))


def test_debt_of_a_hold_and_beyond_it_is_forgiven_at_once() -> None:
    bench = Bench(policy=Policy(credit_line=5))
    bench.hold(1, 5)
    assert lines(bench.settle(1, 8)) == ["credits debt:ada > used 5", "credits debt:ada > used 3"]
    bench.grant(paid("a", 5))
    bench.grant(paid("b", 3))
    assert (bench.wallet, bench.parts("a"), bench.parts("b")) == ((0, 0, 0), (5, 0, 0), (3, 0, 0))
    out = bench.refund(None, ("", 5), ("", 3), repaid=(("a", 5), ("b", 3)))
    assert lines(out) == ["credits used > debt:ada 8", "credits debt:ada > wallet:ada 3 (b)", "credits debt:ada > wallet:ada 5 (a)"]
    assert (bench.wallet, bench.parts("a"), bench.parts("b")) == ((8, 0, 0), (0, 0, 0), (0, 0, 0))


def test_debt_repaid_in_part() -> None:
    bench = Bench()
    bench.hold(1, 0)
    bench.settle(1, 9)
    bench.grant(paid("b", 4, 8))
    assert bench.wallet == (0, 0, 5)
    out = bench.refund(8, ("", 9), repaid=(("b", 4),))
    assert lines(out) == ["credits used > debt:ada 8", "credits debt:ada > wallet:ada 3 (b)", "USD revenue > deferred 6 (b)"]
    assert (bench.wallet, bench.parts("b")) == ((3, 0, 0), (1, 0, 0))


def test_a_refund_repays_other_debt_first() -> None:
    bench = Bench(A)
    bench.serve(1, 10)
    bench.hold(2, 0)
    bench.settle(2, 4)
    out = bench.refund(None, ("a", 10))
    assert lines(out)[2:] == ["credits wallet:ada > debt:ada 4 (a)", "USD deferred > revenue 2 (a)"]
    assert bench.wallet == (6, 0, 0)


def test_into_an_expired_lot_it_is_breakage() -> None:
    bench = Bench(paid("l", 10, 5, expiry=START + 2))
    bench.serve(1, 4)
    bench.sweep(2)
    assert bench.parts("l") == (4, 0, 6)
    out = bench.refund(3, ("l", 4))
    assert lines(out) == [
        "credits used > wallet:ada 3 (l)",
        "USD revenue > deferred 1 (l)",  # 5 were recognised, 3.5 of 7 are, 4 half-even
        "credits wallet:ada > expired 3 (l)",
        "USD deferred > breakage 1 (l)",
    ]
    assert (bench.wallet, bench.parts("l")) == ((0, 0, 0), (1, 0, 9))


def test_into_a_voided_lot_it_is_owed_back() -> None:
    bench = Bench(paid("l", 10, 20))
    bench.serve(1, 4)
    bench.void("l")
    out = bench.refund(None, ("l", 4))
    assert lines(out)[2:] == ["credits wallet:ada > issued:paid 4 (l)", "USD deferred > payments 8 (l)"]
    assert (bench.wallet, bench.parts("l")) == ((0, 0, 0), (0, 0, 10))


def test_a_spent_lot_lives_again_in_its_place() -> None:
    bench = Bench(A, B)
    bench.serve(1, 10)
    assert [lot.id for lot in bench.account.lots] == ["b"]
    bench.refund(2, ("a", 10))
    assert [lot.id for lot in bench.account.lots] == ["a", "b"]
    assert bench.hold(2, 3).bound == (("a", 2), ("b", 1))


def test_an_adjustment_gives_goodwill() -> None:
    bench = Bench(A)
    out = bench.adjust(7)
    assert lines(out) == ["credits issued:goodwill > wallet:ada 7 (a1)"]
    assert bench.wallet == (17, 0, 0)
    assert bench.adjust(7).done.repeated
    assert out.correction is not None
    assert (out.correction.corrects, out.correction.amount, out.correction.why) == ("e1", 7, "promised")


def test_an_adjustment_takes_free_credits_in_order() -> None:
    bench = Bench(A, B, paid("chat", 5, products=("chat",)), paid("dated", 5, effective=START + DAY))
    bench.hold(1, 4)
    out = bench.adjust(-8)
    assert lines(out) == [
        "credits wallet:ada > adjusted 6 (a)",
        "USD deferred > revenue 3 (a)",
        "credits wallet:ada > adjusted 2 (b)",
        "USD deferred > revenue 4 (b)",
    ]
    assert bench.wallet == (32, 4, 0)
    assert bench.adjust(-8).done.repeated


@pytest.mark.parametrize(
    ("id_", "amount", "reason"),
    [
        ("x", 0, Reason.BAD_AMOUNT),
        ("x", INT64_MAX - 9, Reason.BAD_AMOUNT),
        ("x", -11, Reason.INSUFFICIENT_CREDITS),
        ("a", 5, Reason.CONFLICT),  # a grant's name
        ("void:a", 5, Reason.CONFLICT),  # the ledger's own names
        ("top-up-ada-1", 5, Reason.CONFLICT),
        ("", 5, Reason.BAD_ID),
        ("", -5, Reason.BAD_ID),
        ("a b", 5, Reason.BAD_ID),
    ],
)
def test_adjustments_refused(id_: str, amount: int, reason: Reason) -> None:
    bench = Bench(A)
    assert refused(correcting.adjust(Adjust(id_, "ada", amount, START, "", ""), bench.account, None, bench.lots.get(id_))).reason is reason


@pytest.mark.parametrize("id_", ["", "a b"])
def test_a_refund_of_no_id(id_: str) -> None:
    bench = served()
    command = Refund(id_, "e1", 1, START, "", "")
    assert refused(correcting.refund(command, bench.account, Payment("ada", PARTS, (), bench.lots), None)).reason is Reason.BAD_ID


@pytest.mark.parametrize("field", ["customer", "corrects", "kind", "amount"])
def test_a_correction_of_other_contents_is_a_conflict(field: str) -> None:
    bench = Bench(A)
    bench.adjust(7)
    changed: dict[str, Any] = {field: 8 if field == "amount" else "other"}
    other = bench.corrections["a1"]._replace(**changed)
    command = Adjust("a1", "ada", 7, START, "eve", "promised", "e1")
    assert refused(correcting.adjust(command, bench.account, other, None)).reason is Reason.CONFLICT


def test_a_refund_past_what_an_account_holds() -> None:
    bench = served()
    bench.grant(paid("big", INT64_MAX - 14))
    command = Refund("r", "e1", None, START, "", "")
    assert refused(correcting.refund(command, bench.account, Payment("ada", PARTS, (), bench.lots), None)).reason is Reason.BAD_AMOUNT
