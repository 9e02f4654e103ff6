"""`tokenworth simulate`: the simulated supplier by itself, over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import click

from tokenworth.cli.options import PORT
from tokenworth.feeds.traces import TRACES, load
from tokenworth.gateway.asgi import App
from tokenworth.gateway.server import run
from tokenworth.suppliers.simulated.answer import SimulatedModel
from tokenworth.suppliers.simulated.app import SimulatedApp
from tokenworth.suppliers.simulated.supplier import SimulatedSupplier
from tokenworth.wiring.clock import now


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9000, show_default=True, type=PORT)
@click.option("--speed", default=1, show_default=True, type=click.IntRange(0), help="How many times faster than measured; 0 answers at once.")
def command(host: str, port: int, speed: int) -> None:
    """Answer chat completions on OpenAI's wire format, with token counts and timing from real traces; each trace's name is a model.

    For load tests and for trying a client: it needs no key.
    """
    models = {name: SimulatedModel(partial(load, name)) for name in TRACES}

    @asynccontextmanager
    async def factory() -> AsyncGenerator[App, None]:
        yield SimulatedApp(SimulatedSupplier(models, now, speed))

    run(factory, host=host, port=port, ready=lambda: click.echo(f"simulated supplier at http://{host}:{port}/v1: {', '.join(models)}"))
