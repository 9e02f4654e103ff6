"""A server that fails is a clear error for every caller, and no half batch; what was acknowledged is there when it is back."""

import asyncio
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.support.events import START, done, draft, open_where, settled
from tests.support.postgres import Server, server
from tokenworth.capture.commands import Hold, Settle
from tokenworth.core.errors import LedgerError, TokenworthError
from tokenworth.store.postgres.connect import LOCK_SECONDS, SETTINGS
from tokenworth.store.postgres.ledger import PostgresLedger
from tokenworth.store.postgres.reader import PostgresReader, verify

LATER = START + 60_000_000
DROP_CONNECTIONS = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

WAKE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


def name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def psql(url: str, statement: str) -> str:
    return server().psql(statement, name_of(url))


@pytest.mark.parametrize(
    ("state", "mend"),
    [("53100", "make room"), ("25006", "name the primary"), ("57P01", "shutting down|not known"), ("42501", "the right to"), ("XX001", "ledger")],
)
def test_what_the_server_refuses_is_an_error_and_nothing_of_the_batch_is_there(url: str, state: str, mend: str) -> None:
    with open_where(url, ada=100) as ledger:
        body = f"BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END"
        psql(url, f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        psql(url, "CREATE TRIGGER fails BEFORE INSERT ON event EXECUTE FUNCTION fail()")
        with pytest.raises(LedgerError, match=mend):
            ledger.submit_now([Hold(draft(1), 10, LATER), Hold(draft(2), 10, LATER), Settle(settled(draft(1), 5))])
        psql(url, "DROP TRIGGER fails ON event")
        assert done(ledger.submit_now([Hold(draft(3), 10, LATER)])).available == 90
    assert verify(url).problems == []
    with PostgresReader(url) as reader:
        assert [hold.id for hold in reader.open_holds()] == [draft(3).id]


def test_a_server_that_only_reads(url: str) -> None:
    with open_where(url, ada=100) as ledger:
        psql(url, f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
        psql(url, DROP_CONNECTIONS)
        with pytest.raises(LedgerError, match="only reads"):
            ledger.submit_now([Hold(draft(1), 10, LATER)])
        server().psql(f"ALTER DATABASE {name_of(url)} RESET default_transaction_read_only")
        psql(url, DROP_CONNECTIONS)
        assert done(ledger.submit_now([Hold(draft(1), 10, LATER)])).available == 90


def test_a_connection_lost_between_batches_is_opened_anew(url: str) -> None:
    with open_where(url, ada=100) as ledger:
        psql(url, DROP_CONNECTIONS)
        assert done(ledger.submit_now([Hold(draft(1), 10, LATER)])).available == 90
        psql(url, DROP_CONNECTIONS)
        assert done(ledger.submit_now([Settle(settled(draft(1), 5))])).available == 95
    assert verify(url).problems == []


def test_a_connection_lost_in_a_batch_is_asked_again_and_counts_once(url: str) -> None:
    waiting = f"FROM pg_stat_activity WHERE datname = '{name_of(url)}' AND wait_event_type = 'Lock'"
    with open_where(url, ada=100) as ledger, locked(url):
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(done(ledger.submit_now([Hold(draft(1), 10, LATER)])).available))
        asking.start()
        while psql(url, f"SELECT count(*) {waiting}") == "0":
            pass
        assert psql(url, f"SELECT pg_terminate_backend(pid) {waiting}") == "t"
        while psql(url, f"SELECT count(*) {waiting}") == "0":
            pass
        psql(url, WAKE)
        asking.join(60)
        assert answers == [90]
    with PostgresReader(url) as reader:
        assert len(list(reader.open_holds())) == 1


class locked:  # noqa: N801 - reads as what it does
    """Another session that holds every account, or some."""

    def __init__(self, url: str, which: str = "true") -> None:
        self._url = url
        self._which = which
        self._thread = threading.Thread(target=self._hold)

    def _hold(self) -> None:
        with pytest.raises(Exception, match="psql"):
            psql(self._url, f"BEGIN; SELECT 1 FROM account WHERE {self._which} FOR UPDATE; SELECT pg_sleep(60)")

    def __enter__(self) -> None:
        self._thread.start()
        while psql(self._url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()") == "0":
            pass

    def __exit__(self, *_: object) -> None:
        psql(self._url, WAKE)
        self._thread.join()


def test_an_account_that_another_process_keeps_locked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "lock_timeout", "100ms")
    with open_where(url, ada=100) as ledger:
        with locked(url), pytest.raises(LedgerError, match="holds an account for long"):
            ledger.submit_now([Hold(draft(1), 10, LATER)])
        assert done(ledger.submit_now([Hold(draft(1), 10, LATER)])).available == 90


async def test_who_waits_for_a_lock_keeps_nobody_else_waiting(url: str) -> None:
    asked = [["ada"], ["bob", "ada"], ["bob"], ["cy"]]
    with open_where(url, ada=100, bob=100, cy=100) as here, open_where(url) as there:
        for turn, ledger in enumerate([here, there, here]):
            done(await ledger.submit([Hold(draft(turn), 10, LATER)]))
        with locked(url, "customer = 'ada'"):
            holds = [[Hold(draft(10 * turn + part + 10, name), 10, LATER) for part, name in enumerate(names)] for turn, names in enumerate(asked)]
            late, both, behind, free = [asyncio.create_task(here.submit(commands)) for commands in holds]
            assert done(await asyncio.wait_for(free, LOCK_SECONDS / 2)).available == 90
            assert not any(task.done() for task in (late, both, behind))
        assert [[done([result]).available for result in await task] for task in (late, both, behind)] == [[60], [90, 50], [80]]
    assert verify(url).problems == []


def test_a_newer_database_is_refused(url: str) -> None:
    open_where(url, ada=100).close()
    psql(url, "UPDATE ledger_schema SET version = 99")
    for kind in (lambda: open_where(url), lambda: PostgresReader(url)):
        with pytest.raises(LedgerError, match="schema 99"):
            kind()


@pytest.mark.parametrize("place", ["postgresql:///nothing?host=/nowhere", "postgresql://127.0.0.1:1/x", "postgresql://u:secret@127.0.0.1:1/x"])
def test_a_server_that_is_not_there(place: str) -> None:
    with pytest.raises(LedgerError, match="check that the server runs") as told:
        PostgresLedger(place, clock=lambda: START)
    assert "secret" not in str(told.value)


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(TokenworthError, match=r"tokenworth\[postgres\]"):
        PostgresLedger("postgresql:///x", clock=lambda: START)


@pytest.mark.parametrize("table", ["posting", "event", "correction"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = 0", "DELETE FROM {}", "TRUNCATE {}"])
def test_history_is_append_only(url: str, table: str, statement: str) -> None:
    open_where(url, ada=100).close()
    with PostgresReader(url) as reader:
        reader.db.execute("ROLLBACK")
        with pytest.raises(LedgerError, match="append-only"):
            reader.db.execute(statement.format(table))


def test_a_closed_ledger_says_so(url: str) -> None:
    ledger = open_where(url)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.submit_now([])


@pytest.fixture
def mortal() -> Iterator[Server]:
    """A server of the test's own, to be killed."""
    made = Server()
    yield made
    made.stop()


async def test_what_was_acknowledged_survives_the_servers_death(mortal: Server) -> None:
    place = mortal.database()
    acknowledged: dict[str, int] = {}
    errors = 0
    with open_where(place, ada=10**9) as ledger:

        async def spend(first: int) -> None:
            nonlocal errors
            for number in range(first, first + 10_000):
                event = draft(number)
                try:
                    await ledger.submit([Hold(event, 10, LATER)])
                    (result,) = await ledger.submit([Settle(settled(event, 10))])
                    assert result == done([result])
                except LedgerError:
                    errors += 1
                    await asyncio.sleep(0.05)
                else:
                    acknowledged[event.id] = 10

        load = [asyncio.create_task(spend(caller * 10_000)) for caller in range(8)]
        for pause in (0.3, 0.2, 0.35):
            await asyncio.sleep(pause)
            mortal.kill()
            await asyncio.to_thread(mortal.start)
        before = len(acknowledged)
        await asyncio.sleep(0.5)
        assert len(acknowledged) > before
        for task in load:
            task.cancel()
        await asyncio.gather(*load, return_exceptions=True)
    assert errors
    report = verify(place)
    assert report.problems == []
    with PostgresReader(place) as reader:
        stored = [event.id for event in reader.read()]
    assert acknowledged.keys() <= set(stored)
    assert len(stored) == len(set(stored))
    assert report.balances["credits", "used"] == 10 * len(stored)
