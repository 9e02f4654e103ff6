"""An older file is upgraded when it is opened for writing: exactly to the schema of a new one, whole or not at all, once."""

import logging
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from tests.support.events import START, done, draft, failed, open_ledger, settled
from tests.support.first_ledger import COMMANDS, fill
from tests.support.lives import live
from tokenworth.capture.commands import Adjust, Confirm, Done, Grant, OpenAccount, Refused, Release, Settle
from tokenworth.capture.policy import Policy, TopUp
from tokenworth.core.errors import InputError, LedgerError
from tokenworth.store.migrations import HEAD
from tokenworth.store.migrations.script import upgrade_script
from tokenworth.store.sqlite import upgrade as upgrading
from tokenworth.store.sqlite.connect import connect
from tokenworth.store.sqlite.file import statements
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify

ROOT = Path(__file__).parent.parent.parent
FIRST = (ROOT / "tests" / "golden" / "ledger_v1.sql").read_text(encoding="utf-8")
SECOND = (ROOT / "tests" / "golden" / "ledger_v2.sql").read_text(encoding="utf-8")
THIRD = (ROOT / "tests" / "golden" / "ledger_v3.sql").read_text(encoding="utf-8")
FOURTH = (ROOT / "tests" / "golden" / "ledger_v4.sql").read_text(encoding="utf-8")
OPENER = """
import sys
from pathlib import Path
from tokenworth.store.sqlite.connect import connect
connect(Path(sys.argv[1])).close()
print("alembic" in sys.modules)
"""


def first_file(path: Path) -> Path:
    """Make a file of version 1, with the ledger that version 1 wrote."""
    return file_of(FIRST, path)


def second_file(path: Path) -> Path:
    """Make a file of version 2, with the ledger that version 2 wrote."""
    return file_of(SECOND, path)


def third_file(path: Path) -> Path:
    """Make a file of version 3, with the ledger that version 3 wrote."""
    return file_of(THIRD, path)


def fourth_file(path: Path) -> Path:
    """Make a file of version 4, with the ledger that version 4 wrote."""
    return file_of(FOURTH, path)


def file_of(script: str, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(script)
    return path


def relive(path: Path) -> None:
    """Write with this version what the ledgers of versions 2 to 4 went through."""
    with open_ledger(path) as ledger:
        live(ledger)


def empty_file(path: Path) -> Path:
    """Make a file of version 1 without rows."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        upgrading.run(db, 0, 1)
    return path


def schema(path: Path) -> dict[str, Any]:
    """Return all that SQLite knows of a file's schema: its text without comments and spaces, and what the pragmas say."""
    with closing(sqlite3.connect(path)) as db:
        found: dict[str, Any] = {"version": db.execute("PRAGMA user_version").fetchone()[0]}
        for kind, name, text in db.execute("SELECT type, name, sql FROM sqlite_schema").fetchall():
            # SQLite writes a column that is added behind a comma, without the spaces, and a name that a table got later in quotes
            found[f"{kind} {name}"] = re.sub(r"[\s\"]+", "", re.sub(r"--.*", "", text or ""))
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            for pragma in ("table_xinfo", "foreign_key_list"):
                found[f"{pragma} {name}"] = db.execute(f"PRAGMA {pragma}({name})").fetchall()
            for _, index, *rest in db.execute(f"PRAGMA index_list({name})").fetchall():
                found[f"index {index} of {name}"] = (rest, db.execute(f"PRAGMA index_xinfo({index})").fetchall())
        found["tables"] = sorted(row[1:] for row in db.execute("PRAGMA table_list") if not row[1].startswith("sqlite_"))
    return found


def tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [f"PRAGMA user_version = {db.execute('PRAGMA user_version').fetchone()[0]}", *db.iterdump()]


@pytest.mark.parametrize("older", [first_file, second_file, third_file, fourth_file, empty_file])
def test_an_upgraded_file_has_the_schema_of_a_new_one(tmp_path: Path, older: Any) -> None:
    connect(older(tmp_path / "old.db")).close()
    connect(tmp_path / "new.db").close()
    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


def test_all_revisions_together_make_a_new_file(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "revisions.db", isolation_level=None)) as db:
        upgrading.run(db, 0)
    connect(tmp_path / "new.db").close()
    assert schema(tmp_path / "revisions.db") == schema(tmp_path / "new.db")


def test_the_first_revision_is_what_the_first_version_made(tmp_path: Path) -> None:
    assert schema(empty_file(tmp_path / "a.db")) == schema(first_file(tmp_path / "b.db"))


def test_head_is_the_last_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "tokenworth.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [f"{HEAD:04}"]


@pytest.mark.parametrize(("older", "again"), [(first_file, fill), (second_file, relive), (third_file, relive), (fourth_file, relive)])
def test_what_was_in_the_file_is_what_the_same_commands_make_now(tmp_path: Path, older: Any, again: Any) -> None:
    """The older program wrote the one, this program writes the other: postings with their kinds, drafts, holds, lots, events, accounts.

    Only postings of promotional cost come later in the sequence, as they were made later.
    """
    old, new = older(tmp_path / "old.db"), tmp_path / "new.db"
    connect(old).close()
    again(new)
    with closing(sqlite3.connect(old)) as upgraded, closing(sqlite3.connect(new)) as made:
        for name in tables(new):
            columns = [row[1] for row in made.execute(f"PRAGMA table_info({name})") if (name, row[1]) != ("posting", "seq")]
            query = f"SELECT {', '.join(columns)} FROM {name} ORDER BY {', '.join(columns)}"
            assert upgraded.execute(query).fetchall() == made.execute(query).fetchall(), name
        order = "SELECT entry, line FROM posting WHERE kind <> 'promotion' ORDER BY seq"
        assert upgraded.execute(order).fetchall() == made.execute(order).fetchall()


def test_what_the_older_version_wrote_is_unchanged(tmp_path: Path) -> None:
    path = first_file(tmp_path / "l.db")
    with closing(sqlite3.connect(path)) as db:
        columns = {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in tables(path)}
        columns["posting"].remove("kind")
        columns["hold"].remove("draft")
        last = db.execute("SELECT max(seq) FROM posting").fetchone()[0]
        queries = [f"SELECT {', '.join(names)} FROM {name} WHERE {'seq' if name == 'posting' else 0} <= {last}" for name, names in columns.items()]
        before = [sorted(db.execute(query), key=repr) for query in queries]
    connect(path).close()
    with closing(sqlite3.connect(path)) as db:
        assert [sorted(db.execute(query), key=repr) for query in queries] == before
        kinds = dict(db.execute("SELECT kind, count(*) FROM posting GROUP BY kind"))
        promoted = db.execute("SELECT amount FROM posting WHERE kind = 'promotion' ORDER BY seq").fetchall()
    # seven grants, four of them paid; seven parts of lots used, three with revenue; three times beyond; twice repaid, with revenue
    assert kinds == {"grant": 11, "use": 10, "owe": 3, "repay": 4, "promotion": 3}
    # all of 70; 10,000,000,007 * 150 / 901 = 1,664,816,871.3; 3 * 1,000 / 1,040 = 2.9
    assert promoted == [(70,), (1_664_816_871,), (3,)]
    assert verify(path).problems == []


def test_a_ledger_of_the_second_version_goes_on(tmp_path: Path) -> None:
    path = second_file(tmp_path / "l.db")
    with open_ledger(path) as ledger:
        done(ledger.submit_now([Settle(settled(draft(8), 20))]))
        # all that is left of the lot, so that it is over
        assert done(ledger.submit_now([Adjust("rest", "bob", -437, START, "kim", "moved")])).available == 0
        assert done(ledger.submit_now([Release(failed(draft(9, "bob")))])).available == 30
    assert verify(path).problems == []


def test_an_upgraded_ledger_goes_on(tmp_path: Path) -> None:
    path = first_file(tmp_path / "l.db")
    with open_ledger(path) as ledger:
        third, last = draft(3), draft(11, "dan")
        result = done(ledger.submit_now([Settle(settled(third, 300))]))
        assert result.available == 5_249 - 300
        # 249 of the first paid lot, 51 of the second; what was paid is recognised to the nano-unit
        assert result.event is not None
        assert result.event.revenue == (333 - 250) + 20
        assert done(ledger.submit_now([Release(failed(last))])).available == 7
        # an append-only table is append-only again
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            ledger._db.execute("UPDATE posting SET amount = amount")
        # what was done before is known
        again = ledger.submit_now([command for command in COMMANDS if isinstance(command, Grant | Settle)])
        assert all(isinstance(each, Done) and each.repeated for each in again)
        (refused,) = ledger.submit_now([Grant("gift", "ada", 301, COMMANDS[1].source, 0, START)])
        assert isinstance(refused, Refused)
    assert verify(path).problems == []


def test_a_grant_that_is_named_like_a_top_up_stands_in_no_ones_way(tmp_path: Path) -> None:
    """Such names were free in version 1."""
    path = tmp_path / "l.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(FIRST.replace("gift", "top-up-ada-1"))
    policy = Policy(top_up=TopUp(below=5_000, amount=100, paid=9))
    with open_ledger(path) as ledger:
        done(ledger.submit_now([OpenAccount("ada", "credits", "USD", START, policy), Settle(settled(draft(3), 300))]))
        assert done(ledger.submit_now([Confirm("top-up-ada/1", START)])).available == 5_249 - 300 + 100
    assert verify(path).problems == []


class CrashError(Exception):
    pass


def steps() -> range:
    return range(len(statements(upgrade_script("sqlite", 1))) + 1)


@pytest.mark.parametrize("step", steps())
def test_a_failure_at_any_step_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    path = first_file(tmp_path / "l.db")
    before = dump(path)

    def broken(script: str) -> Iterator[str]:
        for number, statement in enumerate(statements(script)):
            if number == step:
                raise CrashError
            yield statement
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr(upgrading, "statements", broken)
        with pytest.raises(CrashError):
            connect(path)
    assert dump(path) == before
    connect(path).close()
    assert verify(path).problems == []


KILLED = """
import os, signal, sys
from pathlib import Path
from tokenworth.store.sqlite import upgrade
from tokenworth.store.sqlite.connect import connect
from tokenworth.store.sqlite.file import statements
def killed(script):
    found = statements(script)
    for number, statement in enumerate(found):
        yield statement
        if number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
upgrade.statements = killed
connect(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("step", [0, len(steps()) // 2, len(steps()) - 2])
def test_a_kill_leaves_the_file_whole(tmp_path: Path, step: int) -> None:
    path = first_file(tmp_path / "l.db")
    before = dump(path)
    killed = subprocess.run([sys.executable, "-c", KILLED, path, str(step)], cwd=ROOT, check=False)
    assert killed.returncode == -9
    assert dump(path) == before
    connect(path).close()
    assert verify(path).problems == []


def test_a_copy_is_kept_and_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, copy = first_file(tmp_path / "tokenworth.db"), tmp_path / "tokenworth.db.v1.backup"
    path.chmod(0o600)
    before = dump(path)
    with caplog.at_level(logging.WARNING):
        connect(path).close()
    assert dump(copy) == before
    assert copy.stat().st_mode == path.stat().st_mode
    assert f"tokenworth.db is upgraded from schema 1 to {HEAD}" in caplog.text
    assert str(copy.name) in caplog.text
    # the copy is a ledger of its own: put back, it is upgraded again
    copy.replace(path)
    connect(path).close()
    assert verify(path).problems == []


def test_without_room_for_a_copy_nothing_is_upgraded(tmp_path: Path) -> None:
    path = first_file(tmp_path / "l.db")
    before = dump(path)
    (tmp_path / "l.db.v1.backup").mkdir()
    with pytest.raises(LedgerError, match=r"l\.db\.v1\.backup"):
        connect(path)
    assert dump(path) == before


def run(path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", OPENER, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def test_of_several_processes_one_upgrades(tmp_path: Path) -> None:
    path = first_file(tmp_path / "l.db")
    openers = [run(path) for _ in range(5)]
    outcomes = [(*opener.communicate(timeout=60), opener.returncode) for opener in openers]
    assert [code for *_, code in outcomes] == [0] * 5, outcomes
    assert sum("is upgraded" in err for _, err, _ in outcomes) == 1
    assert verify(path).problems == []


def test_alembic_is_not_imported_for_a_file_at_head(tmp_path: Path) -> None:
    out, err, code = *(opener := run(tmp_path / "new.db")).communicate(timeout=60), opener.returncode
    assert (out, err, code) == ("False\n", "", 0)


def test_a_file_in_use_is_not_upgraded_under_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_file(tmp_path / "l.db")
    monkeypatch.setattr(upgrading, "BUSY_MS", 50)
    with closing(sqlite3.connect(path)) as older:
        assert older.execute("SELECT count(*) FROM account").fetchone()[0] == 4
        with pytest.raises(LedgerError, match="stop the gateway"):
            connect(path)
        older.execute("UPDATE hold SET deadline = deadline + 1 WHERE state = 0")
        older.commit()
    connect(path).close()
    assert verify(path).problems == []


def test_who_only_reads_says_how_to_upgrade(tmp_path: Path) -> None:
    path = first_file(tmp_path / "l.db")
    with pytest.raises(LedgerError, match=rf"has schema 1, this version reads {HEAD}.*a command that writes"):
        Reader(path)
    assert not (tmp_path / "l.db.v1.backup").exists()
    (tmp_path / "empty.db").touch()
    with pytest.raises(InputError, match="no ledger in"):
        Reader(tmp_path / "empty.db")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        *((f"CREATE TABLE other (x); PRAGMA user_version = {number};", "another program") for number in (0, 1, HEAD, HEAD + 1)),
        ("CREATE TABLE account (x); PRAGMA user_version = 1;", "another program"),
        (FIRST + "PRAGMA user_version = 99;", "has schema 99, this version knows"),
    ],
)
def test_a_foreign_or_newer_file_stays_as_it_is(tmp_path: Path, script: str, said: str) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match=said):
        SqliteLedger(path, clock=lambda: START)
    with pytest.raises(LedgerError, match=said):
        Reader(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
