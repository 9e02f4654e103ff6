"""What a hold with its settlement costs as a ledger grows: by entries already in it, and by accounts.

Prints pairs a second of 64 callers, and each size's ratio to the first. Entries are made by SQL, as `benchmarks.verify` makes them; they are
of the same accounts that the callers use. Run: `python -m benchmarks.ledger_curve [FOLDER]`; the largest file takes some 8 GB there.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.ledger import instant, ours, pairs
from benchmarks.verify import AT, GRANTED, PAID, make
from tokenworth.store.sqlite.ledger import SqliteLedger

ENTRIES = (2_000, 100_000, 1_000_000, 10_000_000)
ACCOUNTS = (10, 1_000, 100_000, 1_000_000)
CALLERS = 64
MOST_PAIRS = 60_000


def with_accounts(path: Path, accounts: int) -> None:
    """Write a ledger of funded accounts without history."""
    SqliteLedger(path, clock=instant).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) SELECT i FROM n", (accounts,))
    db.execute(
        "INSERT INTO account (customer, unit, currency, balance, held, debt, version) SELECT 'c' || i, 'credits', 'USD', ?, 0, 0, 1 FROM n",
        (GRANTED,),
    )
    db.execute(
        "INSERT INTO lot (id, customer, source, amount, paid, at, used, held) SELECT 'g' || i, 'c' || i, 'paid', ?, ?, ?, 0, 0 FROM n",
        (GRANTED, PAID, AT),
    )
    db.commit()
    db.close()


def rate(path: Path, accounts: int) -> float:
    """Return pairs a second over a ledger's accounts."""
    with SqliteLedger(path, clock=instant) as ledger:
        # what stays in memory between batches is there, as after a minute of serving
        asyncio.run(ours(ledger, CALLERS, pairs(5_000, accounts)))
        return asyncio.run(ours(ledger, CALLERS, pairs(MOST_PAIRS, accounts)))


def main() -> None:
    """Print both curves."""
    parent = sys.argv[1] if len(sys.argv) > 1 else "."
    for what, sizes in (("entries", ENTRIES), ("accounts", ACCOUNTS)):
        print(f"{what:>12} {'file MB':>8} {'made in s':>10} {'pairs/s':>8} {'ratio':>6}")
        first = 0.0
        for size in sizes:
            with tempfile.TemporaryDirectory(dir=parent) as name:
                path, start = Path(name) / "ledger.db", time.perf_counter()
                make(path, size) if what == "entries" else with_accounts(path, size)
                took, megabytes = time.perf_counter() - start, path.stat().st_size / 1e6
                found = rate(path, 1_000 if what == "entries" else size)
                first = first or found
                print(f"{size:>12,} {megabytes:>8,.0f} {took:>10.1f} {found:>8,.0f} {found / first:>6.2f}", flush=True)


if __name__ == "__main__":
    main()
