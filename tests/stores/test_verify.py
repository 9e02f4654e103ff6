"""What is tampered with is named."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.events import START, done, draft, failed, open_ledger, settled
from tokenworth.capture.commands import Hold, Release, Settle
from tokenworth.store.sqlite.verify import verify


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with two customers, three settlements, one release and two open holds."""
    made = tmp_path / "l.db"
    with open_ledger(made, ada=1_000, bob=500) as ledger:
        for number, customer in enumerate(["ada", "bob", "ada"]):
            event = draft(number, customer)
            done(ledger.submit_now([Hold(event, 50, START + 60), Settle(settled(event, 33))]))
        done(ledger.submit_now([Hold(draft(7), 50, START + 60), Release(failed(draft(7)))]))
        done(ledger.submit_now([Hold(draft(8), 20, START + 60), Hold(draft(9, "bob"), 30, START + 60)]))
    assert verify(made).problems == []
    return made


@contextmanager
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as somebody who gets around checks and triggers."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA ignore_check_constraints = ON")
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    yield db
    db.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE account SET balance = balance + 1 WHERE customer = 'ada'", "account ada: balance"),
        ("UPDATE account SET held = held - 1 WHERE customer = 'bob'", "account bob: held"),
        ("UPDATE account SET debt = 1 WHERE customer = 'bob'", "account bob: debt"),
        ("UPDATE account SET version = 1 WHERE customer = 'ada'", "account ada: version"),
        ("DELETE FROM account WHERE customer = 'bob'", "postings of bob"),
        ("UPDATE lot SET amount = amount + 1 WHERE customer = 'ada'", "lot start-ada: amount"),
        ("UPDATE lot SET paid = paid - 1 WHERE customer = 'ada'", "lot start-ada: paid"),
        ("UPDATE lot SET used = used + 1 WHERE customer = 'bob'", "lot start-bob: used"),
        ("UPDATE lot SET held = held + 1 WHERE customer = 'bob'", "lot start-bob: held"),
        ("UPDATE hold SET amount = amount + 1 WHERE state = 0 AND customer = 'ada'", "account ada: held"),
        ("UPDATE hold SET state = 2 WHERE state = 1 AND customer = 'bob'", "its hold is released"),
        ("UPDATE hold SET state = 1 WHERE state = 0 AND customer = 'bob'", "its status missing"),
        ("DELETE FROM hold WHERE state = 2", "its hold is missing"),
        ("UPDATE posting SET amount = amount + 1 WHERE seq = 5", "wallet of ada goes from"),
        ("UPDATE posting SET amount = amount + 1 WHERE credit = 'revenue' AND seq = (SELECT max(seq) FROM posting)", "revenue"),
        ("UPDATE posting SET before = before + 1 WHERE seq = 5", "wallet of ada goes from"),
        ("UPDATE posting SET debit = 'wallet:bob' WHERE debit = 'wallet:ada'", "wallet of bob"),
        ("DELETE FROM posting WHERE seq = (SELECT max(seq) FROM posting)", "lot start-ada: recognised"),
        ("UPDATE event SET charge = charge + 1 WHERE customer = 'bob'", "charge 34"),
        ("UPDATE event SET charge = 0 WHERE customer = 'bob'", "missing or out of order"),
        ("UPDATE event SET revenue = revenue + 1 WHERE customer = 'bob'", "revenue 17"),
        ("DELETE FROM event WHERE customer = 'bob'", "missing"),
        ("UPDATE event SET status = 'lost' WHERE status = 'ok'", "its hold is settled, its status lost"),
    ],
)
def test_tampering_is_named(path: Path, statement: str, named: str) -> None:
    with tampering(path) as db:
        assert db.execute(statement).rowcount > 0
    problems = verify(path).problems
    assert [problem for problem in problems if named in problem], problems


@pytest.mark.parametrize("table", ["posting", "event"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET customer = customer", "DELETE FROM {}"])
def test_history_is_append_only(path: Path, table: str, statement: str) -> None:
    db = sqlite3.connect(path)
    text = statement.format(table).replace("customer = customer", "unit = unit")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(text)
    db.close()
