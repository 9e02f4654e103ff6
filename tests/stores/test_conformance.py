"""One meaning on every engine: what another process did is seen, whatever a writer remembers, and retries get their first answer."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.events import START, done, draft, failed, open_where, settled
from tokenworth.capture.commands import (
    Adjust,
    Cancel,
    Command,
    Confirm,
    Done,
    Expire,
    Extend,
    Grant,
    Hold,
    OpenAccount,
    Reason,
    Record,
    Refund,
    Refused,
    Release,
    Settle,
    Source,
    Void,
)
from tokenworth.capture.policy import Budget, Policy, TopUp
from tokenworth.core.errors import InputError
from tokenworth.core.periods import Window
from tokenworth.wiring.ledgers import Where, open_ledger, open_reader, verify

LATER = START + 60_000_000
FIRST, SECOND = draft(1), draft(2)
HELD = Hold(FIRST, 60, LATER, "k", "b")
OPEN: list[Command] = [HELD]
CLOSED: list[Command] = [HELD, Settle(settled(FIRST, 50))]
RECORDED = Record(settled(FIRST, 130), "shop\n1", "b")
PROMISED: list[Command] = [Grant("p", "ada", 40, Source.PAID, 20, START, pending=True)]

ELSEWHERE: dict[str, tuple[list[Command], Command, Done | Reason]] = {
    "a hold takes what is there": ([HELD], Hold(SECOND, 60, LATER), Reason.INSUFFICIENT_CREDITS),
    "a grant is there at once": ([Grant("g", "ada", 50, Source.PAID, 0, START)], Hold(SECOND, 150, LATER), Done(0)),
    "a hold is placed once": (OPEN, HELD, Done(40, repeated=True)),
    "a hold is placed once, credits or not": ([*OPEN, Hold(SECOND, 40, LATER)], HELD, Done(0, repeated=True)),
    "a key is used once": (OPEN, Hold(SECOND, 10, LATER, "k", "b"), Reason.IN_PROGRESS),
    "a key is used once, credits or not": ([*OPEN, Hold(draft(3), 40, LATER)], Hold(SECOND, 10, LATER, "k", "b"), Reason.IN_PROGRESS),
    "a key of a settled hold": (CLOSED, Hold(SECOND, 10, LATER, "k", "b"), Reason.DUPLICATE),
    "a key with another body": (OPEN, Hold(SECOND, 10, LATER, "k", "c"), Reason.KEY_REUSED),
    "a key of a released hold": ([*OPEN, Release(failed(FIRST))], Hold(SECOND, 10, LATER, "k", "b"), Done(90)),
    "a settlement counts once": (CLOSED, Settle(settled(FIRST, 50)), Done(50, settled(FIRST, 50, revenue=25), repeated=True)),
    "a settled hold is not released": (CLOSED, Release(failed(FIRST)), Reason.HOLD_CLOSED),
    "usage from elsewhere": ([], RECORDED, Done(-30, settled(FIRST, 130, revenue=50))),
    "usage from elsewhere counts once": ([RECORDED], RECORDED, Done(-30, settled(FIRST, 130, revenue=50), repeated=True)),
    "usage from elsewhere keeps its content": ([RECORDED], replace(RECORDED, body="c"), Reason.KEY_REUSED),
    "usage from elsewhere is one customer's": (
        [OpenAccount("bob", "credits", "USD", START), RECORDED],
        Record(settled(FIRST._replace(customer="bob"), 130), "shop\n1", "c"),
        Reason.KEY_REUSED,
    ),
    "usage from elsewhere can be refunded": ([RECORDED], Refund("r", FIRST.id, 40, START, "me", "why"), Done(10)),
    "what failed elsewhere": ([], Record(failed(FIRST), "shop\n1", "b"), Done(100, failed(FIRST))),
    "usage from elsewhere of a stranger": ([], Record(settled(FIRST._replace(customer="eve"), 1), "shop\n1", "b"), Reason.UNKNOWN_CUSTOMER),
    "another process settles": (OPEN, Settle(settled(FIRST, 50)), Done(50, settled(FIRST, 50, revenue=25))),
    "an account is opened once": ([OpenAccount("bob", "credits", "USD", START)], OpenAccount("bob", "credits", "USD", START), Done(0, repeated=True)),
    "an account keeps its unit": ([OpenAccount("bob", "credits", "USD", START)], OpenAccount("bob", "USD", "USD", START), Reason.CONFLICT),
    "a grant counts once": ([Grant("g", "ada", 5, Source.PAID, 0, START)], Grant("g", "ada", 5, Source.PAID, 0, START), Done(105, repeated=True)),
    "a grant keeps its contents": ([Grant("g", "ada", 5, Source.PAID, 0, START)], Grant("g", "ada", 6, Source.PAID, 0, START), Reason.CONFLICT),
    "a promise is confirmed": (PROMISED, Confirm("p", START), Done(140)),
    "a promise is confirmed once": ([*PROMISED, Confirm("p", START)], Confirm("p", START), Done(140, repeated=True)),
    "a cancelled promise": ([*PROMISED, Cancel("p", START)], Confirm("p", START), Reason.GRANT_CLOSED),
    "a voided grant": ([Void("start-ada", START, "me", "why")], Hold(SECOND, 1, LATER), Reason.INSUFFICIENT_CREDITS),
    "a refund": (CLOSED, Refund("r", FIRST.id, 20, START, "me", "why"), Done(70)),
    "a refund counts once": (
        [*CLOSED, Refund("r", FIRST.id, 20, START, "me", "why")],
        Refund("r", FIRST.id, 20, START, "me", "why"),
        Done(70, repeated=True),
    ),
    "a refund of more than is left": (
        [*CLOSED, Refund("r", FIRST.id, 20, START, "me", "y")],
        Refund("s", FIRST.id, 31, START, "me", "y"),
        Reason.BAD_AMOUNT,
    ),
    "an adjustment counts once": (
        [Adjust("a", "ada", -10, START, "me", "why")],
        Adjust("a", "ada", -10, START, "me", "why"),
        Done(90, repeated=True),
    ),
    "a deadline that was moved": ([*OPEN, Extend((FIRST.id,), LATER + 9)], Expire(LATER + 5), Done(0)),
    "a policy that was changed": (
        [OpenAccount("ada", "credits", "USD", START, Policy(budgets=(Budget("account", Window.DAY, 5),)))],
        Hold(SECOND, 6, LATER),
        Reason.BUDGET_EXCEEDED,
    ),
}
"""What another process did; then a command, to a process that remembers how it was before, and its answer."""


@pytest.mark.parametrize("case", ELSEWHERE)
def test_what_another_process_did_counts(where: Where, case: str) -> None:
    commands, command, expected = ELSEWHERE[case]
    with open_where(where, ada=100) as here, open_where(where) as there:
        done(here.submit_now([Extend((), LATER), OpenAccount("ada", "credits", "USD", START)]))
        for each in commands:
            done(there.submit_now([each]))
        (result,) = here.submit_now([command])
        assert result == expected if isinstance(result, Done) else result.reason == expected
        # and once more in one batch with what has nothing to do with it
        both = here.submit_now([OpenAccount("eve", "credits", "USD", START), command])
        assert isinstance(both[0], Done)
    assert verify(where).problems == []


def test_a_lot_repays_debt_once_its_day_has_come(where: Where) -> None:
    with open_where(where, ada=100) as ledger:
        done(ledger.submit_now([HELD, Settle(settled(FIRST, 130))]))
        done(ledger.submit_now([Grant("chat", "ada", 9, Source.PAID, 9, START, effective=LATER, products=("chat",))]))
        done(ledger.submit_now([Grant("next", "ada", 50, Source.PAID, 25, START, effective=LATER + 5)]))
    # a process that knows nothing of the account yet
    with open_where(where) as other:
        for at, available in ((LATER + 4, -30), (LATER + 5, 20)):
            done(other.submit_now([Expire(at)]))
            with open_reader(where) as reader:
                assert [account.available(LATER + 5) - (50 if at < LATER + 5 else 0) for account in reader.accounts()] == [available]
    with open_reader(where) as reader:
        assert [account.debt for account in reader.accounts()] == [0]
    assert verify(where).problems == []


def test_a_hold_that_another_process_closed_is_not_opened_again(where: Where) -> None:
    with open_where(where, ada=100) as here, open_where(where) as there:
        done(here.submit_now([HELD]))
        done(there.submit_now([Settle(settled(FIRST, 50))]))
        done(here.submit_now([Extend((FIRST.id,), LATER + 9)]))
        (late,) = here.submit_now([Release(failed(FIRST))])
        assert isinstance(late, Refused)
        assert late.reason is Reason.HOLD_CLOSED
    with open_reader(where) as reader:
        assert list(reader.open_holds()) == []
    assert verify(where).problems == []


def test_an_expired_hold_is_lost_once(where: Where) -> None:
    with open_where(where, ada=100) as here, open_where(where) as there:
        done(here.submit_now([HELD]))
        assert [event.id for event in done(there.submit_now([Expire(LATER + 1)])).lost] == [FIRST.id]
        assert done(here.submit_now([Expire(LATER + 1)])).lost == ()
        (late,) = here.submit_now([Settle(settled(FIRST, 50))])
        assert isinstance(late, Refused)
        assert late.reason is Reason.HOLD_CLOSED


def test_a_top_up_is_asked_for_once(where: Where) -> None:
    policy = Policy(low_balance=(90,), top_up=TopUp(80, 500, 250))
    with open_where(where, ada=100) as here, open_where(where) as there:
        done(here.submit_now([OpenAccount("ada", "credits", "USD", START, policy)]))
        for number, ledger in enumerate((here, there, here, there), start=1):
            event = draft(number)
            done(ledger.submit_now([Hold(event, 10, LATER), Settle(settled(event, 10))]))
        assert done(there.submit_now([Confirm("top-up-ada/1", START)])).available == 560
    with open_reader(where) as reader:
        assert [row[0] for row in reader.db.execute("SELECT kind FROM notice ORDER BY seq")] == ["low_balance", "top_up"]


async def test_what_is_asked_at_once_is_answered_in_order(where: Where) -> None:
    with open_where(where, ada=1_000) as ledger:

        async def spend(number: int) -> bool:
            event = draft(number)
            (held,) = await ledger.submit([Hold(event, 10, LATER)])
            if isinstance(held, Refused):
                return False
            (result,) = await ledger.submit([Settle(settled(event, 10))])
            return isinstance(result, Done)

        outcomes = await asyncio.gather(*map(spend, range(300)))
        assert sum(outcomes) == 100
    assert verify(where).balances["credits", "wallet:ada"] == 0


UNSTORABLE: dict[str, Command] = {
    "a key": Hold(SECOND, 10, LATER, "k\0"),
    "half a character": Hold(SECOND, 10, LATER, "\ud83d"),
    "a draft": Hold(SECOND._replace(model="chat\0mini"), 10, LATER),
    "an event": Settle(settled(FIRST, 5)._replace(counts={"input\0": 1})),
    "a customer": OpenAccount("bo\0b", "credits", "USD", START),
    "a reason": Adjust("a", "ada", 5, START, "me", "sor\0ry"),
    "a scope": Grant("g", "ada", 5, Source.PAID, 0, START, products=("chat\0",)),
    "a policy": OpenAccount("ada", "credits", "USD", START, Policy(budgets=(Budget("key:\0", Window.DAY, 5),))),
    "a name from elsewhere": Record(settled(FIRST, 5), "shop\0", "b"),
    "a later draft": Extend((FIRST.id,), LATER, (FIRST._replace(alarm="\0"),)),
}


@pytest.mark.parametrize("case", UNSTORABLE)
async def test_a_text_that_cannot_be_stored_fails_its_caller_only(where: Where, case: str) -> None:
    with open_where(where, ada=100) as ledger:
        done(await ledger.submit([HELD]))
        bad, good = await asyncio.gather(ledger.submit([UNSTORABLE[case]]), ledger.submit([Hold(draft(3), 7, LATER)]), return_exceptions=True)
        assert isinstance(bad, InputError)
        assert bad.code == "bad_text"
        assert not isinstance(good, BaseException)
        assert done(good).available == 33
        with pytest.raises(InputError, match="NUL"):
            ledger.submit_now([UNSTORABLE[case]])
    assert verify(where).problems == []


def test_two_who_open_an_account_at_once(where: Where) -> None:
    with open_where(where) as here, open_where(where) as there:
        for number in range(5):
            name = f"c{number}"
            assert isinstance(here.submit_now([Hold(draft(number, name), 1, LATER)])[0], Refused)
            done(there.submit_now([OpenAccount(name, "credits", "USD", START)]))
            assert done(here.submit_now([OpenAccount(name, "credits", "USD", START)])).repeated


def test_numbers_keep_every_digit(where: Where) -> None:
    most = 2**63 - 1
    with open_where(where, ada=most - 5) as here, open_where(where) as there:
        assert done(here.submit_now([Hold(FIRST, most - 7, LATER)])).available == 2
        done(there.submit_now([Settle(settled(FIRST, most - 8))]))
    with open_where(where) as ledger:
        assert done(ledger.submit_now([Refund("r", FIRST.id, None, START, "me", "why")])).available == most - 5
    assert verify(where).problems == []


def test_a_ledger_that_is_not_there(where: Where) -> None:
    with pytest.raises(InputError, match="there is no ledger"):
        open_ledger(where, create=False)
    with pytest.raises(InputError, match="there is no ledger"):
        open_reader(where)
