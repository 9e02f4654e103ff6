"""Several processes on one ledger, and processes that are killed: exact all the same."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.events import START, done, draft, open_where
from tokenworth.capture.commands import Expire, Extend, Hold
from tokenworth.capture.events import Status
from tokenworth.wiring.ledgers import Where, open_reader, verify

WORKER = Path(__file__).parent.parent / "support" / "spender.py"
ROOT = Path(__file__).parent.parent.parent


def spend(path: Where, worker: int, requests: int) -> "subprocess.Popen[str]":
    """Start a process that holds 10 and charges 10, `requests` times, and prints what was acknowledged."""
    command = [sys.executable, str(WORKER), str(path), str(worker), str(requests)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_no_process_spends_what_another_has_spent(where: Where) -> None:
    open_where(where, ada=10 * 137).close()
    workers = [spend(where, number, 100) for number in range(4)]
    outcomes = [json.loads(line) for worker in workers for line in worker.communicate(timeout=120)[0].splitlines()]
    settled = [outcome for outcome in outcomes if outcome["settled"]]
    assert (len(outcomes), len(settled)) == (400, 137)
    assert {outcome["refused"] for outcome in outcomes if not outcome["settled"]} == {"insufficient_credits"}
    report = verify(where)
    assert report.problems == []
    assert report.balances["credits", "wallet:ada"] == 0


def test_what_was_acknowledged_survives_a_kill(where: Where) -> None:
    open_where(where, ada=10**9).close()
    acknowledged: set[str] = set()
    for kill in range(12):
        worker = spend(where, kill, 1_000_000)
        assert worker.stdout is not None
        acknowledged.add(json.loads(worker.stdout.readline())["id"])
        time.sleep(0.02 * (kill % 5) + 0.01)
        worker.send_signal(signal.SIGKILL)
        rest = worker.communicate()[0].splitlines()
        acknowledged |= {json.loads(line)["id"] for line in rest if line.endswith("}")}
        assert verify(where).problems == []
    with open_reader(where) as reader:
        stored = [event.id for event in reader.read()]
        dangling = list(reader.open_holds())
    assert len(stored) == len(set(stored))
    assert acknowledged <= set(stored)
    assert len(dangling) <= 12
    with open_where(where) as ledger:
        lost = done(ledger.submit_now([Expire(START + 10**12)])).lost
    assert {event.id for event in lost} == {hold.id for hold in dangling}
    assert all(event.status is Status.LOST and event.charge == 0 for event in lost)
    report = verify(where)
    assert report.problems == []
    with open_reader(where) as reader:
        (account,) = reader.accounts()
    assert account.held == 0
    assert account.balance == 10**9 - report.balances["credits", "used"]


def test_ids_of_drafts_are_distinct() -> None:
    """The workers' ids rest on it."""
    assert len({draft(number).id for number in range(1_000)}) == 1_000


def test_what_a_request_came_to_by_then_survives_its_process(where: Where) -> None:
    event = draft(1)
    with open_where(where, ada=100) as ledger:
        done(ledger.submit_now([Hold(event, 50, START + 10)]))
        so_far = event._replace(counts={"input": 5, "output": 9}, cost=12)
        done(ledger.submit_now([Extend((event.id,), START + 20, (so_far,))]))
    with open_where(where) as ledger:
        (lost,) = done(ledger.submit_now([Expire(START + 30)])).lost
    assert (lost.status, lost.charge, lost.counts, lost.cost) == (Status.LOST, 0, {"input": 5, "output": 9}, 12)
    assert verify(where).problems == []
