"""The side that asks: what becomes ready in one round of the loop is a message, and the owner commits together what came during its last commit."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Self

import orjson

from tokenworth.capture.commands import Command, Result
from tokenworth.core.errors import LedgerError
from tokenworth.store.ledger.queue import Ask, resolve, shares, take
from tokenworth.store.local.frames import NAME, Frames
from tokenworth.store.local.wire import decode_outcome, encode_commands

NUMBERS = 256**NAME
GONE = "the process that owns the ledger is gone"


class LocalLedger:
    """The durable ledger of another process, for callers on one event loop. Where that process is gone, callers get a LedgerError."""

    def __init__(self, lost: Callable[[], None]) -> None:
        """Wait for `connect`; `lost` is called when the owner is gone."""
        self._frames = Frames(self._received, self._lost)
        self._told = lost
        self._queue: list[tuple[Ask, bytes]] = []
        self._sent: dict[bytes, list[Ask]] = {}
        self._number = 0
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
        self._started = False
        while self._queue and not self._gone:
            batch, _ = take([ask for ask, _ in self._queue])
            encoded = [each for _, each in self._queue[: len(batch)]]
            del self._queue[: len(batch)]
            self._number = (self._number + 1) % NUMBERS
            name = self._number.to_bytes(NAME)
            self._sent[name] = batch
            self._frames.send(name + b"[" + b",".join(encoded) + b"]")

    def _received(self, message: bytes) -> None:
        batch = self._sent.pop(message[:NAME])
        resolve(batch, [decode_outcome(ask.commands, plain) for ask, plain in zip(batch, orjson.loads(message[NAME:]), strict=True)])

    def _lost(self) -> None:
        self._gone = True
        left = [ask for batch in self._sent.values() for ask in batch] + [ask for ask, _ in self._queue]
        self._sent, self._queue = {}, []
        resolve(left, shares(left, LedgerError(GONE)))
        self._told()
