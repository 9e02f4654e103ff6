"""The whole application: what customers call, what the operator's machines post and read, and how it ends."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tokenworth.capture.commands import Extend
from tokenworth.core.errors import LedgerError
from tokenworth.flows.drain import Cutter
from tokenworth.flows.elsewhere.intake import Intake
from tokenworth.flows.observe.ledger import WatchedLedger
from tokenworth.flows.observe.meters import Meters
from tokenworth.flows.ports import Directory, Ledger
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.service import Service
from tokenworth.gateway.app import Gateway, Routes
from tokenworth.gateway.asgi import Message, Receive, Send, send_json, send_whole
from tokenworth.gateway.ingest import Ingest
from tokenworth.gateway.machines import need_scope
from tokenworth.gateway.peers import telling, together
from tokenworth.gateway.watch import DRAIN_SECONDS, Watched
from tokenworth.render.prometheus import CONTENT_TYPE, exposition
from tokenworth.wiring.clock import now
from tokenworth.wiring.editions import following
from tokenworth.wiring.ledgers import Where
from tokenworth.wiring.serving import HOLD_SECONDS, Backend, serving
from tokenworth.wiring.suppliers import make_suppliers
from tokenworth.wiring.tracing import tracing

LEDGER_SECONDS = 2.0
"""How long the ledger may take to answer whether it can be written."""
FRESH_SECONDS = 1.0
"""How long its answer holds: whoever asks may ask often."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outside:
    """How a gateway shows itself.

    `database` has the book that it follows, where it follows one; `peers` is a folder in which all processes behind one port tell each other
    their metrics.
    """

    database: Where | None = None
    hold_seconds: int = HOLD_SECONDS
    drain_seconds: float = DRAIN_SECONDS
    by_customer: bool = False
    log_requests: bool = False
    traces: bool = False
    peers: Path | None = None
    processes: int = 1
    """How many serve on the port."""


@dataclass(slots=True)
class Application:
    """An ASGI application that can be drained: call `drain` before the server stops."""

    watched: Watched
    drain_seconds: float

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.watched(scope, receive, send)

    async def drain(self) -> None:
        """Take no more requests and end the open ones."""
        await self.watched.drain(self.drain_seconds)


@asynccontextmanager
async def application(shop: Shop, backend: Backend, outside: Outside) -> AsyncGenerator[Application, None]:
    """Run a service and give the application over it; at the end the service is drained, and what was traced is exported."""
    meters, cutter = Meters(by_customer=outside.by_customer), Cutter()
    async with AsyncExitStack() as stack:
        told = stack.enter_context(tracing(shop.book, on=outside.traces))
        ledger = WatchedLedger(backend.ledger, meters, time.perf_counter, told=told)
        watched = replace(backend, ledger=ledger, suppliers=cutter.over(backend.suppliers))
        if outside.peers is not None:
            await stack.enter_async_context(telling(outside.peers, meters.snapshot))
        service = await stack.enter_async_context(serving(shop, watched, hold_seconds=outside.hold_seconds, processes=outside.processes))
        if outside.database is not None:
            await stack.enter_async_context(following(service, outside.database, lambda book: cutter.over(make_suppliers(book, os.environ, now))))
        state = State(service, ledger, meters, outside)
        intake = Intake(lambda: service.edition.shop, backend.directory, now)
        gateway = Gateway(service, more={**Ingest(intake, ledger).routes, **state.routes})
        state.seen = Watched(gateway, meters, cutter, time.perf_counter, log_requests=outside.log_requests)
        yield Application(state.seen, outside.drain_seconds)


class State:
    """Whether the gateway is ready, and its metrics."""

    def __init__(self, service: Service, ledger: Ledger, meters: Meters, outside: Outside) -> None:
        """Tell of a service."""
        self._service = service
        self._directory: Directory = service.directory
        self._ledger = ledger
        self._meters = meters
        self._peers = outside.peers
        self._asked: asyncio.Task[bool] | None = None
        self._asked_at = 0.0
        self.seen: Watched | None = None

    @property
    def routes(self) -> Routes:
        """The routes, by path and method."""
        return {"/readyz": {"GET": self._ready}, "/metrics": {"GET": self._metrics}}

    async def _ready(self, scope: Message, receive: Receive, send: Send) -> None:
        del scope, receive
        status = await self._status()
        headers = {} if status == "ready" else {"retry-after": "1"}
        await send_json(send, 200 if status == "ready" else 503, {"status": status, "book": self._service.edition.shop.book.id}, headers)

    async def _status(self) -> str:
        if self.seen is not None and self.seen.draining:
            return "stopping"
        return "ready" if await self._writable() else "ledger_unavailable"

    async def _metrics(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive
        need_scope(self._directory, scope, "metrics")
        mine = self._meters.snapshot()
        content = exposition(await together(self._peers, mine) if self._peers is not None else mine)
        await send_whole(send, 200, content.encode(), {"content-type": CONTENT_TYPE})

    async def _writable(self) -> bool:
        """Whether the ledger commits: asked at most every FRESH_SECONDS, however many ask."""
        if self._asked is None or time.monotonic() - self._asked_at > FRESH_SECONDS:
            self._asked_at = time.monotonic()
            self._asked = asyncio.create_task(self._commit())
        return await asyncio.shield(self._asked)

    async def _commit(self) -> bool:
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                await self._ledger.submit([Extend((), 0)])
        except (LedgerError, TimeoutError) as error:
            log.error("the ledger cannot be written: %r", error)  # noqa: TRY400 - it is asked again
            return False
        return True
