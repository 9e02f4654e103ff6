"""`python -m tests.chaos [--engine sqlite|postgres] [--kills 200] [--cuts 2000] [--seed N]`: exit 1 if anything was lost, doubled or is wrong."""

import argparse
import secrets
import sys

from rich.console import Console
from rich.progress import Progress

from tests.chaos.kills import ENGINES, kills
from tests.chaos.power import cuts

KILLS = {"sqlite": 200, "postgres": 50}
SHOWN = 20
"""Problems listed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--kills", type=int, help="200 for sqlite, 50 for postgres")
    parser.add_argument("--cuts", type=int, default=2_000, help="power cuts, of SQLite only")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    asked.kills = KILLS[asked.engine] if asked.kills is None else asked.kills
    console, lost = Console(), list[str]()
    with Progress(console=console) as progress:
        bar = progress.add_task("killing", total=asked.kills)
        acknowledged, found = kills(asked.engine, asked.kills, seed=asked.seed, tick=lambda: progress.advance(bar))
        if asked.engine == "sqlite":
            bar = progress.add_task("cutting power", total=asked.cuts)
            found += cuts(asked.cuts, seed=asked.seed, tick=lambda: progress.advance(bar))
            # a test that cannot fail says nothing
            lost = cuts(50, seed=asked.seed, pragma="PRAGMA synchronous = OFF")
    for problem in found[:SHOWN]:
        console.print(problem)
    cut = f", {asked.cuts:,} power cuts" if asked.engine == "sqlite" else ""
    console.print(f"{asked.engine}, seed {asked.seed}: {asked.kills:,} kills{cut}; {acknowledged:,} answers acknowledged; {len(found):,} problems.")
    if asked.engine == "sqlite":
        console.print(f"With synchronous=OFF, {len(lost):,} problems in 50 cuts, as there must be.")
    return int(bool(found) or (asked.engine == "sqlite" and not lost))


if __name__ == "__main__":
    sys.exit(main())
