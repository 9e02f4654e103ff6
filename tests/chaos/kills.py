"""Kill a process under load at a random instant, many times, and look each time at what it left.

An engine is a store with an address that the load can open; one with a server of its own kills and restarts that too.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.chaos.servers import PostgresStore
from tests.support.engines import Picture, Sqlite
from tests.support.events import START, done
from tokenworth.capture.commands import Expire, Grant, OpenAccount, Source
from tokenworth.wiring.ledgers import Ledger, open_ledger, where_of

ROOT = Path(__file__).parent.parent.parent
GRANTED = 10**12
LONGEST = 0.35
"""Seconds of load before a kill, at most."""
A_STORE = 10
"""Kills of one store; then a new one is made, so that reading all of it stays quick."""


class Store(Protocol):
    """What is killed."""

    @property
    def address(self) -> str:
        """Where the load finds it: KIND:PLACE."""

    def picture(self) -> Picture:
        """Read everything."""

    def drop(self) -> None:
        """Remove it."""

    def strike(self, load: "subprocess.Popen[bytes]", chance: random.Random) -> None:
        """Kill the process under load, and what serves the store, if anything does; that is started again."""


class SqliteStore(Sqlite):
    """A file; nothing serves it but the process that is killed."""

    @property
    def address(self) -> str:
        return f"sqlite:{self.path}"

    def strike(self, load: "subprocess.Popen[bytes]", chance: random.Random) -> None:
        """Kill the process."""
        del chance
        load.send_signal(signal.SIGKILL)


ENGINES: dict[str, Callable[[], Store]] = {"sqlite": SqliteStore, "postgres": PostgresStore}


def open_address(address: str) -> Ledger:
    """Open a writer."""
    _, _, place = address.partition(":")
    return open_ledger(where_of(place), clock=lambda: START)


@dataclass
class Told:
    """What was acknowledged to somebody."""

    holds: set[str] = field(default_factory=set)
    charges: dict[str, int] = field(default_factory=dict)
    refunds: set[str] = field(default_factory=set)

    def hear(self, line: str) -> None:
        what, *words = line.split()
        if what == "hold":
            self.holds.add(words[0])
        elif what == "settle":
            self.charges[words[0]] = int(words[1])
        elif what == "refund":
            self.refunds.add(words[0])

    def problems(self, seen: Picture) -> Iterator[str]:
        """Compare with what is stored: all that was told is there, nothing is there twice, and it adds up."""
        yield from seen.problems
        yield from (f"hold {id_} was acknowledged and is gone" for id_ in self.holds - seen.holds.keys() - seen.events.keys())
        for id_, charge in self.charges.items():
            if id_ not in seen.events or seen.events[id_].charge != charge:
                yield f"the charge of {id_}, {charge}, was acknowledged and is gone"
        yield from (f"{id_} was acknowledged and is gone" for id_ in self.refunds - seen.corrections.keys())
        used = sum(event.charge for event in seen.events.values()) - sum(seen.corrections.values())
        if seen.sums["credits", "used"] != used:
            yield f"events and refunds say that {used} is used, the postings {seen.sums['credits', 'used']}"
        left = sum(account.balance for account in seen.accounts.values())
        if left != 2 * GRANTED - used:
            yield f"{left} is left of {2 * GRANTED}, of which {used} is used"


def begin(address: str) -> None:
    """Give two customers credits."""
    with open_address(address) as ledger:
        for name in ("ada", "bob"):
            done(ledger.submit_now([OpenAccount(name, "credits", "USD", START), Grant(name, name, GRANTED, Source.PAID, 10**9, START)]))


def kill_once(store: Store, run: int, told: Told, chance: random.Random) -> None:
    """Start the load, kill it after a random time, and hear what it told until then."""
    command = [sys.executable, "-m", "tests.chaos.load", store.address, str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as load:
        assert load.stdout is not None
        first = load.stdout.readline()
        assert first == b"ready\n", first
        until = time.monotonic() + chance.uniform(0, LONGEST)
        os.set_blocking(load.stdout.fileno(), False)
        heard = b""
        while (left := until - time.monotonic()) > 0:
            heard += load.stdout.read() or b""
            time.sleep(min(left, 0.005))
        store.strike(load, chance)
        load.wait()
        os.set_blocking(load.stdout.fileno(), True)
        heard += load.stdout.read()
    for line in heard.decode().splitlines(keepends=True):
        if line.endswith("\n"):
            told.hear(line)


def kills(engine: str, times: int, *, seed: int, tick: Callable[[], None] = lambda: None) -> tuple[int, list[str]]:
    """Kill `times`; return how much was acknowledged, and what is wrong."""
    chance, total, found = random.Random(seed), 0, list[str]()
    for start in range(0, times, A_STORE):
        store, told = ENGINES[engine](), Told()
        begin(store.address)
        for run in range(start, min(start + A_STORE, times)):
            kill_once(store, run, told, chance)
            found += [f"kill {run}: {problem}" for problem in told.problems(store.picture())]
            tick()
        with open_address(store.address) as ledger:
            dead = store.picture().holds.keys()
            lost = done(ledger.submit_now([Expire(START + 10**12)])).lost
        if {event.id for event in lost} != dead or store.picture().problems:
            found.append("holds of the dead were not freed")
        total += len(told.holds) + len(told.charges) + len(told.refunds)
        store.drop()
    return total, found
