"""`tokenworth serve DIR`: run the gateway on a book."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from tokenworth.cli.options import PORT, NamedPath, database
from tokenworth.flows.serve.order import Shop
from tokenworth.gateway.asgi import App
from tokenworth.gateway.outside import Outside, application
from tokenworth.gateway.server import run
from tokenworth.gateway.watch import DRAIN_SECONDS
from tokenworth.wiring.clock import now
from tokenworth.wiring.first import first_steps
from tokenworth.wiring.ledgers import Where, named
from tokenworth.wiring.logs import start_logs
from tokenworth.wiring.serving import HOLD_SECONDS, open_backend
from tokenworth.wiring.shop import open_shop, sizes_of


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
def command(*, directory: Path, db: Where, host: str, port: int, log_format: str, **settings: Any) -> None:
    """Serve the book in DIR to customers, who call it as they would call OpenAI."""
    start_logs(log_format)
    shop = open_shop(directory)
    book = shop.book

    @asynccontextmanager
    async def factory() -> AsyncGenerator[App, None]:
        async with (
            open_backend(book, db, os.environ) as backend,
            application(replace(shop, sizes=sizes_of(book, db)), backend, Outside(database=db, **settings)) as app,
        ):
            yield app

    run(factory, host=host, port=port, ready=partial(_say, shop, directory, db, f"http://{host}:{port}"))


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
