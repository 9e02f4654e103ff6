"""The side that asks: what queued up while the last message was answered is the next one, so that order is kept and batches grow under load."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Self

import orjson

from tokenworth.capture.commands import Command, Result
from tokenworth.core.errors import LedgerError
from tokenworth.store.ledger.queue import Ask, resolve, shares, take
from tokenworth.store.local.frames import Frames
from tokenworth.store.local.wire import decode_outcome, encode_commands

GONE = "the process that owns the ledger is gone"


class LocalLedger:
    """The durable ledger of another process, for callers on one event loop. Where that process is gone, callers get a LedgerError."""

    def __init__(self, lost: Callable[[], None]) -> None:
        """Wait for `connect`; `lost` is called when the owner is gone."""
        self._frames = Frames(self._received, self._lost)
        self._told = lost
        self._queue: list[tuple[Ask, bytes]] = []
        self._sent: list[Ask] = []
        self._started = False
        self._gone = False

    @classmethod
    async def connect(cls, connection: socket.socket, *, lost: Callable[[], None] = lambda: None) -> Self:
        """Take over this side of a pair of sockets."""
        made = cls(lost)
        await asyncio.get_running_loop().create_connection(lambda: made._frames, sock=connection)
        return made

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order, each on its own; the results' commit is on disk. InputError where a text cannot be stored."""
        if self._gone:
            raise LedgerError(GONE)
        loop = asyncio.get_running_loop()
        ask = Ask(commands, loop.create_future())
        self._queue.append((ask, encode_commands(commands)))
        if not self._started:
            self._started = True
            # what becomes ready in this round of the loop joins the message
            loop.call_soon(self._send)
        return await ask.future

    def close(self) -> None:
        """Close the connection; callers that still wait hear of it."""
        self._frames.close()

    def _send(self) -> None:
        if self._gone:
            return
        self._sent, _ = take([ask for ask, _ in self._queue])
        number = len(self._sent)
        self._frames.send(b"[" + b",".join([encoded for _, encoded in self._queue[:number]]) + b"]")
        del self._queue[:number]

    def _received(self, message: bytes) -> None:
        batch, self._sent = self._sent, []
        resolve(batch, [decode_outcome(ask.commands, plain) for ask, plain in zip(batch, orjson.loads(message), strict=True)])
        self._started = bool(self._queue)
        if self._started:
            # after those who were answered, so that what they ask next joins the message
            asyncio.get_running_loop().call_soon(self._send)

    def _lost(self) -> None:
        self._gone = True
        left = [*self._sent, *(ask for ask, _ in self._queue)]
        self._sent, self._queue = [], []
        resolve(left, shares(left, LedgerError(GONE)))
        self._told()
