"""A batch that cannot be written leaves nothing in any table, wherever in it the disk fails; and one bad command fails only itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

import apsw
import pytest

from tests.chaos.power import Record, recording
from tests.support.engines import Sqlite
from tests.support.events import START, done, draft, open_ledger, settled
from tokenworth.capture.commands import Adjust, Cancel, Command, Confirm, Grant, Hold, OpenAccount, Reason, Refund, Refused, Settle, Source, Void
from tokenworth.capture.policy import Budget, Policy, TopUp
from tokenworth.core.errors import LedgerError
from tokenworth.core.periods import Window
from tokenworth.store.sqlite.ledger import SqliteLedger

WATCHED = Policy(credit_line=9, budgets=(Budget("account", Window.DAY, 900),), low_balance=(10**6,), top_up=TopUp(10**6, 5, 1))


@pytest.fixture
def store() -> Iterator[Sqlite]:
    made = Sqlite()
    yield made
    made.drop()


def batch() -> list[Command]:
    """Return commands that write to every table; each refund makes what is before it be written first."""
    first, second = draft(1), draft(2)
    return [
        OpenAccount("bob", "credits", "USD", START, WATCHED),
        OpenAccount("ada", "credits", "USD", START, WATCHED),
        Grant("g", "ada", 70, Source.PAID, 7, START),
        Grant("later", "ada", 70, Source.PAID, 7, START, pending=True),
        Hold(first, 60, START + 60),
        Settle(settled(first, 50)),
        Refund("r1", first.id, 20, START, "eve", "why"),
        Confirm("later", START),
        Hold(second, 30, START + 60),
        Settle(settled(second, 31)),
        Refund("r2", second.id, None, START, "eve", "why"),
        Void("later", START, "eve", "why"),
        Adjust("a1", "ada", -5, START, "eve", "why"),
    ]


@contextmanager
def full(ledger: SqliteLedger) -> Iterator[None]:
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages}")
    yield
    ledger._db.execute("PRAGMA max_page_count = 1000000")


@contextmanager
def read_only(ledger: SqliteLedger) -> Iterator[None]:
    ledger._db.execute("PRAGMA query_only = ON")
    yield
    ledger._db.execute("PRAGMA query_only = OFF")


@contextmanager
def refusing(ledger: SqliteLedger, table: str) -> Iterator[None]:
    ledger._db.execute(f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT raise(ABORT, 'no more room'); END")
    yield
    ledger._db.execute("DROP TRIGGER no")


@pytest.mark.parametrize(
    ("failing", "said", "more"),
    [
        (full, "full", 2_000),
        (read_only, "readonly.*writable", 0),
        *((lambda ledger, table=table: refusing(ledger, table), "no more room", 0) for table in ("lot", "event", "spend", "correction", "notice")),
    ],
)
def test_nothing_of_a_failed_batch_is_there(
    store: Sqlite, failing: Callable[[SqliteLedger], AbstractContextManager[None]], said: str, more: int
) -> None:
    with open_ledger(store.path, ada=10_000) as ledger:
        before = store.picture()
        with failing(ledger), pytest.raises(LedgerError, match=said):
            ledger.submit_now([*batch(), *(Hold(draft(10 + n), 0, START + 60) for n in range(more))])
        assert store.picture() == before
        # the writer's memory went back too: the same batch now does what it would have done
        assert not any(isinstance(result, Refused) or result.repeated for result in ledger.submit_now(batch()))
    assert store.picture().problems == []


def test_a_disk_that_is_full_at_any_write(store: Sqlite) -> None:
    """The log takes several writes a commit; whichever fails, the batch is not there, and the next one is whole."""
    with recording(Record()), open_ledger(store.path, ada=10_000) as ledger:
        for writes in range(40):
            before = store.picture()
            left = writes

            def write(file: apsw.VFSFile, data: bytes, offset: int) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise apsw.FullError("no space left")
                apsw.VFSFile.xWrite(file, data, offset)

            event = draft(writes)
            commands: list[Command] = [Hold(event, 20, START + 60), Settle(settled(event, 10)), Refund(f"r{writes}", event.id, 5, START, "", "")]
            with patch("tests.chaos.power._File.xWrite", write):
                try:
                    done(ledger.submit_now(commands))
                except LedgerError:
                    assert store.picture() == before
                    left = 10**6  # somebody made room
                    done(ledger.submit_now(commands))
            after = store.picture()
            assert after.problems == []
            assert after.events.keys() - before.events.keys() == {event.id}
    assert left >= 0, "the last batch had all its writes"


BAD: dict[str, tuple[list[Command], Reason]] = {
    "another customer's hold": ([Hold(draft(1, "bob"), 5, START + 60), Settle(settled(draft(1, "ada"), 5))], Reason.UNKNOWN_HOLD),
    "an adjustment named like a grant": ([Adjust("start-ada", "ada", 5, START, "", "")], Reason.CONFLICT),
    "an adjustment named like a void": ([Adjust("void:start-ada", "ada", 5, START, "", "")], Reason.CONFLICT),
    "a grant named like a top-up": ([Grant("top-up-ada-1", "ada", 5, Source.PAID, 0, START)], Reason.BAD_AMOUNT),
    "a correction of another customer": ([Adjust("x", "bob", 5, START, "", ""), Adjust("x", "ada", 5, START, "", "")], Reason.CONFLICT),
    "a refund of what nobody was charged": ([Refund("r", "nothing", 5, START, "", "")], Reason.UNKNOWN_EVENT),
    "a cancellation of nothing": ([Cancel("nothing", START)], Reason.UNKNOWN_GRANT),
    "a grant of no name": ([Grant("", "ada", 5, Source.PAID, 0, START)], Reason.BAD_ID),
    "an adjustment of no name": ([Adjust("", "ada", 5, START, "", "")], Reason.BAD_ID),
    "a priority that no row holds": ([Grant("g", "ada", 5, Source.PAID, 0, START, priority=10**20)], Reason.BAD_AMOUNT),
    "another unit": ([Hold(draft(1)._replace(unit="EUR"), 5, START + 60)], Reason.CONFLICT),
    "more than there can be": ([Hold(draft(1), 2**70, START + 60)], Reason.INSUFFICIENT_CREDITS),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_command_fails_only_itself(store: Sqlite, case: str) -> None:
    commands, reason = BAD[case]
    with open_ledger(store.path, ada=100, bob=100) as ledger:
        *_, bad, good = ledger.submit_now([*commands, Hold(draft(9), 7, START + 60)])
        assert isinstance(bad, Refused)
        assert bad.reason is reason
        assert not isinstance(good, Refused)
    assert store.picture().problems == []
