"""A gateway in a process of its own, on a book made by a test, over the real ledger."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.shop import book
from tokenworth.book.model import Supplier
from tokenworth.capture.commands import Grant, OpenAccount, Source
from tokenworth.capture.events import UsageEvent
from tokenworth.flows.serve.order import Shop
from tokenworth.gateway.asgi import App
from tokenworth.gateway.outside import Outside, application
from tokenworth.gateway.server import run
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.wiring.clock import now
from tokenworth.wiring.ledgers import open_registry
from tokenworth.wiring.logs import start_logs
from tokenworth.wiring.onboard import accept
from tokenworth.wiring.serving import open_backend

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the gateway's process is told."""

    database: str
    port: int
    suppliers: Mapping[str, Mapping[str, object]]
    rates: Mapping[str, Mapping[str, str]]
    outside: Mapping[str, object]


@dataclass(slots=True)
class Running:
    """A gateway that answers at `url`."""

    url: str
    database: Path
    process: "subprocess.Popen[bytes]"

    def customer(self, name: str, credits_nano: int) -> str:
        """Add a customer with credits; return a key's secret."""
        return add_customer(self.database, name, credits_nano)

    def events(self, customer: str) -> list[UsageEvent]:
        """Return a customer's stored events."""
        with Reader(self.database) as reader:
            return [event for event in reader.read() if event.customer == customer]

    def available(self, customer: str) -> int:
        """Return what a customer may still spend."""
        with Reader(self.database) as reader:
            return next(account.available(now()) for account in reader.accounts() if account.customer == customer)

    def open_holds(self) -> int:
        """Return how many holds are open."""
        with Reader(self.database) as reader:
            return sum(1 for _ in reader.open_holds())


def add_customer(database: Path, name: str, credits_nano: int) -> str:
    """Add a customer with credits to a file; return a key's secret."""
    directory = open_registry(database)
    directory.add_customer(name, "payg")
    secret = directory.add_key(name)[1]
    directory.close()
    with SqliteLedger(database, clock=now) as ledger:
        grant = Grant(f"start-{name}", name, credits_nano, Source.PAID, credits_nano, now())
        accept(ledger.submit_now([OpenAccount(name, "credits", "USD", now()), grant]))
    return secret


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_gateway(
    database: Path, suppliers: Mapping[str, Supplier], *, rates: Mapping[str, Mapping[str, str]] | None = None, **outside: object
) -> Iterator[Running]:
    """Run a gateway with one product a supplier until the block ends."""
    port = free_port()
    told = Settings(str(database), port, {name: asdict(supplier) for name, supplier in suppliers.items()}, rates or {}, outside)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    log = database.with_suffix(".log")
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.gateway", json.dumps(asdict(told))], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    made = Running(f"http://127.0.0.1:{port}", database, process)
    try:
        until(lambda: _healthy(made, log), seconds=20)
        yield made
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait for a condition; AssertionError where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def _healthy(running: Running, log: Path) -> bool:
    assert running.process.poll() is None, log.read_text()[-3000:]
    try:
        with urllib.request.urlopen(f"{running.url}/healthz", timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    """Run the gateway that the argument describes."""
    told = json.loads(sys.argv[1])
    start_logs("json")
    made = book({name: Supplier(**supplier) for name, supplier in told["suppliers"].items()}, rates=told["rates"])

    @asynccontextmanager
    async def factory() -> AsyncGenerator[App, None]:
        shop = Shop(made, made.costs)
        async with (
            open_backend(made, Path(told["database"]), os.environ) as backend,
            application(shop, backend, Outside(**told["outside"])) as app,
        ):
            yield app

    run(factory, host="127.0.0.1", port=told["port"], ready=lambda: None)


if __name__ == "__main__":
    main()
