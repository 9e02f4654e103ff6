"""An older database on PostgreSQL is upgraded by the first who may write, in one transaction; PostgreSQL began at schema 2."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.support.events import draft
from tests.support.postgres import server
from tokenworth.core.errors import InputError, LedgerError
from tokenworth.store.ledger.codec import event_row, event_value, text
from tokenworth.store.migrations import HEAD, script
from tokenworth.store.postgres.connect import connect


@pytest.fixture
def url() -> Iterator[str]:
    made = server().database()
    yield made
    server().drop(made)


async def ask(url: str, *statements: str, **how: Any) -> Any:
    """Run statements on a connection to a ledger; return the last one's value."""
    db = await connect(url, **how)
    try:
        return [await db.fetchval(statement) for statement in statements][-1]
    finally:
        await db.close()


VERSION = "SELECT version FROM ledger_schema"
SERVED = ("served_tier", "charged_tier", "promise", "queued", "streamed", "wasted", "attempts")
FIFTH = (*(f"ALTER TABLE event DROP COLUMN {name}" for name in SERVED), "ALTER TABLE api_key DROP COLUMN tier")
FOURTH = ("DROP TABLE operator_key", "DROP INDEX api_key_of", "DROP INDEX event_imported")
THIRD = ("DROP INDEX account_debt", "ALTER TABLE customer DROP COLUMN own")
OLDER = (*FIFTH, *FOURTH, *THIRD, "UPDATE ledger_schema SET version = 2 RETURNING version")
INDEXES = "SELECT string_agg(indexdef, ' ' ORDER BY indexname) FROM pg_indexes WHERE schemaname = current_schema"
COLUMNS = "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'book'"
TABLES = "SELECT count(*) FROM pg_class WHERE relname = 'alembic_version'"


async def test_a_new_database_is_at_head(url: str) -> None:
    assert await ask(url, VERSION) == HEAD


async def test_of_several_who_open_one_upgrades(url: str, caplog: pytest.LogCaptureFixture) -> None:
    indexes = await ask(url, INDEXES)
    await ask(url, *OLDER)
    with caplog.at_level(logging.WARNING):
        assert await asyncio.gather(*(ask(url, VERSION) for _ in range(5))) == [HEAD] * 5
    assert [record.getMessage().partition(" is ")[2] for record in caplog.records] == [f"upgraded from schema 2 to {HEAD}"]
    assert await ask(url, INDEXES) == indexes
    assert await ask(url, TABLES) == 0


async def test_drafts_of_open_holds_have_what_is_new_where_it_stands(url: str) -> None:
    event = draft(1)._replace(counts={"input": 2**53 + 1}, project="ü", charge=7, waived=8, revenue=9)
    older = event_row(event)
    older = (*older[:22], *older[29:])
    values = (text(older).replace("'", "''"), event.id)
    put = "INSERT INTO hold (id, customer, amount, bound, deadline, key, body, state, draft) VALUES ('{1}', 'ada', 1, '[]', 1, '', '', 0, '{0}')"
    await ask(url, *OLDER, put.format(*values))
    found = await ask(url, "SELECT draft FROM hold")
    assert event_value(orjson.loads(found)) == event


async def test_the_sql_of_an_upgrade_is_run_whole_or_not_at_all(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await ask(url, *OLDER, COLUMNS)
    good = "ALTER TABLE book ADD COLUMN note text NOT NULL DEFAULT 'a; b'; UPDATE book SET note = ''; -- and a comment\n"
    with monkeypatch.context() as patched:
        patched.setattr(script, "upgrade_script", lambda *_: good + "SELECT 1 / 0;")
        with pytest.raises(LedgerError, match="division by zero"):
            await ask(url, VERSION)
    with pytest.raises(LedgerError, match=f"has schema 2, this version reads {HEAD}"):
        await ask(url, VERSION, create=False)
    monkeypatch.setattr(script, "upgrade_script", lambda *_: good)
    assert await ask(url, COLUMNS) == f"{before} note"
    assert await ask(url, VERSION) == HEAD


async def test_a_newer_database_is_refused(url: str) -> None:
    await ask(url, "UPDATE ledger_schema SET version = 99")
    with pytest.raises(LedgerError, match=rf"has schema 99, this version knows {HEAD}.*newer tokenworth"):
        await ask(url, VERSION)


async def test_who_only_reads_makes_nothing(url: str) -> None:
    with pytest.raises(InputError, match="there is no ledger"):
        await ask(url, VERSION, create=False)
    assert server().psql("SELECT count(*) FROM pg_class WHERE relname = 'posting'", url.partition("?")[0].rpartition("/")[2]) == "0"
