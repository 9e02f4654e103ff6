"""The side that has the ledger: answers one process's messages, each of which joins the next durable commit."""

import asyncio
import socket
from collections.abc import Sequence

import orjson

from tokenworth.capture.commands import Command
from tokenworth.flows.ports import Ledger
from tokenworth.store.ledger.queue import Outcome
from tokenworth.store.local.frames import NAME, Frames
from tokenworth.store.local.wire import decode_commands, encode_outcome


class Owner:
    """Answers one connection. Commands are applied in order; only those of a message that fails are tried again, behind what came after it."""

    def __init__(self, ledger: Ledger) -> None:
        """Wait for `attach`."""
        self._ledger = ledger
        self._frames = Frames(self._received, lambda: None)
        self._tasks: set[asyncio.Task[None]] = set()

    async def attach(self, connection: socket.socket) -> None:
        """Take over this side of a pair of sockets."""
        await asyncio.get_running_loop().create_connection(lambda: self._frames, sock=connection)

    def close(self) -> None:
        """Close the connection."""
        self._frames.close()

    def _received(self, message: bytes) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(message[:NAME], decode_commands(message[NAME:])))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, name: bytes, asks: Sequence[Sequence[Command]]) -> None:
        outcomes = await self._outcomes(asks)
        self._frames.send(name + orjson.dumps([encode_outcome(commands, outcome) for commands, outcome in zip(asks, outcomes, strict=True)]))

    async def _outcomes(self, asks: Sequence[Sequence[Command]]) -> list[Outcome]:
        """Submit all callers' commands at once; where that fails nothing was written, and each is tried alone, so that only the faulty one fails."""
        whole = await self._try([command for commands in asks for command in commands])
        if isinstance(whole, Exception):
            return [whole] if len(asks) == 1 else [await self._try(commands) for commands in asks]
        results = iter(whole)
        return [[next(results) for _ in commands] for commands in asks]

    async def _try(self, commands: Sequence[Command]) -> Outcome:
        try:
            return await self._ledger.submit(commands)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers hear of it
            return error
