"""Which credits are used, and in what order: priority, expiry, source, age, scope, effective dates."""

from typing import Any

import pytest

from tests.support.events import START
from tests.support.machine import DAY, Bench, given, paid, refused
from tokenworth.capture.commands import Grant, Reason, Source
from tokenworth.capture.policy import Order, Policy

OLD = paid("old", 10, at=START - 9)
NEW = paid("new", 10, at=START - 1)
SOON = paid("soon", 10, expiry=START + DAY)
LATER = paid("later", 10, expiry=START + 2 * DAY)
FIRST = paid("first", 10, priority=-1)
LAST = paid("last", 10, priority=1, expiry=START + DAY)
PROMO = given("promo", 10)
GOODWILL = paid("goodwill", 10, source=Source.GOODWILL)
INCLUDED = paid("included", 10, source=Source.INCLUDED)


def burnt(bench: Bench, **fields: Any) -> list[str]:
    """Return the names of lots in the order in which a hold of everything takes them."""
    amount = sum(lot.free for lot in bench.account.lots if lot.open_at(START))
    return [name for name, _ in bench.hold(1, amount, **fields).bound]


@pytest.mark.parametrize(
    ("grants", "order"),
    [
        ([OLD, NEW], ["old", "new"]),
        ([NEW, OLD], ["old", "new"]),
        ([NEW, SOON], ["soon", "new"]),  # what never expires goes last
        ([LATER, SOON], ["soon", "later"]),
        ([SOON, FIRST], ["first", "soon"]),  # priority before expiry
        ([LAST, OLD], ["old", "last"]),
        ([INCLUDED, OLD, GOODWILL, PROMO], ["promo", "goodwill", "included", "old"]),  # source before age
        ([PROMO, LATER], ["later", "promo"]),  # expiry before source
        ([paid("b", 10), paid("a", 10)], ["a", "b"]),  # nothing tells them apart but the id
        # an effective date counts as the age
        ([paid("dated", 10, at=START - 20, effective=START - 5), OLD, NEW], ["old", "dated", "new"]),
    ],
)
def test_burn_down(grants: list[Grant], order: list[str]) -> None:
    assert burnt(Bench(*grants)) == order


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ((Order.OLDEST,), ["old", "new", "promo", "soon"]),
        ((Order.NEWEST,), ["promo", "soon", "new", "old"]),
        ((Order.PAID_FIRST, Order.OLDEST), ["old", "new", "soon", "promo"]),
        ((Order.SOURCE, Order.EXPIRY, Order.NEWEST), ["promo", "soon", "new", "old"]),
        ((Order.EXPIRY, Order.PAID_FIRST, Order.NEWEST), ["soon", "new", "old", "promo"]),
        ((), ["old", "new", "promo", "soon"]),
    ],
)
def test_a_policy_has_its_own_order(keys: tuple[Order, ...], order: list[str]) -> None:
    assert burnt(Bench(NEW, SOON, PROMO, OLD, policy=Policy(burn_down=keys))) == order


def test_a_new_order_holds_for_lots_that_are_there() -> None:
    bench = Bench(OLD, NEW)
    bench.hold(1, 3)
    bench.agree(Policy(burn_down=(Order.NEWEST,)))
    assert bench.hold(2, 12).bound == (("new", 10), ("old", 2))


CHAT = paid("chat", 10, products=("chat",), at=START - 3)
FLEX = paid("flex", 10, tiers=("flex", "batch"), at=START - 2)
BOTH = paid("both", 10, products=("chat", "code"), tiers=("flex",), at=START - 1)
ANY = paid("any", 10)


@pytest.mark.parametrize(
    ("product", "tier", "lots"),
    [
        ("chat", "default", ["chat", "any"]),
        ("chat", "flex", ["chat", "flex", "both", "any"]),
        ("code", "flex", ["flex", "both", "any"]),
        ("code", "batch", ["flex", "any"]),
        ("image", "default", ["any"]),
    ],
)
def test_scope(product: str, tier: str, lots: list[str]) -> None:
    bench = Bench(CHAT, FLEX, BOTH, ANY)
    assert bench.free() == 10  # what may be spent on anything
    row = bench.hold(1, 10 * len(lots), product=product, tier=tier)
    assert row.bound == tuple((name, 10) for name in lots)
    out = refused(bench.try_hold(2, 1, product=product, tier=tier))
    assert (out.reason, out.available, out.needed) == (Reason.INSUFFICIENT_CREDITS, 0, 1)


def test_a_lot_is_used_from_its_effective_date_until_before_its_expiry() -> None:
    bench = Bench(paid("l", 10, effective=START + 5, expiry=START + 9))
    assert bench.wallet == (10, 0, 0)
    assert [bench.free(at) for at in (4, 5, 8, 9)] == [0, 10, 10, 0]
    assert refused(bench.try_hold(1, 1, at=4)).reason is Reason.INSUFFICIENT_CREDITS
    assert bench.hold(1, 1, at=5).bound == (("l", 1),)
    assert bench.hold(2, 1, at=8).bound == (("l", 1),)
    assert refused(bench.try_hold(3, 1, at=9)).reason is Reason.INSUFFICIENT_CREDITS


def test_debt_lowers_what_scoped_credits_may_hold() -> None:
    bench = Bench(CHAT)
    bench.hold(1, 4)
    bench.settle(1, 7)  # 3 beyond: from the scoped lot, which buys it
    assert bench.wallet == (3, 0, 0)
    bench.hold(2, 3)
    bench.settle(2, 5)
    assert bench.wallet == (0, 0, 2)
    bench.grant(paid("more", 5, products=("chat",)))
    assert bench.wallet == (5, 0, 2)  # scoped credits repay nothing
    assert refused(bench.try_hold(3, 4)).available == 3
    assert bench.hold(3, 3).bound == (("more", 3),)
