"""What budgets have counted outlives its window: holds that end late, and requests that arrive late, count where they belong."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.support.events import START, done, draft, settled
from tests.support.machine import HOUR
from tokenworth.capture.commands import Grant, Hold, OpenAccount, Reason, Refused, Settle, Source
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.policy import Budget, Policy
from tokenworth.core.periods import Window
from tokenworth.wiring.ledgers import Where, open_ledger, open_reader, verify

POLICY = Policy(budgets=(Budget("account", Window.HOUR, 100),))


def request(number: int, hour: int) -> UsageEvent:
    return draft(number, at=START + hour * HOUR)


def counted(where: Where) -> list[tuple[int, int]]:
    """Return used and held of the windows that a writer is told of, oldest first."""
    with open_reader(where) as reader:
        (account,) = reader.accounts()
    spends = account.limits.spends
    return [(spends[key].used, spends[key].held) for key in sorted(spends, key=lambda key: key[2])]


def test_windows(where: Where) -> None:
    late = request(1, 0)
    with open_ledger(where, clock=lambda: START) as ledger:
        grant = Grant("g", "ada", 10_000, Source.PAID, 0, START)
        done(ledger.submit_now([OpenAccount("ada", "credits", "USD", START, POLICY), grant, Hold(late, 30, START + 60)]))
        for hour in (1, 2, 3):
            event = request(10 + hour, hour)
            done(ledger.submit_now([Hold(event, 100, START + 60), Settle(settled(event, 90))]))
        assert counted(where) == [(0, 30), (90, 0), (90, 0)]  # what is held is never forgotten
        # a request of the hour before arrives late: ten are left, in this process and in the next
        for number in (20, 21):
            (out,) = ledger.submit_now([Hold(request(number, 2), 11, START + 60)])
            assert isinstance(out, Refused)
            assert out.reason is Reason.BUDGET_EXCEEDED
        done(ledger.submit_now([Settle(settled(late, 25)._replace(ended=START + 4 * HOUR))]))
    assert counted(where) == [(90, 0), (90, 0)]
    with open_ledger(where, clock=lambda: START) as ledger:
        (out,) = ledger.submit_now([Hold(request(22, 2), 11, START + 60)])
        assert isinstance(out, Refused)
        done(ledger.submit_now([Hold(request(23, 2), 10, START + 60)]))
    assert counted(where) == [(90, 10), (90, 0)]


@pytest.mark.parametrize("hours", [(0, 50, 60, 70, 0, 0), (9, 8, 7, 6, 9, 8, 9), (0, 1, 2, 3, 4, 0, 1, 2, 3, 4)])
def test_no_window_passes_its_limit_in_whatever_order_instants_come(where: Where, hours: tuple[int, ...]) -> None:
    """A clock that jumped ahead and was set back must not switch a budget off."""
    spent: Counter[int] = Counter()
    with open_ledger(where, clock=lambda: START) as ledger:
        done(ledger.submit_now([OpenAccount("ada", "credits", "USD", START, POLICY), Grant("g", "ada", 10_000, Source.PAID, 0, START)]))
        for number, hour in enumerate(hours):
            event = request(number + 1, hour)
            (held,) = ledger.submit_now([Hold(event, 60, START + 60)])
            assert isinstance(held, Refused) == (spent[hour] > 40)
            if not isinstance(held, Refused):
                done(ledger.submit_now([Settle(settled(event, 60))]))
                spent[hour] += 60
    assert verify(where).problems == []
    assert set(spent.values()) == {60}


def test_a_hold_of_nothing_counts_where_it_was_placed(where: Where) -> None:
    late = request(1, 0)
    with open_ledger(where, clock=lambda: START) as ledger:
        done(ledger.submit_now([OpenAccount("ada", "credits", "USD", START, POLICY), Grant("g", "ada", 10_000, Source.PAID, 0, START)]))
        first = request(2, 0)
        done(ledger.submit_now([Hold(first, 50, START + 60), Settle(settled(first, 50)), Hold(late, 0, START + 60)]))
        for hour in (1, 2, 3):
            event = request(10 + hour, hour)
            done(ledger.submit_now([Hold(event, 9, START + 60), Settle(settled(event, 9))]))
        done(ledger.submit_now([Settle(settled(late, 45))]))
        (out,) = ledger.submit_now([Hold(request(20, 0), 6, START + 60)])
        assert isinstance(out, Refused)


def test_an_account_that_moves_between_zones_counts_on(where: Where) -> None:
    there = replace(POLICY, zone="Asia/Kolkata")
    with open_ledger(where, clock=lambda: START) as ledger:
        done(ledger.submit_now([OpenAccount("ada", "credits", "USD", START, POLICY), Grant("g", "ada", 10_000, Source.PAID, 0, START)]))
        for number, policy in enumerate((POLICY, there, POLICY, there)):
            event = request(number + 1, 0)
            done(ledger.submit_now([OpenAccount("ada", "credits", "USD", START, policy), Hold(event, 40, START + 60), Settle(settled(event, 40))]))
        for policy in (POLICY, there):
            (_, out) = ledger.submit_now([OpenAccount("ada", "credits", "USD", START, policy), Hold(request(9, 0), 21, START + 60)])
            assert isinstance(out, Refused)
