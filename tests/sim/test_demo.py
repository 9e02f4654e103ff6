"""`tokenworth demo` in small: nothing lost, and the exported file, rated as columns and added up by another reader, says what the statement says."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.support.gateway import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def tokenworth(*arguments: str) -> Any:
    command = [sys.executable, "-m", "tokenworth", *arguments, "--json"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_small_demo_adds_up(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    told = tokenworth("demo", "--requests", "300", "--seconds", "2", "--keep", str(keep))
    assert (told["good"], told["answered"] + told["sold_out"], told["lost"], told["ledger_problems"]) == (True, 300, 0, [])
    charged = Decimal(told["total"]["charged"])
    assert charged == Decimal(told["rated_as_columns"]) > 0
    for group in ("product", "tier", "customer"):
        for figure in ("charged", "revenue", "cost", "margin"):
            parts = [Decimal(tally[figure]) for tally in told[f"by_{group}"].values()]
            assert sum(parts) == Decimal(told["total"][figure]), (group, figure)
    assert len(told["by_tier"]) > 1
    assert len(told["worst_customers"]) == min(10, len(told["by_customer"]))
    sums = "SELECT count(*), sum(charge), sum(revenue) FROM read_parquet(?)"
    row = duckdb.execute(sums, [str(keep / "events.parquet")]).fetchone()
    assert row == (told["total"]["requests"], charged * 10**9, Decimal(told["total"]["revenue"]) * 10**9)
    database = str(keep / "tokenworth.db")
    assert tokenworth("ledger", "statement", "--db", database)["total"] == told["total"]
    verified = tokenworth("ledger", "verify", "--db", database)
    assert {each["account"]: each["balance"] for each in verified["balances"]}["used"] == told["total"]["charged"]
