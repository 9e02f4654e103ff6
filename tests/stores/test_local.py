"""A ledger reached over a socket answers as the ledger itself does."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.events import START, done, draft, failed, open_ledger, settled
from tokenworth.capture.commands import Command, Done, Expire, Extend, Hold, OpenAccount, Reason, Record, Refused, Release, Result, Settle
from tokenworth.core.errors import InputError, LedgerError
from tokenworth.store.local.client import LocalLedger
from tokenworth.store.local.owner import Owner
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify

LATER = START + 60_000_000
ONE, TWO, THREE = draft(1), draft(2), draft(3)
MET = ONE._replace(counts={"input": 3, "output": 2**40}, cost=7, alarm="é", project="p")


@asynccontextmanager
async def asked(ledger: SqliteLedger) -> AsyncGenerator[LocalLedger, None]:
    mine, theirs = socket.socketpair()
    owner = Owner(ledger)
    await owner.attach(mine)
    client = await LocalLedger.connect(theirs)
    yield client
    client.close()
    owner.close()


COMMANDS: Sequence[Command] = [
    Hold(ONE, 60, LATER, "k", "b"),
    Hold(ONE, 60, LATER, "k", "b"),
    Hold(TWO, 10, LATER, "k", "b"),
    Hold(TWO, 10, LATER, "k", "c"),
    Hold(TWO, 41, LATER),
    Hold(draft(4, "nobody"), 1, LATER),
    Extend((ONE.id, "unknown"), LATER + 5, (MET,)),
    Settle(settled(MET, 70, counts=MET.counts)),
    Settle(settled(ONE, 3)),
    Settle(settled(TWO, 3)),
    Hold(TWO, 10, LATER),
    Release(failed(TWO)),
    Release(failed(TWO)),
    Settle(settled(TWO, 3)),
    Record(settled(draft(5), 7), "elsewhere/5", "d"),
    Record(settled(draft(5), 7), "elsewhere/5", "d"),
    Record(settled(draft(5), 8), "elsewhere/5", "e"),
    Hold(THREE, 5, LATER),
    Extend((THREE.id,), LATER + 5, (THREE._replace(counts={"input": 9}, cost=4),)),
    Expire(LATER),
    Expire(LATER + 6),
    Expire(LATER + 6),
]


async def test_every_command_has_the_ledgers_own_answer(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "direct.db", ada=100) as direct, open_ledger(tmp_path / "l.db", ada=100) as ledger:
        expected: list[Result] = []
        got: list[Result] = []
        async with asked(ledger) as client:
            for command in COMMANDS:
                expected += await direct.submit([command])
                got += await client.submit([command])
        assert got == expected
        assert {type(each.event) for each in got if isinstance(each, Done)} > {type(None)}
        assert {each.reason for each in got if isinstance(each, Refused)} > {Reason.IN_PROGRESS, Reason.KEY_REUSED, Reason.UNKNOWN_CUSTOMER}
    for name in ("direct.db", "l.db"):
        assert verify(tmp_path / name).problems == []
    with Reader(tmp_path / "l.db") as mine, Reader(tmp_path / "direct.db") as theirs:
        assert list(mine.read()) == list(theirs.read())


async def test_what_is_asked_at_once_is_applied_in_order(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "l.db", ada=1_000) as ledger:
        async with asked(ledger) as client:

            async def spend(number: int) -> bool:
                event = draft(number)
                held, result = await asyncio.gather(client.submit([Hold(event, 10, LATER)]), client.submit([Settle(settled(event, 10))]))
                return isinstance(held[0], Done) and isinstance(result[0], Done)

            assert sum(await asyncio.gather(*map(spend, range(700)))) == 100
    assert verify(tmp_path / "l.db").balances["credits", "wallet:ada"] == 0


@pytest.mark.parametrize("bad", [Hold(TWO, 10, LATER, "k\0"), Hold(TWO, 10, LATER, "\ud83d"), Settle(settled(ONE, 5)._replace(model="\0"))])
async def test_a_text_that_cannot_be_stored_fails_its_caller_only(tmp_path: Path, bad: Command) -> None:
    with open_ledger(tmp_path / "l.db", ada=100) as ledger:
        async with asked(ledger) as client:
            first, wrong, last = await asyncio.gather(
                client.submit([Hold(ONE, 1, LATER)]), client.submit([bad]), client.submit([Hold(THREE, 2, LATER)]), return_exceptions=True
            )
    assert isinstance(wrong, InputError)
    assert wrong.code == "bad_text"
    assert not isinstance(first, BaseException)
    assert not isinstance(last, BaseException)
    assert (done(first).available, done(last).available) == (99, 97)


async def test_a_ledger_that_fails_says_so_to_all_who_asked(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "l.db", ada=100) as ledger:
        async with asked(ledger) as client:
            ledger._db.execute("PRAGMA query_only = ON")
            failures = await asyncio.gather(*(client.submit([Hold(draft(n), 1, LATER)]) for n in range(3)), return_exceptions=True)
            assert all(isinstance(each, LedgerError) for each in failures), failures
            ledger._db.execute("PRAGMA query_only = OFF")
            assert done(await client.submit([Hold(ONE, 1, LATER)])).available == 99


async def test_once_the_owner_is_gone_nobody_waits(tmp_path: Path) -> None:
    told = asyncio.Event()
    with open_ledger(tmp_path / "l.db", ada=100):
        mine, theirs = socket.socketpair()
        client = await LocalLedger.connect(theirs, lost=told.set)
        waiting = [asyncio.create_task(client.submit([Hold(draft(n), 1, LATER)])) for n in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(client.submit([Hold(THREE, 1, LATER)])))
        mine.close()
        for task in waiting:
            with pytest.raises(LedgerError, match="gone"):
                await task
        assert told.is_set()
        with pytest.raises(LedgerError, match="gone"):
            await client.submit([Hold(ONE, 1, LATER)])


async def test_operators_commands_are_not_for_it(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "l.db", ada=100) as ledger:
        async with asked(ledger) as client:
            with pytest.raises(LedgerError, match="OpenAccount"):
                await client.submit([OpenAccount("eve", "credits", "USD", START)])
