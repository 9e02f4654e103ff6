"""A process under load: `python -m tests.chaos.load ADDRESS RUN`. It writes a line for each thing that was acknowledged, as it is."""

import asyncio
import os
import sys
from itertools import count

from tests.chaos.kills import open_address
from tests.support.events import START, draft, settled
from tokenworth.capture.commands import Command, Done, Hold, Refund, Settle
from tokenworth.core.errors import LedgerError
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.wiring.ledgers import Ledger

CALLERS = 64
PAUSE = 0.02
"""Seconds before a caller asks again."""
RUN = 10_000_000
"""Numbers of requests that a run may use."""


def tell(*words: object) -> None:
    """Write one line at once: a kill leaves at most the last one in pieces."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def one(ledger: Ledger, command: Command) -> None:
    """Ask until it is done: a server may be killed and come back, a file has no excuse."""
    while True:
        try:
            (result,) = await ledger.submit([command])
        except LedgerError:
            if isinstance(ledger, SqliteLedger):
                raise
            await asyncio.sleep(PAUSE)
        else:
            assert isinstance(result, Done), result
            return


async def call(ledger: Ledger, numbers: "count[int]") -> None:
    """Serve requests one after the other; every seventh stays open, every fifth is refunded."""
    for number in numbers:
        event = draft(number, ("ada", "bob")[number % 2])
        await one(ledger, Hold(event, 20, START + 60_000_000))
        tell("hold", event.id)
        if number % 7 == 0:
            continue
        await one(ledger, Settle(settled(event, 1 + number % 25)))
        tell("settle", event.id, 1 + number % 25)
        if number % 5 == 0:
            await one(ledger, Refund(f"refund-{event.id}", event.id, 1, START, "eve", "chaos"))
            tell("refund", f"refund-{event.id}")


async def main(address: str, run: int) -> None:
    ledger = open_address(address)
    numbers = count(run * RUN)
    tell("ready")
    await asyncio.gather(*(call(ledger, numbers) for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
