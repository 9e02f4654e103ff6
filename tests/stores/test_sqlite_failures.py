"""A database that cannot be written is a clear error for every caller, and no half batch."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from tests.support.events import START, done, draft, open_ledger, settled
from tokenworth.capture.commands import Grant, Hold, OpenAccount, Refused, Release, Settle, Source
from tokenworth.core.errors import InputError, LedgerError
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify


def test_a_full_disk_writes_nothing_of_the_batch(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with open_ledger(path, ada=10_000) as ledger:
        pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
        ledger._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="full"):
            ledger.submit_now([Hold(draft(n), 1, START + 60) for n in range(2_000)])
        ledger._db.execute("PRAGMA max_page_count = 1000000")
        assert done(ledger.submit_now([Hold(draft(5_000), 10, START + 60)])).available == 9_990
    assert verify(path).problems == []
    with Reader(path) as reader:
        assert [hold.id for hold in reader.open_holds()] == [draft(5_000).id]


def test_a_locked_file_is_an_error_that_passes(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with open_ledger(path, ada=100) as ledger:
        ledger._db.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked"):
            ledger.submit_now([Hold(draft(1), 10, START + 60)])
        other.execute("ROLLBACK")
        other.close()
        assert done(ledger.submit_now([Hold(draft(1), 10, START + 60)])).available == 90


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 20])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "l.db"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="name a ledger made by tokenworth"):
        SqliteLedger(path, clock=lambda: START)
    assert path.read_bytes() == content


def test_a_corrupted_page_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with open_ledger(path, ada=100_000) as ledger:
        for n in range(500):
            ledger.submit_now([Hold(draft(n), 10, START + 60), Settle(settled(draft(n), 5))])
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    try:
        problems = verify(path).problems
    except LedgerError as error:
        problems = [str(error)]
    assert problems


def test_a_newer_file_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    open_ledger(path, ada=100).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="schema 99"):
        SqliteLedger(path, clock=lambda: START)
    with pytest.raises(LedgerError, match="schema 99"):
        Reader(path)
    assert path.read_bytes() == before


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="folder exists"):
        SqliteLedger(tmp_path / "nowhere" / "l.db", clock=lambda: START)
    with pytest.raises(InputError, match="there is no ledger"):
        Reader(tmp_path / "l.db")


def test_a_closed_ledger_says_so(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l.db", ada=1)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.submit_now([])


def test_a_refusal_stops_nothing_else_in_its_batch(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "l.db", ada=100) as ledger:
        results = ledger.submit_now([Hold(draft(1), 60, 0), Hold(draft(2), 60, 0), Hold(draft(3), 40, 0)])
        assert [isinstance(result, Refused) for result in results] == [False, True, False]


def test_a_key_that_is_freed_can_be_taken_in_the_same_batch(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with open_ledger(path, ada=100) as ledger:
        first, second, third = draft(1), draft(2), draft(3)
        done(ledger.submit_now([Hold(first, 10, START, "k", "b")]))
        done(ledger.submit_now([Release(first), Hold(second, 10, START, "k", "b"), Release(second), Hold(third, 10, START, "k", "b")]))
        (again,) = ledger.submit_now([Hold(draft(4), 10, START, "k", "b")])
        assert isinstance(again, Refused)
        assert again.event == third.id
        (same_batch,) = ledger.submit_now([Settle(settled(third, 5)), Hold(draft(5), 10, START, "k", "b")])[1:]
        assert isinstance(same_batch, Refused)
        assert same_batch.event == third.id


def test_a_grant_may_be_named_like_a_hold(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with open_ledger(path, ada=100) as ledger:
        event = draft(1)
        done(ledger.submit_now([Hold(event, 10, START), Settle(settled(event, 5)), Grant(event.id, "ada", 5, Source.PAID, 0, START)]))
    assert verify(path).problems == []


def test_an_account_keeps_its_unit(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "l.db", ada=100) as ledger:
        (result,) = ledger.submit_now([OpenAccount("ada", "USD", "USD", START)])
        assert isinstance(result, Refused)


async def test_what_cannot_be_written_fails_its_own_caller_only(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "l.db", ada=100, bob=100) as ledger:
        ledger.submit_now([Hold(draft(number, customer), 10, START + 60) for number, customer in ((1, "ada"), (2, "bob"), (3, "bob"))])
        asked = [Settle(settled(draft(1), 5)), Settle(settled(draft(2, "bob"), 5, cost=2**70)), Settle(settled(draft(3, "bob"), 5))]
        first, bad, last = await asyncio.gather(*(ledger.submit([each]) for each in asked), return_exceptions=True)
    assert isinstance(bad, LedgerError)
    for outcome in (first, last):
        assert isinstance(outcome, list)
        assert done(outcome).event is not None
    assert verify(tmp_path / "l.db").problems == []
