"""The application seen from outside: counts requests and the parts of streams, and ends them when the process is to end.

Ending: from the first signal on, requests get 503, also on connections that are open; those that are being served may go on for a while; then
what waits for a supplier is cut, which charges what was delivered and tells the client; what is left after that is cancelled.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from tokenworth.flows.drain import Cutter
from tokenworth.flows.observe.current import CURRENT, Seen
from tokenworth.flows.observe.meters import Meters
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire import chat
from tokenworth.gateway.app import BY_PATH
from tokenworth.gateway.asgi import App, Message, Receive, Send, send_json

DRAIN_SECONDS = 30.0
"""Default of how long open requests may go on."""
CUT_SECONDS = 5.0
"""How long requests that are cut may take to be settled."""
FORMATS = {
    **{path: spoken.api for path, spoken in BY_PATH.items()},
    "/v1/models": "models",
    "/api/v1/usage-events": "usage-events",
    "/api/v1/traces": "traces",
}
ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are answered while the process ends, and not counted."""

log = logging.getLogger("tokenworth.requests")


class Watched:
    """An application with meters; `elapsed` is a clock in seconds that only goes forward."""

    def __init__(self, app: App, meters: Meters, cutter: Cutter, elapsed: Callable[[], float], *, log_requests: bool = False) -> None:
        """Watch an application, and log a line for each request if so."""
        self._app = app
        self._meters = meters
        self._cutter = cutter
        self._elapsed = elapsed
        self._log_requests = log_requests
        self._open: set[asyncio.Task[Any]] = set()
        self.draining = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request, unless the process is about to end."""
        if scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        seen = Seen(self._elapsed(), scope)
        # each request has a task of its own, so nothing is to be set back
        CURRENT.set(seen)
        task = asyncio.current_task()
        watched = self._sending(seen, send)
        self._meters.open += 1
        if task is not None:
            self._open.add(task)
        try:
            if self.draining:
                await _refuse(scope, watched)
            else:
                await self._app(scope, receive, watched)
        finally:
            if task is not None:
                self._open.discard(task)
            self._ended(scope, seen)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Refuse what comes, let what is open end, then cut it; returns when nothing is open."""
        self.draining = True
        if await self._left(seconds):
            log.warning("%d requests are not over after %g s and are cut", len(self._open), seconds)
            self._cutter.cut()
            if await self._left(CUT_SECONDS):
                for task in self._open:
                    task.cancel()
                await self._left(CUT_SECONDS)

    async def _left(self, seconds: float) -> bool:
        """Wait until nothing is open, for at most so long; return whether something is."""
        end = self._elapsed() + seconds
        while self._open and (left := end - self._elapsed()) > 0:
            await asyncio.wait(self._open, timeout=left)
        return bool(self._open)

    def _sending(self, seen: Seen, send: Send) -> Send:
        elapsed, meters = self._elapsed, self._meters

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            elif message.get("more_body"):
                now = elapsed()
                if not seen.streaming:
                    seen.streaming = True
                    meters.streams += 1
                elif seen.draft is not None:
                    meters.between.observe((seen.draft.tier,), now - seen.sent)
                seen.sent = now
            await send(message)

        return watched

    def _ended(self, scope: Message, seen: Seen) -> None:
        meters, draft = self._meters, seen.draft
        meters.open -= 1
        if seen.streaming:
            meters.streams -= 1
        spoken = FORMATS.get(scope["path"], "other")
        product, tier = (draft.product, draft.tier) if draft is not None else ("", "")
        # without a status the client left before there was one
        meters.requests.add((spoken, product, tier, str(seen.status or 499)))
        seconds = self._elapsed() - seen.started
        meters.seconds.observe((spoken,), seconds)
        if self._log_requests:
            told = {"format": spoken, "product": product, "tier": tier, "status": seen.status or 499, "seconds": round(seconds, 4)}
            log.info("%s %s", scope["method"], scope["path"], extra={"told": told | ({"event": draft.id} if draft is not None else {})})


async def _refuse(scope: Message, send: Send) -> None:
    refusal = Refusal(503, "gateway_stopping", "The gateway is stopping; try again.", headers={"retry-after": "1", "connection": "close"})
    await send_json(send, refusal.status, BY_PATH.get(scope["path"], chat.FORMAT).error(refusal), refusal.headers)
