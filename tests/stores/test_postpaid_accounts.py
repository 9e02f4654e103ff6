"""Postpaid accounts on every engine: no row before the end, one meaning for whoever asks again, and the proof."""

import asyncio

from tests.support.events import START, done, draft, failed, open_where, settled
from tokenworth.capture.commands import Expire, Extend, Hold, OpenAccount, Reason, Refused, Release, Settle
from tokenworth.capture.events import Status
from tokenworth.capture.policy import Budget, Policy
from tokenworth.core.periods import Window
from tokenworth.wiring.ledgers import Where, open_reader, verify

LATER = START + 60_000_000
TERMS = Policy(credit_line=500, postpaid=True, budgets=(Budget("account", Window.DAY, 400),))
OPEN = OpenAccount("ada", "credits", "USD", START, TERMS)


def test_a_request_leaves_nothing_until_it_is_settled(where: Where) -> None:
    with open_where(where, ada=100) as here, open_where(where) as there:
        done(there.submit_now([OPEN]))
        one, two, three = draft(1), draft(2), draft(3)
        assert done(here.submit_now([Hold(one, 300, LATER)])).available == 600
        done(there.submit_now([Hold(two, 300, LATER), Hold(three, 300, LATER), Extend((one.id, two.id), LATER + 5, (one,))]))
        with open_reader(where) as reader:
            assert list(reader.open_holds()) == []
        assert done(there.submit_now([Expire(LATER + 10)])).lost == ()
        assert done(here.submit_now([Settle(settled(one, 250))])).available == 350
        # again, by whoever asks
        for ledger in (here, there, here):
            again = done(ledger.submit_now([Settle(settled(one, 250))]))
            assert (again.repeated, again.available) == (True, 350)
            assert again.event is not None
            assert (again.event.charge, again.event.revenue) == (250, 50)
        (late,) = there.submit_now([Release(failed(one))])
        assert isinstance(late, Refused)
        assert late.reason is Reason.HOLD_CLOSED
        done(there.submit_now([Release(failed(two)), Settle(settled(three, 100)), Settle(settled(three, 100))]))
        (over,) = here.submit_now([Hold(draft(4), 51, LATER)])
        assert isinstance(over, Refused)
        assert over.reason is Reason.BUDGET_EXCEEDED
    with open_reader(where) as reader:
        assert {event.id: (event.status, event.charge) for event in reader.read()} == {
            one.id: (Status.OK, 250),
            two.id: (Status.FAILED, 0),
            three.id: (Status.OK, 100),
        }
        (account,) = reader.accounts()
    assert (account.balance, account.debt, account.held, account.lent) == (0, 250, 0, 0)
    assert verify(where).problems == []


async def test_many_at_once_are_each_charged_once(where: Where) -> None:
    policy = Policy(credit_line=10**6, postpaid=True)
    with open_where(where, ada=100) as ledger:
        done(await ledger.submit([OpenAccount("ada", "credits", "USD", START, policy)]))

        async def spend(number: int) -> None:
            event = draft(number)
            done(await ledger.submit([Hold(event, 20, LATER, "" if number % 3 else f"k{number}", "b")]))
            done(await ledger.submit([Settle(settled(event, 7))]))

        await asyncio.gather(*map(spend, range(100)))
    with open_reader(where) as reader:
        (account,) = reader.accounts()
    assert (account.balance, account.debt) == (0, 600)
    report = verify(where)
    assert (report.problems, report.events) == ([], 100)
