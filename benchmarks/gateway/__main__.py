"""Set up, run and compare: prints a table for whole answers and one for streams, then the ratios."""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from statistics import median

import uvloop

from benchmarks.gateway import streams, upstream
from benchmarks.gateway.commits import commits
from benchmarks.gateway.load import Measured, Target, check, load
from benchmarks.gateway.ours import ours
from benchmarks.gateway.peers import PEERS, peers
from benchmarks.gateway.processes import free_port

CONNECTIONS = (32, 1)
DIRECT = "direct"
Found = dict[tuple[str, int], Measured]


def measure(targets: Sequence[Target], told: argparse.Namespace, folder: Path) -> Found:
    """Load all targets in turn, in rounds; return the median of each by name and connections."""
    every: dict[tuple[str, int], list[Measured]] = defaultdict(list)
    for target in targets:
        check(target)
        load(target, connections=32, seconds=1, folder=folder)
    for _ in range(told.rounds):
        for connections in CONNECTIONS:
            for target in targets:
                every[target.name, connections].append(load(target, connections=connections, seconds=told.seconds, folder=folder))
    return {key: _middle(all_) for key, all_ in every.items()}


def _middle(all_: Sequence[Measured]) -> Measured:
    return Measured(*(median(getattr(each, field.name) for each in all_) for field in fields(Measured)))


def show(title: str, targets: Sequence[Target], found: Found) -> None:
    """Print what was measured, and the ratios to ours."""
    print(f"\n{title}\n{'':24}{'32 connections':>44}{'1 connection':>33}")
    print(f"{'':24}{'requests/s':>12}{'median ms':>11}{'p99 ms':>10}{'cpu us':>8}{'requests/s':>15}{'median ms':>11}{'added ms':>10}")
    direct = found[DIRECT, 1].median
    for target in targets:
        many, one = found[target.name, 32], found[target.name, 1]
        added = one.median - direct
        head = f"{target.name:24}{many.rate:>12,.0f}{many.median:>11.2f}{many.p99:>10.2f}{many.cpu:>8,.0f}"
        print(f"{head}{one.rate:>15,.0f}{one.median:>11.3f}{added:>10.3f}", flush=True)
    mine = [target.name for target in targets if target.name.startswith("tokenworth")]
    for name in mine:
        others = [target.name for target in targets if target.name not in {DIRECT, *mine}]
        print(f"{name}: " + ", ".join(f"{found[name, 32].rate / found[other, 32].rate:.2f}x {other}" for other in others))


def compare(told: argparse.Namespace, folder: Path, *, stream: bool) -> None:
    """Run everybody in front of the upstreams and print a table."""
    whole, streaming = free_port(), free_port()
    with upstream.whole(folder, whole), upstream.streaming(folder, streaming):
        port = streaming if stream else whole
        options = ("--workers", str(told.workers)) if told.workers > 1 else ()
        with (
            peers(told.cache, port, stream=stream, names=frozenset(told.peers)) as others,
            ours(folder / f"ours-{port}", whole, streaming, options=options) as own,
        ):
            mine = [own.target(plan, stream=stream) for plan in own.keys]
            targets = [Target(DIRECT, f"http://127.0.0.1:{port}/v1", stream=stream), *others, *mine]
            found = measure(targets, told, folder)
            show("Streams of 20 tokens" if stream else "Whole answers", targets, found)
    print(f"a durable hold and settlement alone: {uvloop.run(commits(folder / f'alone-{port}.db')):.2f} ms at the median")


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    options.add_argument("cache", type=Path, help="a folder in which the other gateways are installed, and kept for the next run")
    options.add_argument("--seconds", type=float, default=5, help="of each load")
    options.add_argument("--rounds", type=int, default=3, help="of all of them in turn; medians are shown")
    options.add_argument("--workers", type=int, default=2, help="of tokenworth")
    options.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    options.add_argument(
        "--kind", choices=("all", "whole", "stream", "streams"), default="all", help="stream: short ones in turn; streams: slow ones at once"
    )
    options.add_argument("--streams", type=int, default=500, help="that are open at once")
    options.add_argument(
        "--rates", type=float, nargs="*", default=[50, 30, 20, 10], help="tokens a second of each: the first at which the direct call is steady"
    )
    told = options.parse_args()
    told.cache = told.cache.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        for stream in {"all": (False, True), "whole": (False,), "stream": (True,), "streams": ()}[told.kind]:
            compare(told, Path(temporary), stream=stream)
        if told.kind in {"all", "streams"}:
            streams.compare(told, Path(temporary))


if __name__ == "__main__":
    main()
