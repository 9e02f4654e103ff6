"""Messages of any length over a stream of bytes: four bytes of length, then so many bytes."""

import asyncio
from collections.abc import Callable
from typing import cast

HEAD = 4
NAME = 4
"""Bytes before a message's JSON that name it; its answer has the same."""


class Frames(asyncio.Protocol):
    """Both directions of one connection. `received` gets each message, `lost` is told once when the other side is gone."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Wait for a connection."""
        self._received = received
        self._lost = lost
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand over the messages that are whole."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= HEAD and len(buffer) >= (end := HEAD + int.from_bytes(buffer[:HEAD])):
            message = bytes(buffer[HEAD:end])
            del buffer[:end]
            self._received(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that nothing more comes."""
        del exc
        self._transport = None
        self._lost()

    def send(self, message: bytes) -> None:
        """Send a message; once the other side is gone, `lost` has said so and it goes nowhere."""
        if self._transport is not None:
            self._transport.write(len(message).to_bytes(HEAD) + message)

    def close(self) -> None:
        """Close the connection once what was sent is on its way."""
        if self._transport is not None:
            self._transport.close()
