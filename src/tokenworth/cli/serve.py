"""`tokenworth serve DIR`: run the gateway on a book."""

import os
import socket
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import uvloop

from tokenworth.book.model import Book
from tokenworth.cli.options import PORT, NamedPath, database
from tokenworth.flows.serve.order import Shop
from tokenworth.gateway.asgi import App
from tokenworth.gateway.outside import Outside, application
from tokenworth.gateway.server import Address, check_port, run
from tokenworth.gateway.watch import DRAIN_SECONDS
from tokenworth.gateway.workers import supervise
from tokenworth.wiring.clock import now
from tokenworth.wiring.first import first_steps
from tokenworth.wiring.ledgers import Where, named
from tokenworth.wiring.logs import start_logs
from tokenworth.wiring.serving import HOLD_SECONDS, join_backend, open_backend, shared
from tokenworth.wiring.shop import open_shop, shop_of, sizes_of


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
    "--drain-seconds",
    type=click.FloatRange(min=0),
    default=DRAIN_SECONDS,
    show_default=True,
    help="How long open requests may go on after SIGTERM; then they are cut, and charged for what was delivered.",
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--log-requests", is_flag=True, help="Log a line for each request.")
@click.option("--metrics-by-customer", "by_customer", is_flag=True, help="Count events, tokens and money by customer too.")
@click.option("--otel", "traces", is_flag=True, help="Export a span for each request, as OTEL_EXPORTER_OTLP_* say; takes the extra otel.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that serve: one for each core is the most that pays."
)
def command(*, directory: Path, db: Where, host: str, port: int, workers: int, log_format: str, **settings: Any) -> None:  # noqa: PLR0913 - one per option
    """Serve the book in DIR to customers, who call it as they would call OpenAI."""
    start_logs(log_format)
    shop = open_shop(directory)
    book, outside = shop.book, Outside(database=db, **settings)
    ready = partial(_say, shop, directory, db, f"http://{host}:{port}")
    if workers > 1:
        check_port(host, port)
        uvloop.run(_with_workers(Worker(book, db, outside, log_format), Address(host, port), number=workers, ready=ready))
        return

    @asynccontextmanager
    async def factory() -> AsyncGenerator[App, None]:
        async with (
            open_backend(book, db, os.environ) as backend,
            application(replace(shop, sizes=sizes_of(book, db)), backend, outside) as app,
        ):
            yield app

    run(factory, host=host, port=port, ready=ready)


@dataclass(frozen=True, slots=True)
class Worker:
    """What one of several workers does: makes the application in its own process, with what leads to the ledger's owner."""

    book: Book
    database: Where
    outside: Outside
    log_format: str

    @asynccontextmanager
    async def __call__(self, owner: socket.socket | None) -> AsyncGenerator[App, None]:
        """Open what the application stands on, and drain it at the end."""
        start_logs(self.log_format)
        shop, _ = shop_of(self.book)
        async with (
            join_backend(self.book, self.database, os.environ, owner) as backend,
            application(replace(shop, sizes=sizes_of(self.book, self.database)), backend, self.outside) as app,
        ):
            yield app


async def _with_workers(worker: Worker, address: Address, *, number: int, ready: Callable[[], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="tokenworth-") as folder:
        worker = replace(worker, outside=replace(worker.outside, peers=Path(folder), processes=number))
        async with shared(worker.book, worker.database, os.environ) as connect:
            await supervise(worker, connect, address, number=number, ready=ready)


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
