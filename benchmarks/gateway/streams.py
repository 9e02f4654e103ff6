"""Many slow streams at once: gaps between tokens, through the gateway and directly, and memory.

The client is a protocol on uvloop that reads raw sockets and notes when each token came. Streams start spread over a second, so their phases are
random. What the gateway adds is the 99th percentile of the gaps through it less that of the direct call.
"""

import argparse
import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.gateway import upstream
from benchmarks.gateway.load import Target
from benchmarks.gateway.ours import ours
from benchmarks.gateway.processes import cpu_seconds, free_port, memory

DIRECT = "direct"
MARK = b'"content":" word"'


@dataclass(slots=True)
class Gaps:
    """Seconds between tokens of a stream; tokens that came together count as gaps of 0 after the first. And how many tokens a second there were."""

    every: list[float] = field(default_factory=list)
    rate: float = 0.0

    def at(self, share: float) -> float:
        """Return a quantile, in milliseconds."""
        ordered = sorted(self.every)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1e3


class _Reader(asyncio.Protocol):
    """One stream."""

    def __init__(self, request: bytes, gaps: Gaps) -> None:
        self._request = request
        self._gaps = gaps
        self._last = 0.0
        self.counting = False
        self.failed = ""
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            self._begun = True
            if not data.startswith(b"HTTP/1.1 200"):
                self.failed = data[:300].decode()
        tokens = data.count(MARK)
        if not tokens:
            return
        now = time.perf_counter()
        if self.counting and self._last:
            self._gaps.every.append(now - self._last)
            self._gaps.every.extend([0.0] * (tokens - 1))
        self._last = now

    def connection_lost(self, exc: Exception | None) -> None:
        self.failed = self.failed or f"it ended: {exc}"


async def watch(target: Target, number: int, seconds: float, pid: int = 0) -> tuple[Gaps, int]:
    """Open so many streams and read them for so long; returns gaps, and the bytes of memory of a process that came with the streams."""
    loop, gaps, where = asyncio.get_running_loop(), Gaps(), urlsplit(target.url)
    head = "".join(f"{name}: {value}\r\n" for name, value in target.sent.items())
    request = f"POST {where.path} HTTP/1.1\r\nhost: x\r\n{head}content-length: {len(target.body)}\r\n\r\n".encode() + target.body
    before = memory(pid) if pid else 0
    readers, transports = [], []
    for _ in range(number):
        transport, reader = await loop.create_connection(lambda: _Reader(request, gaps), "127.0.0.1", where.port or 80)
        readers.append(reader)
        transports.append(transport)
        await asyncio.sleep(random.expovariate(number))
    await asyncio.sleep(1)
    grown = memory(pid) - before if pid else 0
    for reader in readers:
        reader.counting = True
    start = time.perf_counter()
    await asyncio.sleep(seconds)
    gaps.rate = len(gaps.every) / (time.perf_counter() - start)
    broken = [reader.failed for reader in readers if reader.failed]
    for transport in transports:
        transport.abort()
    if broken:
        raise SystemExit(f"{len(broken)} of {number} streams of {target.name} broke: {broken[0]}")
    return gaps, grown


def _row(name: str, gaps: Gaps, rest: str = "") -> None:
    print(f"{name:24}{gaps.rate:>12,.0f}{gaps.at(0.5):>11.1f}{gaps.at(0.99):>11.1f}{gaps.at(0.999):>11.1f}{rest}", flush=True)


def compare(told: argparse.Namespace, folder: Path) -> None:
    """Run the streams directly and through the gateway, at falling rates until the direct call is steady; print a row for each."""
    port = free_port()
    print(f"\n{told.streams} streams at once")
    print(f"{'':24}{'tokens/s':>12}{'median ms':>11}{'99% ms':>11}{'99.9% ms':>11}{'added at 99%':>14}{'KiB a stream':>14}{'cores':>7}")
    for rate in told.rates:
        with upstream.streaming(folder, port, rate=rate):
            target = Target(DIRECT, f"http://127.0.0.1:{port}/v1", stream=True)
            direct, _ = uvloop.run(watch(target, told.streams, told.seconds))
            steady = direct.at(0.99) < 1.5e3 / rate
            _row(f"direct, {rate:g} a stream", direct, "" if steady else "   not steady")
            options = ("--workers", str(told.workers)) if told.workers > 1 else ()
            with ours(folder / f"ours-{rate:g}", port, port, options=options) as own:
                mine = own.target("prepaid", stream=True)
                # once before, so that what is loaded with the first requests is not counted
                uvloop.run(watch(mine, 20, 0.2))
                spent, begun = cpu_seconds(own.pid), time.perf_counter()
                gaps, grown = uvloop.run(watch(mine, told.streams, told.seconds, own.pid))
                cores = (cpu_seconds(own.pid) - spent) / (time.perf_counter() - begun)
                _row(mine.name, gaps, f"{gaps.at(0.99) - direct.at(0.99):>14.1f}{grown / told.streams / 1024:>14.1f}{cores:>7.2f}")
        if steady:
            return
