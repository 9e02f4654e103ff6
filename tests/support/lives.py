"""A ledger in which everything happened that can."""

from collections.abc import Callable
from typing import Protocol

from tests.support.events import START, done, draft, failed, settled
from tokenworth.capture.commands import Adjust, Cancel, Command, Expire, Grant, Hold, OpenAccount, Refund, Release, Result, Settle, Source, Void
from tokenworth.capture.policy import Beyond, Budget, Policy
from tokenworth.core.periods import Window

HOUR = 3_600_000_000
DAY = 24 * HOUR
DEADLINE = START + 4 * DAY
SWEPT = START + 2 * DAY
"""When expiry is noticed of what expired an hour after START."""


class Takes(Protocol):
    """A ledger."""

    def submit_now(self, commands: list[Command]) -> list[Result]: ...


def live(ledger: Takes, *, tell: Callable[[int], None] = lambda _: None) -> None:
    """Give ada, bob and cy plain lives, dan debt, promotion and a budget, eve a cap, corrections and expiry; `tell` hears what time it is."""
    for run in (_plain, _dan, _eve):
        done(ledger.submit_now(run()))
    tell(SWEPT)
    done(ledger.submit_now([Expire(SWEPT)]))


def _plain() -> list[Command]:
    commands: list[Command] = []
    for customer, amount in {"ada": 1_000, "bob": 500, "cy": 300}.items():
        commands += [OpenAccount(customer, "credits", "USD", START)]
        commands += [Grant(f"start-{customer}", customer, amount, Source.PAID, amount // 2, START)]
    for number, customer in enumerate(["ada", "bob", "ada"]):
        event = draft(number, customer)
        commands += [Hold(event, 50, DEADLINE), Settle(settled(event, 33))]
    commands += [Hold(draft(7), 50, DEADLINE), Release(failed(draft(7)))]
    commands += [Hold(draft(8), 20, DEADLINE), Hold(draft(9, "bob"), 30, DEADLINE)]
    return [*commands, Grant("brief", "cy", 30, Source.PAID, 15, START, expiry=START + HOUR)]


def _dan() -> list[Command]:
    policy = Policy(credit_line=25, budgets=(Budget("account", Window.DAY, 10_000),))
    first, second, third = (draft(number, "dan") for number in (10, 11, 12))
    return [
        OpenAccount("dan", "credits", "USD", START, policy),
        Grant("gift", "dan", 90, Source.PROMOTIONAL, 0, START),
        Hold(first, 60, DEADLINE),
        Settle(settled(first, 60, cost=7)),
        Hold(second, 45, DEADLINE),
        Adjust("plus", "dan", 40, START + 3, "kim", "sorry"),
        Hold(third, 10, DEADLINE),
        Settle(settled(third, 70)),
    ]


def _eve() -> list[Command]:
    first, second = draft(20, "eve"), draft(21, "eve")
    return [
        OpenAccount("eve", "credits", "USD", START, Policy(beyond=Beyond.CAPPED)),
        Grant("soon", "eve", 70, Source.PAID, 35, START, expiry=START + 3 * DAY),
        Grant("bad", "eve", 60, Source.INCLUDED, 30, START),
        Grant("late", "eve", 5, Source.PAID, 5, START, pending=True),
        Hold(first, 40, DEADLINE),
        Settle(settled(first, 50)),
        Cancel("late", START + 4),
        Refund("back", first.id, 15, START + 5, "kim", "slow"),
        Adjust("minus", "eve", -6, START + 6, "kim", "gave too much"),
        Hold(second, 45, DEADLINE),
        Void("bad", START + 7, "kim", "unpaid"),
        Settle(settled(second, 41)),
        Grant("wait", "eve", 8, Source.PAID, 8, START, pending=True),
    ]
