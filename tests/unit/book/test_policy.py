"""What a plan says of spending becomes the policy of its accounts; what contradicts itself is a problem at its line."""

from pathlib import Path

import pytest

from tokenworth.book.load import examine_folder, load
from tokenworth.book.starter import write_starter
from tokenworth.capture.policy import STANDARD, Beyond, Budget, Order, Policy, TopUp
from tokenworth.core.money import NANO
from tokenworth.core.periods import Window

LIMITS = """
burn_down = ["expiry", "paid-first", "newest"]
beyond_hold = "overdraft"
overdraft = "10.5"
credit_line = "100"
time_zone = "America/New_York"
low_balance = ["50", "5"]
top_up = { below = "20", amount = "1000", paid = "9" }
[[plans.payg.budgets]]
subject = "account"
window = "month"
limit = "5000"
[[plans.payg.budgets]]
subject = "key:*"
window = "day"
limit = "200"
"""


def book_with(folder: Path, limits: str) -> Path:
    write_starter(folder / "shop")
    plans = folder / "shop" / "plans.toml"
    plans.write_text(plans.read_text().replace("\n[plans.pro]", f"{limits}\n[plans.pro]"))
    return folder / "shop"


def test_a_plan_without_limits_has_the_standard_policy(tmp_path: Path) -> None:
    assert load(book_with(tmp_path, "")).plans["payg"].policy == STANDARD


def test_a_plan_becomes_a_policy(tmp_path: Path) -> None:
    assert load(book_with(tmp_path, LIMITS)).plans["payg"].policy == Policy(
        (Order.EXPIRY, Order.PAID_FIRST, Order.NEWEST),
        Beyond.OVERDRAFT,
        10_500_000_000,
        100 * NANO,
        "America/New_York",
        (Budget("account", Window.MONTH, 5000 * NANO), Budget("key:*", Window.DAY, 200 * NANO)),
        (50 * NANO, 5 * NANO),
        TopUp(20 * NANO, 1000 * NANO, 9 * NANO),
    )


@pytest.mark.parametrize(
    ("limits", "code", "field"),
    [
        ('time_zone = "Berlin"', "unknown_zone", "plans.payg.time_zone"),
        ("time_zone = 1", "wrong_type", "plans.payg.time_zone"),
        ('burn_down = ["expiry", "expiry"]', "duplicate_key", "plans.payg.burn_down"),
        ('burn_down = ["cheapest"]', "bad_value", "plans.payg.burn_down[0]"),
        ('beyond_hold = "capped"\noverdraft = "5"', "overdraft", "plans.payg.overdraft"),
        ('low_balance = ["-1"]', "negative", "plans.payg.low_balance[0]"),
        ('top_up = { below = "5", amount = "0", paid = "0" }', "bad_amount", "plans.payg.top_up.amount"),
        ('budgets = [{ subject = "team", window = "day", limit = "5" }]', "bad_value", "plans.payg.budgets[0].subject"),
        ('budgets = [{ subject = "account", window = "week", limit = "5" }]', "bad_value", "plans.payg.budgets[0].window"),
        (
            'budgets = [{ subject = "account", window = "day", limit = "5" }, { subject = "account", window = "day", limit = "6" }]',
            "duplicate_budget",
            "plans.payg.budgets[1]",
        ),
    ],
)
def test_limits_that_cannot_be_are_told_with_their_place(tmp_path: Path, limits: str, code: str, field: str) -> None:
    folder = book_with(tmp_path, limits)
    _, problems = examine_folder(folder)
    (problem,) = [each for each in problems if each.severity == "error"]
    assert (problem.code, problem.field) == (code, field)
    assert problem.line
    assert problem.mend
