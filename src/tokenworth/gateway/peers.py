"""Several processes behind one port: whichever is asked for metrics asks the others for theirs, over sockets in a folder that they share."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from tokenworth.flows.observe.metrics import Snapshot, merged

SECONDS = 1.0
"""How long a process may take to tell its metrics; those of one that does not are left out, and that is logged."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def telling(folder: Path, snapshot: Callable[[], Snapshot]) -> AsyncGenerator[None, None]:
    """Tell this process's snapshot to whoever connects to its socket in the folder, until the block ends."""

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        with suppress(ConnectionError):
            writer.write(orjson.dumps(snapshot()))
            await writer.drain()
        writer.close()

    path = _socket(folder, os.getpid())
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(tell, path)
    try:
        async with server:
            yield
    finally:
        path.unlink(missing_ok=True)


async def together(folder: Path, mine: Snapshot) -> Snapshot:
    """Return the sum of all processes' snapshots."""
    told = await asyncio.gather(*map(_ask, _others(folder)))
    return merged([mine, *(each for each in told if each is not None)])


async def _ask(path: Path) -> Mapping[str, Any] | None:
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                told: Mapping[str, Any] = orjson.loads(await reader.read())
            finally:
                writer.close()
            return told
    except (ConnectionRefusedError, FileNotFoundError):
        # of a process that was killed
        _forget(path)
    except (OSError, TimeoutError, orjson.JSONDecodeError) as error:
        log.warning("a process does not tell its metrics: %r", error)
    return None


def _others(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.sock")) if path != _socket(folder, os.getpid())]


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)


def _socket(folder: Path, process: int) -> Path:
    return folder / f"{process}.sock"
