"""What a conformance test asks of an engine of the ledger: writers on one store, and a picture of all that is in it."""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from tokenworth.capture.events import UsageEvent
from tokenworth.capture.lots import Lot
from tokenworth.capture.state import Account, HoldRow
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify
from tokenworth.wiring.ledgers import Ledger


@dataclass
class Picture:
    """All that is stored; `sums` are of postings by (unit, account), `notices` are customer, kind and subject."""

    accounts: dict[str, Account] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    holds: dict[str, HoldRow] = field(default_factory=dict)
    events: dict[str, UsageEvent] = field(default_factory=dict)
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    notices: list[tuple[str, str, str]] = field(default_factory=list)
    corrections: dict[str, int] = field(default_factory=dict)
    """Amounts of refunds."""
    problems: list[str] = field(default_factory=list)


class Engine(Protocol):
    """A new, empty store."""

    def open(self, clock: Callable[[], int]) -> Ledger:
        """Return another writer."""

    def picture(self) -> Picture:
        """Read everything."""

    def drop(self) -> None:
        """Remove the store."""


class Sqlite:
    """One file in a temporary directory."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / "l.db"

    def open(self, clock: Callable[[], int]) -> SqliteLedger:
        return SqliteLedger(self.path, clock=clock)

    def picture(self) -> Picture:
        seen = Picture(problems=list(verify(self.path).problems))
        with Reader(self.path) as reader:
            seen.accounts = {account.customer: account for account in reader.accounts()}
            seen.lots = {lot.id: lot for lot in reader.lots()}
            seen.holds = {hold.id: hold for hold in reader.open_holds()}
            seen.events = {event.id: event for event in reader.read()}
            seen.sums = sums(reader.db)
            seen.corrections = dict(reader.db.execute("SELECT id, amount FROM correction WHERE kind = 'refund'"))
            seen.notices = [
                (customer, kind, str(int(Decimal(subject) * 10**9)) if kind == "low_balance" else subject)
                for customer, kind, subject in reader.db.execute("SELECT customer, kind, subject FROM notice ORDER BY seq")
            ]
        return seen

    def drop(self) -> None:
        self._folder.cleanup()


def sums(db: sqlite3.Connection) -> Counter[tuple[str, str]]:
    """Add up both sides of all postings."""
    total: Counter[tuple[str, str]] = Counter()
    for unit, debit, credit, amount in db.execute("SELECT unit, debit, credit, amount FROM posting"):
        total[unit, debit] -= amount
        total[unit, credit] += amount
    return total
