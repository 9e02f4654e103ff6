"""One process, one port: uvicorn's protocol on this process's event loop, and a graceful end."""

import asyncio
import gc
import logging
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import uvloop
from uvicorn.server import ServerState

from tokenworth.core.errors import InputError
from tokenworth.gateway.asgi import App
from tokenworth.gateway.connection import Connection, config
from tokenworth.gateway.ending import ending

log = logging.getLogger(__name__)
Factory = Callable[[], AbstractAsyncContextManager[App]]
"""Makes the application inside the process and loop that serve it, and drains it at the end."""
BACKLOG = 4096
"""Connections that may wait to be taken."""
YOUNG = 20_000
"""New objects between two looks for cycles; requests leave few behind."""
LOOK_SECONDS = 0.02
"""Between two looks at whether the last requests have ended."""
MOST_FILES = 65_536
"""Open files that the process asks for at most."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to serve."""

    host: str
    port: int


def run(factory: Factory, *, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT: then take no more connections, end the open requests, drain. InputError where the port is taken."""
    check_port(host, port)
    uvloop.run(_run(factory, Address(host, port), ready))


def check_port(host: str, port: int) -> None:
    """Raise InputError unless the port is free: a second server would share its traffic in silence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"cannot listen on {host}:{port}: {error.strerror}", mend="stop what listens there, or give another --port", code="port"
            ) from None


async def _run(factory: Factory, address: Address, ready: Callable[[], None]) -> None:
    async with factory() as app:
        await serve(app, address, ready=ready)


async def serve(app: App, address: Address, *, ready: Callable[[], None], shared: bool = False) -> None:
    """Serve an application on this loop until SIGTERM or SIGINT; returns when the open requests have ended. Who calls has checked the port.

    `shared` is for several processes that serve one port.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    state = ServerState()
    settings = config(app, _most_connections())
    server = await loop.create_server(
        lambda: Connection(settings, state, {}), address.host, address.port, backlog=BACKLOG, reuse_address=True, reuse_port=shared
    )
    on_signal = ending(app, stop.set)
    loop.add_signal_handler(signal.SIGTERM, on_signal)
    # a terminal interrupts all processes at once; of several, the first one tells the others
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if shared else on_signal)
    collect_less()
    ready()
    await stop.wait()
    server.close()
    for connection in [*state.connections]:
        connection.shutdown()
    while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(LOOK_SECONDS)
    log.info("no more connections; draining")


def collect_less() -> None:
    """Let the collector look at what is here for good no more, and at the rest less often: a twentieth of a request's time is saved."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


def _most_connections() -> int:
    """Ask for as many open files as the system grants; half of them are for clients, since each may need a connection to a supplier."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return granted // 2
