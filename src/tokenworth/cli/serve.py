"""`tokenworth serve DIR`: run the gateway on a book."""

import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import uvloop

from tokenworth.book.guard import check_margins
from tokenworth.book.load import load, place
from tokenworth.book.model import Book
from tokenworth.cli.options import PORT, NamedPath, database
from tokenworth.core.errors import BookError
from tokenworth.flows.serve.order import Shop
from tokenworth.gateway.app import Gateway
from tokenworth.gateway.asgi import App
from tokenworth.gateway.server import Address, check_port, run
from tokenworth.gateway.workers import supervise
from tokenworth.wiring.clock import now
from tokenworth.wiring.costs import cost_card, list_price_problem
from tokenworth.wiring.first import first_steps
from tokenworth.wiring.ledgers import Where, named
from tokenworth.wiring.serving import HOLD_SECONDS, join_backend, open_backend, serving, shared
from tokenworth.wiring.shop import counts_of, sizes_of


@click.command()
@click.argument("directory", metavar="DIR", type=NamedPath(exists=True, file_okay=False))
@database
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=PORT)
@click.option(
    "--hold-seconds",
    type=click.IntRange(min=1),
    default=HOLD_SECONDS,
    show_default=True,
    help="How long credits stay held for a request whose gateway died.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that serve: one for each core is the most that pays."
)
def command(directory: Path, db: Where, host: str, port: int, hold_seconds: int, workers: int) -> None:  # noqa: PLR0913, PLR0917 - an option each
    """Serve the book in DIR to customers, who call it as they would call OpenAI."""
    _log()
    shop = _open(directory)
    ready = partial(_say, shop, directory, db, f"http://{host}:{port}")
    if workers > 1:
        uvloop.run(_with_workers(Worker(shop.book, db, hold_seconds), Address(host, port), number=workers, ready=ready))
        return

    @asynccontextmanager
    async def factory() -> AsyncGenerator[App, None]:
        async with (
            open_backend(shop.book, db, os.environ) as backend,
            serving(replace(shop, sizes=sizes_of(shop.book, db)), backend, hold_seconds=hold_seconds) as service,
        ):
            yield Gateway(service)

    run(factory, host=host, port=port, ready=ready)


@dataclass(frozen=True, slots=True)
class Worker:
    """What one of several workers does: makes the application in its own process, with what leads to the ledger's owner."""

    book: Book
    database: Where
    hold_seconds: int

    @asynccontextmanager
    async def __call__(self, owner: socket.socket | None) -> AsyncGenerator[App, None]:
        """Open what the application stands on, and drain it at the end."""
        _log()
        book = self.book
        async with (
            join_backend(book, self.database, os.environ, owner) as backend,
            serving(Shop(book, cost_card(book), counts_of(book), sizes_of(book, self.database)), backend, hold_seconds=self.hold_seconds) as service,
        ):
            yield Gateway(service)


async def _with_workers(worker: Worker, address: Address, *, number: int, ready: Callable[[], None]) -> None:
    check_port(address.host, address.port)
    async with shared(worker.book, worker.database, os.environ) as connect:
        await supervise(worker, connect, address, number=number, ready=ready)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _open(directory: Path) -> Shop:
    """Load a book with its costs; BookError where `tokenworth check` would find an error, rates below cost among them."""
    book = load(directory, list_price_problem)
    costs = cost_card(book)
    errors = [place(problem, directory) for problem in check_margins(book, costs, now()).problems if problem.severity == "error"]
    if errors:
        raise BookError(errors)
    return Shop(book, costs, counts_of(book))


def _say(shop: Shop, directory: Path, db: Where, url: str) -> None:
    """Print what an operator does next."""
    book = shop.book
    plan = next(iter(book.plans.values()))
    product, grant = first_steps(shop, plan, now())
    click.echo(f"""\
{book.name} (book {book.id[:12]}) is served at {url}/v1

A customer with a key and credits:
  tokenworth customers add acme --plan {plan.id} --book {directory} --db {named(db)}
  tokenworth grants add acme {grant} --db {named(db)}
  tokenworth keys add acme --db {named(db)}

A request:
  curl {url}/v1/chat/completions -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{{"model": "{product}", "messages": [{{"role": "user", "content": "Hello"}}], "max_completion_tokens": 100}}'

The same with OpenAI's client:
  from openai import OpenAI
  client = OpenAI(base_url="{url}/v1", api_key="...")
  client.chat.completions.create(model="{product}", messages=[{{"role": "user", "content": "Hello"}}], max_completion_tokens=100)
""")
