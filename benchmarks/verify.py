"""The proof beside a bare pass over the same rows.

Prints, for ledgers of 1e4, 1e5 and 1e6 postings, the seconds that `SELECT *` of every table takes, fetched row by row in Python, those of
`verify` (the proof, with the quick check of the file) and of a deep one, rows a second, and the ratio: how many times as fast as the bare
pass. The ledgers are made here, by SQL: requests of ACCOUNTS customers in turn, each held, settled and recognised.
Run: `python -m benchmarks.verify [FOLDER]`.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tokenworth.capture.commands import Grant, OpenAccount, Source
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.verify import verify

ACCOUNTS = 1_000
SIZES = (10_000, 100_000, 1_000_000)
AT = 1_790_000_000_000_000
GRANTED, PAID, CHARGE, EARNED = 10**12, 10**10, 700, 7
TABLES = ("account", "lot", "hold", "posting", "event", "correction", "spend")

REQUESTS = f"""
    CREATE TEMP TABLE request AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
    SELECT printf('01M3250V%018d', i) AS id, 'c' || (i % {ACCOUNTS}) AS customer, 'g' || (i % {ACCOUNTS}) AS lot, i / {ACCOUNTS} AS turn,
        {AT} + i AS at FROM n
"""
ROWS = (
    "INSERT INTO hold SELECT id, customer, 1000, json_array(json_array(lot, 1000)), at, '', '', 1, '', '' FROM request",
    f"""INSERT INTO posting (entry, line, kind, unit, debit, credit, amount, lot, before, after, version, at, recorded)
        SELECT id, line, 'use', iif(line, 'USD', 'credits'), iif(line, 'deferred', 'wallet:' || customer), iif(line, 'revenue', 'used'),
            iif(line, {EARNED}, {CHARGE}), lot, iif(line, NULL, {GRANTED} - turn * {CHARGE}), iif(line, NULL, {GRANTED} - (turn + 1) * {CHARGE}),
            2 * turn + 3, at + 1, at + 2 FROM request, (SELECT 0 AS line UNION ALL SELECT 1)""",
    f"""INSERT INTO event (id, customer, plan, api_key, product, tier, supplier, model, api, at, unit, currency, card, cost_card, book, status, ended,
            counts, charge, revenue, cost, first_token, alarm)
        SELECT id, customer, 'payg', 'key_0123456789ab', 'chat', 'default', 'sim', 'chat-mini', 'chat', at, 'credits', 'USD',
            'standard@2026-01-01 chat/default', 'genai-prices 0.2.3 openai/gpt-5.4-mini', '{"0" * 64}', 'ok', at + 1,
            '{{"input":700,"output":90}}', {CHARGE}, {EARNED}, 3, 0, '' FROM request""",
    f"UPDATE lot SET used = {CHARGE} * (SELECT count(*) FROM request WHERE request.lot = lot.id)",
    f"""UPDATE account SET (balance, version) =
        (SELECT {GRANTED} - {CHARGE} * count(*), 1 + 2 * count(*) FROM request WHERE customer = account.customer)""",
)


def make(path: Path, postings: int) -> None:
    """Write a ledger with so many postings."""
    with SqliteLedger(path, clock=lambda: AT) as ledger:
        for number in range(ACCOUNTS):
            name = f"c{number}"
            ledger.submit_now([OpenAccount(name, "credits", "USD", AT), Grant(f"g{number}", name, GRANTED, Source.PAID, PAID, AT)])
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute(REQUESTS, (postings // 2 - ACCOUNTS,))
    db.execute("CREATE INDEX temp.request_customer ON request (customer)")
    db.execute("CREATE INDEX temp.request_lot ON request (lot)")
    for statement in ROWS:
        db.execute(statement)
    db.commit()
    db.close()


def bare(path: Path) -> int:
    """Fetch every row; return their number."""
    db = sqlite3.connect(path)
    rows = sum(1 for table in TABLES for _ in db.execute(f"SELECT * FROM {table}"))
    db.close()
    return rows


def seconds(run: Callable[[], object]) -> float:
    """Return the better of two runs, so that both passes read a warm file."""
    best = []
    for _ in range(2):
        start = time.perf_counter()
        run()
        best.append(time.perf_counter() - start)
    return min(best)


def main() -> None:
    """Print the curve."""
    parent = sys.argv[1] if len(sys.argv) > 1 else "."
    print(f"{'postings':>10} {'rows':>10} {'bare s':>8} {'verify s':>9} {'deep s':>8} {'rows/s':>12} {'ratio':>6}")
    for postings in SIZES:
        with tempfile.TemporaryDirectory(dir=parent) as name:
            path = Path(name) / "ledger.db"
            make(path, postings)
            rows = bare(path)
            problems = verify(path, deep=True).problems
            assert problems == [], problems
            pass_, proof, deep = seconds(lambda: bare(path)), seconds(lambda: verify(path)), seconds(lambda: verify(path, deep=True))  # noqa: B023
            print(f"{postings:>10,} {rows:>10,} {pass_:>8.2f} {proof:>9.2f} {deep:>8.2f} {rows / proof:>12,.0f} {pass_ / proof:>6.2f}")


if __name__ == "__main__":
    main()
