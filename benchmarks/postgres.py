"""The PostgreSQL ledger beside pgbench, which runs the same statements in batches of the same size on the same server in the same run.

Prints hold+settle pairs a second of four client processes, over accounts that all of them draw at random and on a hot one, and the
ratios. pgbench decides nothing and keeps no memory: a transaction of its script locks the accounts, closes the holds that it placed
before, books them (two postings and an event each), moves accounts and lots, and places as many new holds. Run: `python -m
benchmarks.postgres`; the server is the tests' own.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.ledger import draft, instant
from tests.support.postgres import Server, programs
from tokenworth.capture.commands import Done, Grant, Hold, OpenAccount, Settle, Source
from tokenworth.capture.events import Status
from tokenworth.store.postgres.ledger import PostgresLedger

SECONDS = 5.0
PROCESSES = 4
CALLERS = 64
ACCOUNTS = 1_000
MOST_PAIRS = 20_000
"""Requests that a client process makes before its clock starts."""
FUNDS = 10**15
TEXTS = "'payg', 'key_0123456789ab', 'chat', 'default', 'sim', 'chat-mini', 'chat'"
CITED = f"'credits', 'USD', 'standard@2026-01-01 chat/default', 'genai-prices 0.2.3 openai/gpt-5.4-mini', '{'0' * 64}'"
NOW = "1790000000000000"
DRAFT = json.dumps(["x" * 26, "payg", "key_0123456789ab", "chat", "default", "sim", "chat-mini", "y" * 180])
CHOSEN = "'c' || (abs(hashint4(:start + g)::bigint) % :accounts)"
"""Account number g of a batch: any."""
TOUCHED = f"(SELECT DISTINCT {CHOSEN} AS customer FROM generate_series(1, 2 * :batch) AS g)"
"""Accounts of the holds that are placed and of those that are closed."""
SCRIPT = f"""
\\set n :n + 1
\\set start random(0, 1000000)
BEGIN;
SELECT count(*) FROM (SELECT version FROM account JOIN {TOUCHED} AS t USING (customer)
    ORDER BY account.customer FOR NO KEY UPDATE OF account) AS locked;
UPDATE hold SET deadline = greatest(deadline, 1), state = 1, draft = '' FROM generate_series(1, :batch) AS g
    WHERE id = '01M3250V' || :client_id || 'b' || (:n - 1) || 'n' || g AND state = 0;
UPDATE account SET balance = balance - 700, version = version + 1 FROM {TOUCHED} AS t WHERE account.customer = t.customer;
UPDATE lot SET used = used + 700 FROM {TOUCHED} AS t WHERE id = 'g' || t.customer;
INSERT INTO hold (id, customer, amount, bound, deadline, key, body, draft, state)
    SELECT '01M3250V' || :client_id || 'b' || :n || 'n' || g, {CHOSEN}, 1000, '[["gc1",1000]]', {NOW}, '', '', '{DRAFT}', 0
    FROM generate_series(1, :batch) AS g;
INSERT INTO posting (entry, line, kind, unit, debit, credit, amount, lot, before, after, version, at, recorded)
    SELECT '01M3250V' || :client_id || 'b' || :n || 'n' || g, line, 'use', 'credits', 'wallet:c' || g, 'used', 700, 'gc' || g, 700, 0, :n,
        {NOW}, {NOW}
    FROM generate_series(1, :batch) AS g, generate_series(0, 1) AS line;
INSERT INTO event (id, customer, plan, api_key, product, tier, supplier, model, api, unit, currency, card, cost_card, book,
        at, status, ended, counts, charge, revenue, cost, first_token, alarm)
    SELECT '01M3250V' || :client_id || 'b' || :n || 'n' || g, {CHOSEN}, {TEXTS}, {CITED},
        {NOW}, 'ok', {NOW}, '{{"input":700,"output":90}}', 700, 7, 0, 0, ''
    FROM generate_series(1, :batch) AS g;
COMMIT;
"""


async def client(where: str, accounts: int, first: int) -> dict[str, int]:
    """Return pairs, commands and batches of the callers of one process, each waiting for its own hold, then for its own settlement."""
    pairs = 0
    chance = random.Random(first)
    drafts = [draft(f"c{chance.randrange(accounts)}") for _ in range(MOST_PAIRS)]
    with PostgresLedger(where, clock=instant) as ledger:
        start = time.perf_counter()

        async def call() -> None:
            nonlocal pairs
            while time.perf_counter() - start < SECONDS:
                event = drafts.pop()
                (held,) = await ledger.submit([Hold(event, 1000, event.at + 60_000_000)])
                assert isinstance(held, Done), held
                final = event._replace(status=Status.OK, ended=instant(), counts={"input": 700, "output": 90}, charge=700)
                (done,) = await ledger.submit([Settle(final)])
                assert isinstance(done, Done), done
                pairs += 1

        await asyncio.gather(*(call() for _ in range(CALLERS)))
        batches = ledger._writers[asyncio.get_running_loop()]._batches  # noqa: SLF001 - the benchmark tells how large batches were
    return {"pairs": pairs, "batches": batches}


def ours(where: str, accounts: int) -> tuple[float, int]:
    """Return pairs a second of all client processes, and the mean number of pairs in a batch."""
    command = [sys.executable, "-m", "benchmarks.postgres", where, str(accounts)]
    running = [subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(PROCESSES)]
    told = [json.loads(each.communicate()[0]) for each in running]
    pairs = sum(each["pairs"] for each in told)
    return pairs / SECONDS, max(1, round(pairs / sum(each["batches"] for each in told)))


def pgbench(server: Server, name: str, accounts: int, batch: int) -> float:
    """Return pairs a second of pgbench's clients."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SCRIPT)
        script.flush()
        given = [part for key, value in {"n": 0, "accounts": accounts, "batch": batch}.items() for part in ("-D", f"{key}={value}")]
        place = ["-h", str(server.folder), "-p", str(server.port), "-U", "postgres", name]
        options = ["-n", "-c", str(PROCESSES), "-j", "2", "-T", str(int(SECONDS)), "-f", script.name]
        told = subprocess.run([programs() / "pgbench", *options, *given, *place], check=True, capture_output=True, text=True).stdout
    rate = next(line for line in told.splitlines() if line.startswith("tps"))
    return float(rate.split()[2]) * batch


def prepare(where: str) -> None:
    """Open a ledger with funded accounts."""
    with PostgresLedger(where, clock=instant) as ledger:
        for number in range(ACCOUNTS):
            name = f"c{number}"
            ledger.submit_now([OpenAccount(name, "credits", "USD", 1), Grant(f"g{name}", name, FUNDS, Source.PAID, FUNDS // 100, 1)])


def main() -> None:
    """Print the table."""
    server = Server()
    try:
        print(f"{'accounts':>9} {'pairs a batch':>14} {'pgbench pairs/s':>16} {'ledger pairs/s':>15} {'ratio':>6}")
        for accounts in (ACCOUNTS, 1):
            mine, theirs = server.database(), server.database()
            prepare(mine)
            prepare(theirs)
            full, batch = ours(mine, accounts)
            least = pgbench(server, Path(theirs.partition("?")[0]).name, accounts, batch)
            print(f"{accounts:>9,} {batch:>14} {least:>16,.0f} {full:>15,.0f} {full / least:>6.2f}", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(uvloop.run(client(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))))
    else:
        main()
