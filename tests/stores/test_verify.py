"""What is tampered with is named."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.events import START, done, draft, settled
from tests.support.lives import HOUR, SWEPT, live
from tokenworth.book.build import digest_files
from tokenworth.capture.commands import Grant, Hold, Settle, Source
from tokenworth.core.errors import InputError
from tokenworth.store.ledger.proof.report import MOST_PROBLEMS
from tokenworth.store.sqlite import verify as verifying
from tokenworth.store.sqlite.books import apply_book
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import PHASES, verify
from tokenworth.wiring.ledgers import verify as verify_any


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which everything happened that can."""
    made = tmp_path_factory.mktemp("ledger") / "l.db"
    with SqliteLedger(made, clock=lambda: START) as ledger:
        live(ledger)
        done(ledger.submit_now([Grant("swift", "cy", 20, Source.PAID, 10, SWEPT, expiry=SWEPT + HOUR)]))
        done(ledger.submit_now([Grant("next", "cy", 20, Source.PAID, 10, SWEPT + 2 * HOUR)]))
    files = {"a.toml": "x = 1"}
    with closing(sqlite3.connect(made, isolation_level=None)) as db:
        apply_book(db, digest_files(files), files, START)
    assert verify(made).problems == []
    return made


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A copy to tamper with."""
    with sqlite3.connect(whole) as db:
        db.execute("VACUUM INTO ?", (str(tmp_path / "l.db"),))
    db.close()
    return tmp_path / "l.db"


@contextmanager
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as somebody who gets around checks and triggers."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA ignore_check_constraints = ON")
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    yield db
    db.close()


LAST = "seq = (SELECT max(seq) FROM posting WHERE entry IN (SELECT id FROM event WHERE customer = 'ada'))"
FIRST = "id = (SELECT min(id) FROM event WHERE customer = 'ada')"
EXPIRY = "kind = 'expire' AND before IS NOT NULL"


AS_VOID = "kind = 'void', credit = CASE WHEN unit = 'USD' THEN 'payments' ELSE 'issued:paid' END"
AS_EXPIRY = "kind = 'expire', credit = CASE WHEN unit = 'USD' THEN 'breakage' ELSE 'expired' END"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        # accounts
        ("UPDATE account SET balance = balance + 1 WHERE customer = 'ada'", "account ada: balance"),
        ("UPDATE account SET held = held - 1 WHERE customer = 'bob'", "account bob: held"),
        ("UPDATE account SET debt = 1 WHERE customer = 'bob'", "account bob: debt"),
        ("UPDATE account SET debt = debt - 1 WHERE customer = 'dan'", "account dan: debt"),
        ("UPDATE account SET lent = lent + 1 WHERE customer = 'dan'", "account dan: lent"),
        ("UPDATE account SET version = 1 WHERE customer = 'ada'", "account ada: version"),
        ("UPDATE account SET version = version - 1 WHERE customer = 'ada'", "account ada: version"),
        ("UPDATE account SET version = version - 1 WHERE customer = 'cy'", "account cy: version"),
        ("UPDATE account SET unit = 'tokens' WHERE customer = 'ada'", "the account of ada is in tokens and USD"),
        ("UPDATE account SET currency = 'EUR' WHERE customer = 'ada'", "the account of ada is in credits and EUR"),
        ("DELETE FROM account WHERE customer = 'bob'", "postings of bob"),
        # lots
        ("UPDATE lot SET amount = amount + 1 WHERE customer = 'ada'", "lot start-ada: amount"),
        ("UPDATE lot SET paid = paid - 1 WHERE customer = 'ada'", "lot start-ada: paid"),
        ("UPDATE lot SET used = used + 1 WHERE customer = 'bob'", "lot start-bob: used"),
        ("UPDATE lot SET held = held + 1 WHERE customer = 'bob'", "lot start-bob: held"),
        ("UPDATE lot SET gone = gone - 1 WHERE id = 'brief'", "lot brief: gone"),
        ("UPDATE lot SET used = used + 1, gone = gone - 1 WHERE id = 'brief'", "lot brief: used"),
        ("UPDATE lot SET source = 'promotional' WHERE id = 'start-ada'", "lot start-ada: source is promotional, the postings say paid"),
        ("UPDATE lot SET source = 'paid' WHERE id = 'gift'", "lot gift: source"),
        ("UPDATE lot SET customer = 'ada' WHERE id = 'start-bob'", "which is ada's"),
        ("UPDATE lot SET state = 0 WHERE id = 'late'", "lot late: amount is 5, the postings say 0"),
        ("UPDATE lot SET state = 1 WHERE id = 'start-ada'", "lot start-ada: amount is 0"),
        ("UPDATE lot SET state = 0 WHERE id = 'bad'", "lot bad: a correction says that it is void"),
        ("UPDATE lot SET state = 3 WHERE id = 'start-cy'", "lot start-cy: no correction says that it is void"),
        ("UPDATE lot SET state = 3 WHERE id = 'start-cy'", "lot start-cy: void, but some of it is free"),
        ("UPDATE lot SET expiry = expiry + 1 WHERE id = 'brief'", "lot brief expires at"),
        ("DELETE FROM lot WHERE id = 'start-cy'", "lot start-cy, which does not exist"),
        # holds and budgets
        ("UPDATE hold SET amount = amount + 1 WHERE state = 0 AND customer = 'ada'", "amount is 21, the bound say 20"),
        ("UPDATE hold SET bound = '[[\"start-ada\",30]]' WHERE state = 0 AND customer = 'bob'", "binds lot start-ada of ada"),
        ("UPDATE hold SET bound = '[[\"none\",30]]' WHERE state = 0 AND customer = 'bob'", "bind lot none, which does not exist"),
        ("UPDATE hold SET state = 2 WHERE state = 1 AND customer = 'bob'", "its hold is released"),
        ("UPDATE hold SET state = 1 WHERE state = 0 AND customer = 'bob'", "it is settled, its event missing"),
        ("UPDATE hold SET customer = 'bob' WHERE state = 1 AND customer = 'ada'", "its hold is settled and of bob"),
        ("DELETE FROM hold WHERE state = 2", "its hold is missing"),
        ("DELETE FROM hold WHERE state = 0 AND customer = 'bob'", "lot start-bob: held is 30, the holds say 0"),
        ("UPDATE spend SET held = held + 1 WHERE customer = 'dan'", "budget counter dan account day"),
        ("UPDATE spend SET held = 0 WHERE customer = 'dan'", "held is 0, the holds say 45"),
        ("DELETE FROM spend", "held is 0, the holds say 45"),
        # postings
        ("UPDATE posting SET amount = amount + 1 WHERE seq = 5", "wallet of"),
        ("UPDATE posting SET amount = 9223372036854775807 WHERE seq IN (7, 9)", "wallet of"),
        ("UPDATE posting SET amount = -amount, debit = credit, credit = debit WHERE seq = 5", "there are no such postings"),
        (f"UPDATE posting SET amount = amount + 1 WHERE credit = 'revenue' AND {LAST}", "revenue"),
        ("UPDATE posting SET before = before + 1 WHERE seq = 5", "wallet of"),
        ("UPDATE posting SET before = NULL, after = NULL WHERE seq = 5", "a wallet's balance is at the wrong place"),
        ("UPDATE posting SET debit = 'wallet:bob' WHERE debit = 'wallet:ada'", "wallet of bob"),
        ("UPDATE posting SET debit = 'wallet:nobody' WHERE debit = 'wallet:ada'", "postings of nobody, who has no account"),
        ("UPDATE posting SET unit = 'tokens' WHERE seq = 1", "in tokens"),
        ("UPDATE posting SET kind = 'repay' WHERE kind = 'use' AND credit = 'used' AND debit = 'wallet:ada'", "there are no such postings"),
        ("UPDATE posting SET kind = 'expire' WHERE kind = 'void' AND credit = 'payments'", "there are no such postings"),
        ("UPDATE posting SET lot = 'start-bob' WHERE lot = 'start-ada' AND kind = 'use'", "which is bob's"),
        ("UPDATE posting SET lot = '' WHERE lot = 'start-ada' AND kind = 'use'", "there are no such postings"),
        (f"UPDATE posting SET version = version + 1 WHERE {LAST}", "of several versions"),
        (f"UPDATE posting SET at = at - 86400000000 WHERE {LAST}", "the postings say"),
        (f"UPDATE posting SET recorded = recorded + 1 WHERE {LAST}", "several versions or moments"),
        (f"UPDATE posting SET at = at - 1 WHERE {EXPIRY}", "lot brief expires at"),
        ("UPDATE posting SET at = at + 1 WHERE entry = 'refund:back' AND line = 0", "refund back: at"),
        ("UPDATE posting SET at = at + 1 WHERE entry = 'grant:start-ada' AND line = 1", "entry grant:start-ada"),
        ("UPDATE posting SET entry = 'expiry:cy:1' WHERE substr(entry, 1, 7) = 'expiry:'", "but no event, grant, correction or expiry"),
        ("UPDATE posting SET entry = 'grant:other' WHERE entry = 'grant:start-ada'", "but no event, grant, correction or expiry"),
        ("UPDATE posting SET entry = 'refund:other' WHERE entry = 'refund:back'", "but no event, grant, correction or expiry"),
        ("DELETE FROM posting WHERE kind = 'grant' AND lot = 'start-cy'", "lot start-cy: amount"),
        (f"DELETE FROM posting WHERE {LAST}", "lot start-ada: recognised"),
        ("DELETE FROM posting WHERE kind = 'owe'", "account dan: debt"),
        ("DELETE FROM posting WHERE kind = 'waive'", "waived is 10, the postings say 0"),
        ("DELETE FROM posting WHERE kind = 'promotion'", "of which promotional is 7"),
        (f"UPDATE posting SET {AS_VOID} WHERE kind = 'expire' AND lot = 'brief'", "lot brief: the postings say that it is void"),
        ("UPDATE posting SET kind = 'void', credit = 'payments' WHERE credit = 'breakage'", "the postings say that it is void"),
        (f"UPDATE posting SET {AS_EXPIRY} WHERE kind = 'void'", "some of lot bad expired after it was void"),
        ("UPDATE posting SET kind = 'expire', credit = 'breakage' WHERE kind = 'void' AND credit = 'payments'", "without credits that go with it"),
        ("UPDATE posting SET at = at + 2592000000000 WHERE kind = 'expire' AND lot = 'swift'", "entry grant:next: its postings are of several"),
        ("UPDATE posting SET at = at + 2592000000000 WHERE credit = 'breakage' AND lot = 'swift'", "entry grant:next: money of lot swift"),
        # events
        ("UPDATE event SET status = 'unrated' WHERE customer = 'bob'", "its status is unrated, but 33 was charged"),
        ("UPDATE event SET counts = 'nonsense' WHERE customer = 'bob'", "its counts are not counts: nonsense"),
        ("UPDATE event SET counts = '{\"input\":-1}' WHERE customer = 'bob'", "its counts are not counts"),
        ("UPDATE hold SET draft = '{}' WHERE state = 0 AND customer = 'bob'", "its draft is no event"),
        ("UPDATE hold SET draft = replace(draft, 'bob', 'ada') WHERE state = 0 AND customer = 'bob'", "its draft is the event"),
        ("UPDATE account SET pending = 'late' WHERE customer = 'eve'", "account eve: waits for late"),
        ('UPDATE book SET files = \'{"a.toml":"x = 2"}\'', "its files are not those of its digest"),
        ("UPDATE event SET charge = charge + 1 WHERE customer = 'bob'", "charge is 34, the postings say 33"),
        ("UPDATE event SET charge = 0 WHERE customer = 'bob'", "charge is 0, the postings say 33"),
        ("UPDATE event SET revenue = revenue + 1 WHERE customer = 'bob'", "revenue is 17, the postings say 16"),
        ("UPDATE event SET waived = waived + 1 WHERE customer = 'bob'", "waived is 1, the postings say 0"),
        ("UPDATE event SET customer = 'bob' WHERE customer = 'ada' AND charge > 0", "customer is bob, the postings say ada"),
        ("UPDATE event SET customer = 'bob' WHERE customer = 'ada' AND charge = 0", "its hold is released and of ada"),
        ("UPDATE event SET unit = 'tokens' WHERE customer = 'ada'", "the postings are in credits"),
        ("UPDATE event SET currency = 'EUR' WHERE customer = 'ada'", "the postings are in USD"),
        ("UPDATE event SET ended = ended + 1 WHERE customer = 'ada'", "the postings say"),
        ("UPDATE event SET cost = cost + 1 WHERE customer = 'dan' AND cost > 0", "of which promotional"),
        ("DELETE FROM event WHERE customer = 'bob'", "its event missing"),
        ("UPDATE event SET status = 'lost' WHERE status = 'ok'", "its hold is settled, its status lost"),
        ("UPDATE event SET status = 'odd' WHERE status = 'ok'", "its hold is settled, its status odd"),
        # corrections
        ("UPDATE correction SET amount = amount + 1 WHERE id = 'back'", "refund back: amount"),
        ("UPDATE correction SET amount = 40000, at = at WHERE id = 'back'", "refunds of it say 40000"),
        ("UPDATE correction SET amount = amount + 1 WHERE id = 'plus'", "adjustment plus: amount"),
        ("UPDATE correction SET amount = amount + 1 WHERE id = 'minus'", "adjustment minus: amount"),
        ("UPDATE correction SET amount = amount + 1 WHERE id = 'void:bad'", "void:bad: amount"),
        ("UPDATE correction SET customer = 'ada' WHERE id = 'minus'", "adjustment minus of ada"),
        ("UPDATE correction SET customer = 'ada' WHERE id = 'back'", "refund back of ada"),
        ("UPDATE correction SET corrects = (SELECT id FROM event WHERE customer = 'ada') WHERE id = 'back'", "refund back of eve"),
        ("UPDATE correction SET corrects = 'start-ada' WHERE id = 'void:bad'", "void:bad of eve: the lot is ada's"),
        ("UPDATE correction SET at = at + 1 WHERE id = 'minus'", "adjustment minus: at"),
        ("UPDATE correction SET kind = 'gift' WHERE id = 'plus'", "there is no kind gift"),
        ("UPDATE correction SET corrects = (SELECT max(id) FROM event WHERE customer = 'eve') WHERE id = 'back'", "to be refunded"),
        ("DELETE FROM correction WHERE id = 'back'", "but no event, grant, correction or expiry"),
        ("DELETE FROM correction WHERE id = 'void:bad'", "lot bad: no correction says that it is void"),
    ],
)
def test_tampering_is_named(path: Path, statement: str, named: str) -> None:
    with tampering(path) as db:
        assert db.execute(statement).rowcount > 0
    problems = verify(path).problems
    assert [problem for problem in problems if named in problem], problems


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET counts = '{}', product = 'x', cost = cost + 1 WHERE customer = 'bob'",
        "UPDATE posting SET recorded = recorded - 86400000000 WHERE entry = 'grant:start-ada'",
        "UPDATE posting SET at = at - 86400000000 WHERE entry = 'grant:start-ada'",
        "DELETE FROM lot WHERE id = 'wait'",
        "DELETE FROM notice",
    ],
)
def test_what_it_cannot_prove_is_as_the_documentation_says(path: Path, statement: str) -> None:
    with tampering(path) as db:
        db.execute(statement)
    assert verify(path).problems == []


def test_many_problems_are_cut_short(path: Path) -> None:
    with tampering(path) as db:
        db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO hold SELECT 'h' || i, 'ada', 0, '[]', "
                   "0, '', '', 1, '', '' FROM n")  # fmt: skip
    problems = verify(path).problems
    assert (len(problems), problems[-1]) == (MOST_PROBLEMS + 1, "... and more")


def test_a_deep_look_is_for_files() -> None:
    with pytest.raises(InputError, match="amcheck"):
        verify_any("postgresql://nowhere/none", deep=True)


def test_an_index_that_lies_is_found_by_a_deep_look(path: Path) -> None:
    with tampering(path) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, '(deadline) WHERE state = 0', '(deadline) WHERE state = 1') WHERE name = 'hold_deadline'"
        )
    assert verify(path).problems == []
    assert "the file is damaged" in verify(path, deep=True).problems[0]


def test_one_connection_does_where_writers_are_too_fast_for_two(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "ATTEMPTS", 0)
    whole = verify(path)
    assert whole.problems == []
    with tampering(path) as db:
        db.execute("UPDATE event SET charge = charge + 1 WHERE customer = 'bob'")
    assert [problem for problem in verify(path).problems if "charge is 34" in problem]


def test_both_connections_see_one_snapshot(path: Path) -> None:
    def seen(*readers: Reader) -> list[tuple[int, int]]:
        return [tuple(reader.db.execute(verifying.STATE).fetchone()) for reader in readers]

    with SqliteLedger(path, clock=lambda: START) as ledger, Reader(path) as one, Reader(path) as two:
        (older,) = seen(one)
        done(ledger.submit_now([Hold(draft(100), 1, SWEPT + HOUR)]))
        assert verifying._agree(one, two)
        done(ledger.submit_now([Settle(settled(draft(100), 1))]))
        (count, version) = older
        assert seen(one, two) == [(count, version + 1)] * 2


def test_a_proof_beside_a_busy_writer(path: Path) -> None:
    enough = threading.Event()

    def write() -> None:
        with SqliteLedger(path, clock=lambda: START) as ledger:
            number = 100
            while not enough.is_set():
                number += 1
                ledger.submit_now([Hold(draft(number), 1, SWEPT + HOUR), Settle(settled(draft(number), 1))])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        reports = [verify(path) for _ in range(10)]
    finally:
        enough.set()
        writer.join()
    assert [report.problems for report in reports] == [[]] * 10
    assert reports[-1].events > reports[0].events


def test_phases_are_told_in_order(path: Path) -> None:
    told: list[str] = []
    verify(path, tell=told.append)
    assert tuple(told) == PHASES


@pytest.mark.parametrize("table", ["posting", "event", "correction"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
def test_history_is_append_only(path: Path, table: str, statement: str) -> None:
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement.format(table))
    db.close()
