"""The demo: a starter book, a ledger, a real gateway process, a replayed trace, and what the books say afterwards."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tokenworth.book.model import Book
from tokenworth.core.errors import TokenworthError
from tokenworth.core.money import parse_amount
from tokenworth.flows.statement import Statement, summarise
from tokenworth.store.lake.parquet import write_parquet
from tokenworth.store.lake.rating import Rerated, rerate
from tokenworth.store.ledger.proof.report import Report
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify
from tokenworth.wiring.replay import Job, Outcome, replay

HOST = "127.0.0.1"
START_SECONDS = 20
STOP_SECONDS = 20
OK = 200
SOLD_OUT = 402


@dataclass(slots=True)
class Seen:
    """What the clients saw: answers by status, and the charge of every answered event."""

    statuses: Counter[int] = field(default_factory=Counter)
    charges: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.statuses[outcome.status] += 1
        if outcome.status == OK:
            self.charges[outcome.event] = parse_amount(outcome.charge)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the demo found. `missing` are answered requests that the ledger does not know or charged differently."""

    statement: Statement
    report: Report
    seen: Seen
    missing: tuple[str, ...]
    rerated: tuple[Rerated, ...]
    events: Path

    @property
    def rated(self) -> int:
        """Nano-units charged, as the columnar path rates the exported file."""
        return sum(group.rated for group in self.rerated)

    @property
    def sold_out(self) -> int:
        """Requests refused for want of credits."""
        return self.seen.statuses[SOLD_OUT]

    @property
    def lost(self) -> int:
        """Requests without an answer, with one that is neither charged nor refused for want of credits, or not in the ledger."""
        odd = sum(count for status, count in self.seen.statuses.items() if status not in (OK, SOLD_OUT))
        return odd + len(self.missing) + self.statement.lost

    @property
    def good(self) -> bool:
        """Whether nothing was lost, the ledger verifies, and the columnar path agrees to the nano-unit."""
        equal = self.rated == self.statement.total.charge and not any(group.unequal for group in self.rerated)
        return self.lost == 0 and not self.report.problems and equal


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def gateway(book: Path, database: Path, log: Path) -> Iterator[str]:
    """Run `tokenworth serve` as a process of its own; yields its address once it is healthy, stops it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "tokenworth", "serve", str(book), "--db", str(database), "--host", HOST, "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=os.environ.copy())  # noqa: S603 - ourselves
    try:
        _await_health(process, f"http://{HOST}:{port}", log)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_health(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TokenworthError(f"the gateway did not start:\n{log.read_text(errors='replace')[-2000:]}")


def run(url: str, secrets: Mapping[str, str], jobs: list[Job], *, seconds: float, done: Callable[[], None]) -> Seen:
    """Replay the jobs and return what the clients saw."""
    seen = Seen()

    def note(outcome: Outcome) -> None:
        seen.add(outcome)
        done()

    asyncio.run(replay(url, secrets, jobs, seconds=seconds, done=note))
    return seen


def inspect(book: Book, database: Path, seen: Seen, events: Path) -> Findings:
    """Read the books after the replay: statement, verification, and the exported events rated again as columns."""
    with Reader(database) as reader:
        statement = summarise(reader.read())
        write_parquet(reader.read(), events)
        stored = {event.id: event.charge for event in reader.read()}
    missing = tuple(event for event, charge in seen.charges.items() if stored.get(event) != charge)
    cards = {plan.id: book.cards[plan.card] for plan in book.plans.values()}
    return Findings(statement, verify(database), seen, missing, tuple(rerate(events, cards)), events)
