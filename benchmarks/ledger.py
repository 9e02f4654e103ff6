"""The SQLite ledger beside the least that a durable hold and settlement must write.

Prints hold+settle pairs a second of both at the same numbers of callers, and the ratio, in one run. The denominator computes nothing: a pair
is a hold row inserted and closed, two postings and a balance row, in STRICT tables with WAL and synchronous=FULL, `batch` pairs a commit through one
executemany a statement, settlements in the commit after their holds. Callers wait on uvloop, as the gateway's do.
Run: `python -m benchmarks.ledger [FOLDER]`, on the disk to be measured.
"""

import asyncio
import gc
import random
import secrets
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from tokenworth.capture.commands import Done, Grant, Hold, OpenAccount, Settle, Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.ids import sortable_id
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.verify import verify

SECONDS = 3.0
MOST_PAIRS = 80_000
ACCOUNTS = 1_000
CALLERS = (1, 16, 64, 256)
SCHEMA = """
CREATE TABLE hold(key TEXT PRIMARY KEY, account INTEGER NOT NULL, amount INTEGER NOT NULL, deadline INTEGER NOT NULL, state INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE posting(id INTEGER PRIMARY KEY, entry TEXT NOT NULL, line INTEGER NOT NULL, account INTEGER NOT NULL, amount INTEGER NOT NULL,
    before INTEGER NOT NULL, after INTEGER NOT NULL, UNIQUE(entry, line)) STRICT;
CREATE TABLE balance(account INTEGER PRIMARY KEY, posted INTEGER NOT NULL, held INTEGER NOT NULL) STRICT;
"""


def bare(folder: Path, batch: int) -> float:
    """Return pairs a second of the denominator at `batch` pairs a commit."""
    db = sqlite3.connect(folder / f"bare{batch}.db", isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
    db.executemany("INSERT INTO balance VALUES (?,0,0)", [(a,) for a in range(ACCOUNTS)])
    keys = [secrets.token_hex(13) for _ in range(400_000)]
    n, before, start = 0, list[str](), time.perf_counter()
    while time.perf_counter() - start < SECONDS and n + batch <= len(keys):
        now = keys[n : n + batch]
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO hold VALUES (?,?,?,?,0)", [(k, n % ACCOUNTS, 1000, 99) for k in now])
        if before:
            db.executemany("UPDATE hold SET state=1 WHERE key=?", [(k,) for k in before])
            lines = [(k, i, n % ACCOUNTS, 700, 0, 700) for k in before for i in (0, 1)]
            db.executemany("INSERT INTO posting(entry,line,account,amount,before,after) VALUES (?,?,?,?,?,?)", lines)
            db.executemany("UPDATE balance SET posted=posted+? WHERE account=?", [(700, (n + i) % ACCOUNTS) for i in range(len(before))])
        db.execute("COMMIT")
        before = now
        n += batch
    took = time.perf_counter() - start
    db.close()
    return n / took


def instant() -> int:
    """Return microseconds since 1970."""
    return time.time_ns() // 1000


def draft(customer: str) -> UsageEvent:
    """Return an event as the gateway would place its hold."""
    at = instant()
    texts: dict[str, Any] = {
        "plan": "payg",
        "api_key": "key_0123456789ab",
        "product": "chat",
        "tier": "default",
        "supplier": "sim",
        "model": "chat-mini",
    }
    cited: dict[str, Any] = {"card": "standard@2026-01-01 chat/default", "cost_card": "genai-prices 0.2.3 openai/gpt-5.4-mini", "book": "0" * 64}
    return UsageEvent(
        id=sortable_id(at, secrets.token_bytes(10)), customer=customer, at=at, api="chat", unit="credits", currency="USD", **texts, **cited
    )


Pair = tuple[Hold, Settle]


def pairs(number: int, accounts: int = ACCOUNTS) -> list[Pair]:
    """Return what callers will ask of accounts in random order, made before the clock starts, as the denominator's keys are."""
    made, dice = [], random.Random(accounts)
    for _ in range(number):
        event = draft(f"c{dice.randrange(accounts)}")
        final = event._replace(status=Status.OK, ended=instant(), counts={"input": 700, "output": 90}, charge=700)
        made.append((Hold(event, 1000, event.at + 3_600_000_000), Settle(final)))
    return made


async def ours(ledger: SqliteLedger, callers: int, asked: list[Pair]) -> float:
    """Return pairs a second of `callers` that each wait for their own hold, then for their own settlement."""
    # what was made beforehand is not the ledger's to sweep
    gc.collect()
    gc.freeze()
    start = time.perf_counter()
    turns = iter(asked)
    done = 0

    async def call() -> None:
        nonlocal done
        for hold, settle in turns:
            if time.perf_counter() - start > SECONDS:
                return
            (held,) = await ledger.submit([hold])
            assert isinstance(held, Done), held
            (settled,) = await ledger.submit([settle])
            assert isinstance(settled, Done), settled
            done += 1

    await asyncio.gather(*(call() for _ in range(callers)))
    return done / (time.perf_counter() - start)


def prepared(path: Path) -> SqliteLedger:
    """Open a ledger with funded accounts."""
    ledger = SqliteLedger(path, clock=instant)
    for number in range(ACCOUNTS):
        name = f"c{number}"
        grant = Grant(f"g{number}", name, 10**12, Source.PAID, 10**10, instant())
        ledger.submit_now([OpenAccount(name, "credits", "USD", instant()), grant])
    return ledger


def main() -> None:
    """Print the table."""
    parent = sys.argv[1] if len(sys.argv) > 1 else "."
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        print(f"{'callers':>8} {'bare pairs/s':>13} {'ledger pairs/s':>15} {'ratio':>6}")
        with prepared(folder / "ledger.db") as ledger:
            for callers in CALLERS:
                least, full = bare(folder, callers), uvloop.run(ours(ledger, callers, pairs(MOST_PAIRS)))
                print(f"{callers:>8} {least:>13,.0f} {full:>15,.0f} {full / least:>6.2f}")
        start = time.perf_counter()
        report = verify(folder / "ledger.db")
        rows, took = report.postings + report.events, time.perf_counter() - start
        print(f"verify: {rows:,} rows at {rows / took:,.0f} a second; {report.problems or 'verified'}")


if __name__ == "__main__":
    main()
