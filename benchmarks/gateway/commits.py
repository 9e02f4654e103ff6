"""What the durable commits of a request take alone: part of the latency that a gateway adds, told apart from the rest."""

import time
from pathlib import Path
from statistics import median

from tokenworth.capture.commands import Grant, Hold, OpenAccount, Settle, Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.ids import sortable_id
from tokenworth.core.money import NANO
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.wiring.clock import entropy, now
from tokenworth.wiring.onboard import accept


async def commits(database: Path, pairs: int = 300) -> float:
    """Return the median milliseconds of a hold and its settlement on a new file, one pair after the other."""
    times = []
    with SqliteLedger(database, clock=now) as ledger:
        accept(ledger.submit_now([OpenAccount("load", "credits", "USD", now()), Grant("g", "load", 10**9 * NANO, Source.PAID, 0, now())]))
        for _ in range(pairs):
            event = _event()
            start = time.perf_counter()
            await ledger.submit([Hold(event, 1_000, event.at + 10**9)])
            await ledger.submit([Settle(event._replace(status=Status.OK, charge=700, counts={"output": 1}))])
            times.append(time.perf_counter() - start)
    return median(times) * 1e3


def _event() -> UsageEvent:
    at = now()
    names = dict.fromkeys(("api_key", "product", "tier", "supplier", "model", "api", "card", "cost_card", "book"), "x")
    return UsageEvent(id=sortable_id(at, entropy(10)), customer="load", plan="prepaid", at=at, unit="credits", currency="USD", **names)  # type: ignore[arg-type]
