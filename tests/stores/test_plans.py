"""What a batch asks of the file is found by an index, however large the file is."""

import re
import sqlite3
from pathlib import Path

import pytest

from tokenworth.store import lookups
from tokenworth.store.ledger.reports import ELSEWHERE, SERVED
from tokenworth.store.sqlite import fetch, write
from tokenworth.store.sqlite.connect import connect

STATEMENTS = {
    name: text
    for module in (fetch, write, lookups)
    for name, text in vars(module).items()
    if isinstance(text, str) and text.lstrip().startswith(("SELECT", "UPDATE")) and name not in ("LATEST", "VERSION")
} | {"SERVED": SERVED, "ELSEWHERE": ELSEWHERE}


@pytest.fixture
def db(tmp_path: Path) -> sqlite3.Connection:
    return connect(tmp_path / "l.db")


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_table_is_scanned(db: sqlite3.Connection, name: str) -> None:
    statement = STATEMENTS[name]
    values = len(set(re.findall(r"\?\d", statement))) or max(statement.count("?"), 1)
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", ["[]"] * values)]
    scans = [step for step in plan if step.startswith("SCAN") and "json_each" not in step]
    # debts are few, and have indexes of their own
    assert all("posting_debt" in step or "account_debt" in step for step in scans), plan
    assert plan
