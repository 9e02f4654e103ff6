"""What the gateway adds to a direct call to the same supplier: `python -m benchmarks.gateway [--seconds 3] [--profile FILE]`.

Three processes on loopback: the simulated supplier over HTTP, answering at once; the gateway in front of it, with durable holds and
settlements on a new SQLite file; and this one, the client. Each pair of a direct and a gateway run follows upon the other, so the ratios
count, not the figures. The durable commits are also timed alone, on a file beside the gateway's.
"""

import argparse
import cProfile
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import orjson
import uvloop

from benchmarks.http_load import Load, Target, load
from tokenworth.book.model import Book, Model, Plan, Product, Supplier
from tokenworth.capture.commands import Grant, Hold, OpenAccount, Settle, Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.ids import sortable_id
from tokenworth.core.money import NANO, parse_rate
from tokenworth.flows.serve.order import Shop
from tokenworth.gateway.app import Gateway
from tokenworth.gateway.asgi import App
from tokenworth.gateway.server import run
from tokenworth.price.card import Card, compile_terms
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.wiring.clock import entropy, now
from tokenworth.wiring.ledgers import open_registry
from tokenworth.wiring.onboard import accept
from tokenworth.wiring.serving import open_backend, serving

TRACE = "azure2023-conv"
MESSAGES = [{"role": "user", "content": "What does a token cost to make, and what is it worth? " * 10}]
BODY = {"messages": MESSAGES, "max_completion_tokens": 50, "seed": 3}
CONNECTIONS = (1, 32)


def book(url: str) -> Book:
    """Return a book with one product at a supplier's address."""
    steps = {0: {name: parse_rate(rate) for name, rate in {"input": "1", "cache_read": "0.1", "output": "4"}.items()}}
    card = Card("retail", "credits", {("chat", "default"): (compile_terms(currency="credits", since=0, source="retail", steps=steps),)})
    costs = Card("costs", "USD", {("m", "default"): (compile_terms(currency="USD", since=0, source="cost", steps=steps),)})
    return Book(
        id="benchmark",
        name="benchmark",
        unit="credits",
        currency="USD",
        suppliers={"sim": Supplier("sim", "openai", base_url=url)},
        models={"m": Model("m", "sim", TRACE, "", context=131_072, max_output=4_096)},
        products={"chat": Product("chat", "m")},
        cards={"retail": card},
        plans={"payg": Plan("payg", "retail")},
        costs=costs,
    )


def serve(database: Path, port: int, supplier: str, profile: str) -> None:
    """Run the gateway in this process."""
    made = book(supplier)

    @asynccontextmanager
    async def factory() -> AsyncGenerator[App, None]:
        shop = Shop(made, made.costs)
        async with open_backend(made, database, os.environ) as backend, serving(shop, backend) as service:
            yield Gateway(service)

    def go() -> None:
        run(factory, host="127.0.0.1", port=port, ready=lambda: None)

    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(go)
        profiler.dump_stats(profile)
    else:
        go()


def customer(database: Path) -> str:
    """Add a customer with a billion credits; return its key."""
    directory = open_registry(database)
    directory.add_customer("load", "payg")
    secret = directory.add_key("load")[1]
    directory.close()
    with SqliteLedger(database, clock=now) as ledger:
        accept(ledger.submit_now([OpenAccount("load", "credits", "USD", now()), Grant("g", "load", 10**9 * NANO, Source.PAID, 0, now())]))
    return secret


@contextmanager
def process(*arguments: str, port: int) -> Iterator[None]:
    """Run Python with arguments until the block ends, from when its port answers."""
    running = subprocess.Popen([sys.executable, *arguments])
    try:
        _await_port(port)
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()


def _await_port(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def compare(direct: Target, gateway: Target, seconds: float) -> None:
    """Print a row for each kind of answer and number of connections."""
    print(" answers  at once  direct/s  gateway/s  ratio  direct ms  gateway ms  added ms")
    for stream in (False, True):
        for connections in CONNECTIONS:
            found: list[Load] = []
            for target, model in ((direct, TRACE), (gateway, "chat")):
                body = orjson.dumps({**BODY, "model": model, "stream": stream})
                await load(replace(target, body=body), connections=connections, seconds=0.5)
                found.append(await load(replace(target, body=body), connections=connections, seconds=seconds))
            _print_row("stream" if stream else "whole", connections, *found)


def _print_row(kind: str, connections: int, one: Load, two: Load) -> None:
    ms = (one.median * 1e3, two.median * 1e3)
    head = f"{kind:>8} {connections:>8} {one.rate:>9,.0f} {two.rate:>10,.0f} {two.rate / one.rate:>6.2f}"
    print(f"{head} {ms[0]:>10.2f} {ms[1]:>11.2f} {ms[1] - ms[0]:>9.2f}", flush=True)


async def commits(database: Path, pairs: int = 300) -> float:
    """Return the median milliseconds of a hold and its settlement, one pair after the other."""
    times = []
    with SqliteLedger(database, clock=now) as ledger:
        for _ in range(pairs):
            event = _event()
            start = time.perf_counter()
            await ledger.submit([Hold(event, 1_000, event.at + 10**9)])
            await ledger.submit([Settle(event._replace(status=Status.OK, charge=700, counts={"output": 1}))])
            times.append(time.perf_counter() - start)
    return median(times) * 1e3


def _event() -> UsageEvent:
    at = now()
    names = dict.fromkeys(("api_key", "product", "tier", "supplier", "model", "api", "card", "cost_card", "book"), "x")
    return UsageEvent(id=sortable_id(at, entropy(10)), customer="load", plan="payg", at=at, unit="credits", currency="USD", **names)  # type: ignore[arg-type]


def main() -> None:
    """Run the processes and print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--profile", default="", help="write the gateway's cProfile here")
    options.add_argument("--serve", nargs=3, metavar=("DB", "PORT", "SUPPLIER"), help=argparse.SUPPRESS)
    told = options.parse_args()
    if told.serve:
        serve(Path(told.serve[0]), int(told.serve[1]), told.serve[2], told.profile)
        return
    with tempfile.TemporaryDirectory() as folder:
        secret = customer(Path(folder) / "ledger.db")
        customer(Path(folder) / "alone.db")
        supplier, gateway = free_port(), free_port()
        behind = ("-m", "tokenworth", "simulate", "--speed", "0", "--port", str(supplier))
        front = (
            "-m",
            "benchmarks.gateway",
            "--profile",
            told.profile,
            "--serve",
            f"{folder}/ledger.db",
            str(gateway),
            f"http://127.0.0.1:{supplier}/v1",
        )
        with process(*behind, port=supplier), process(*front, port=gateway):
            uvloop.run(compare(Target(supplier, b""), Target(gateway, b"", secret), told.seconds))
        print(f"a durable hold and settlement alone: {uvloop.run(commits(Path(folder) / 'alone.db')):.2f} ms at the median")


if __name__ == "__main__":
    main()
