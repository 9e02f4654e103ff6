"""One process, one port: granian inside this process's event loop, so that a kill leaves no worker behind that goes on serving."""

import asyncio
import logging
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from tokenworth.core.errors import InputError
from tokenworth.gateway.asgi import App

log = logging.getLogger(__name__)
Factory = Callable[[], AbstractAsyncContextManager[App]]
"""Makes the application inside the process and loop that serve it, and drains it at the end."""
HEADER_SECONDS = 20
"""How long a connection may be open without a whole request's headers, the first or the next."""
MOST_FILES = 65_536
"""Open files that the process asks for at most."""


def run(factory: Factory, *, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT: then take no more connections, end the open requests, drain. InputError where the port is taken."""
    check_port(host, port)
    uvloop.run(_run(factory, host, port, ready))


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


async def _run(factory: Factory, host: str, port: int, ready: Callable[[], None]) -> None:
    async with factory() as app:
        await serve(app, host=host, port=port, ready=ready)


async def serve(app: App, *, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve an application on this loop until SIGTERM or SIGINT; returns when the open requests have ended. Who calls has checked the port."""
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        # where HTTP/2 is possible a connection that sends nothing has no time limit
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        websockets=False,
        backlog=4096,
        backpressure=_most_connections(),
        log_level=LogLevels.error,
    )
    # the sockets listen once granian has started its worker, right after the startup hooks
    server.on_startup(lambda: asyncio.get_running_loop().call_later(0.05, ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    await server.serve()
    log.info("no more connections; draining")


def _most_connections() -> int:
    """Ask for as many open files as the system grants; half of them are for clients, since each may need a connection to a supplier."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return granted // 2
