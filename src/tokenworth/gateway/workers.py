"""Several processes behind one port: this one starts them, stands by, and ends with them.

Each worker has a lifeline, a pair of sockets of which this process has the other side. Over it the worker says when it listens; and when this
process is gone, however it went, the lifeline says so and the worker ends at once: nobody would close its holds, and nobody would stop it. A worker
that dies is replaced; its requests broke off, and its holds run out.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from multiprocessing.process import BaseProcess

import uvloop

from tokenworth.core.errors import TokenworthError
from tokenworth.gateway.asgi import App
from tokenworth.gateway.server import Address, check_port, collect_less, serve

log = logging.getLogger(__name__)
LISTENS = b"+"
FIRST_PAUSE, MOST_PAUSE = 1.0, 30.0
"""Seconds before a worker that died is replaced: doubled from the first to the most while new ones do not come to listen."""

Connect = Callable[[], Awaitable[socket.socket | None]]
"""Makes a worker's own way to what this process owns; None where it owns nothing."""
Job = Callable[[socket.socket | None], AbstractAsyncContextManager[App]]
"""Makes the application inside a worker, with what `Connect` gave, and drains it at the end. It is pickled on its way."""


async def supervise(job: Job, connect: Connect, address: Address, *, number: int, ready: Callable[[], None]) -> None:
    """Run workers until SIGTERM or SIGINT, then until each has ended its requests. `ready` is called when all listen.

    InputError where the port is taken; TokenworthError (code worker) where one of the first ends before it listens.
    """
    check_port(address.host, address.port)
    with _reserved(address):
        crew = _Crew(job, connect, address)
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, crew.stop)
        await crew.run(number, ready)


@contextmanager
def _reserved(address: Address) -> Iterator[None]:
    """Keep the port from others while workers start: it is bound, and does not listen."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as guard:
        guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        guard.bind((address.host, address.port))
        yield


class _Crew:
    """The workers, and whether they are to end."""

    def __init__(self, job: Job, connect: Connect, address: Address) -> None:
        self._job = job
        self._connect = connect
        self._address = address
        self._alive: set[BaseProcess] = set()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask all workers to take no more connections, end the open requests, and drain."""
        self._stopping.set()
        for process in self._alive:
            process.terminate()

    async def run(self, number: int, ready: Callable[[], None]) -> None:
        """Start so many, say when all listen, and keep so many until the end."""
        listening = [asyncio.Event() for _ in range(number)]
        keepers: list[asyncio.Task[None]] = [asyncio.create_task(self._keep(name, event)) for name, event in enumerate(listening, start=1)]
        started = asyncio.create_task(_all(listening))
        try:
            await asyncio.wait({started, *keepers}, return_when=asyncio.FIRST_COMPLETED)
            if started.done():
                collect_less()
                ready()
            await asyncio.gather(*keepers)
        finally:
            started.cancel()
            self.stop()
            await asyncio.gather(*keepers, return_exceptions=True)

    async def _keep(self, name: int, listening: asyncio.Event) -> None:
        """Keep one worker alive until the end; TokenworthError where the first one never listens."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            process, lifeline = await self._start(name)
            with lifeline:
                listened = await asyncio.get_running_loop().sock_recv(lifeline, 1) == LISTENS
                if listened:
                    listening.set()
                    pause = FIRST_PAUSE
                await _ended(process)
            self._alive.discard(process)
            if self._stopping.is_set():
                return
            if not listening.is_set():
                raise TokenworthError(f"worker {name} ended before it listened", mend="what it said before says why", code="worker")
            log.error(
                "worker %d died (%s): its open requests broke off, their holds run out; another one comes in %g s", name, process.exitcode, pause
            )
            await _either(self._stopping, pause)
            pause = FIRST_PAUSE if listened else min(2 * pause, MOST_PAUSE)

    async def _start(self, name: int) -> tuple[BaseProcess, socket.socket]:
        mine, theirs = socket.socketpair()
        mine.setblocking(False)
        link = await self._connect()
        # a new interpreter: this one has threads and open databases, which no fork may copy
        process = multiprocessing.get_context("spawn").Process(target=work, args=(self._job, self._address, theirs, link), name=f"worker-{name}")
        process.start()
        self._alive.add(process)
        for passed in (theirs, link):
            if passed is not None:
                passed.close()
        if self._stopping.is_set():
            process.terminate()
        return process, mine


def work(job: Job, address: Address, lifeline: socket.socket, link: socket.socket | None) -> None:
    """Serve inside a worker's process."""
    uvloop.run(_work(job, address, lifeline, link))


async def _work(job: Job, address: Address, lifeline: socket.socket, link: socket.socket | None) -> None:
    await asyncio.get_running_loop().create_connection(_Lifeline, sock=lifeline.dup())
    async with job(link) as app:

        def ready() -> None:
            lifeline.send(LISTENS)

        await serve(app, address, ready=ready, shared=True)


class _Lifeline(asyncio.Protocol):
    """Ends this process when the one that started it is gone."""

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        log.critical("the process that started this one is gone: its requests end here")
        logging.shutdown()
        os._exit(1)


async def _ended(process: BaseProcess) -> None:
    """Wait for a process's end."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(process.sentinel, ended.set_result, None)
    try:
        await ended
    finally:
        loop.remove_reader(process.sentinel)
    process.join()


async def _all(events: Iterable[asyncio.Event]) -> None:
    """Wait for every event."""
    for event in events:
        await event.wait()


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
