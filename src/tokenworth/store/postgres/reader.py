"""Read-only views of the ledger, and its proof; they never wait for a writer and never hold one up."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from tokenworth.capture.lots import Lot
from tokenworth.capture.state import Account, HoldRow
from tokenworth.store.ledger.codec import (
    ACCOUNT_COLUMNS,
    HOLD_COLUMNS,
    LOT_COLUMNS,
    SPEND_COLUMNS,
    Row,
    hold_value,
    lot_value,
)
from tokenworth.store.ledger.proof import prove as proof
from tokenworth.store.ledger.proof.report import Findings, Report
from tokenworth.store.ledger.reports import Reports
from tokenworth.store.postgres.fetch import accounts_of
from tokenworth.store.postgres.routines import CURRENT
from tokenworth.store.postgres.session import Session
from tokenworth.store.sqlite.sql import select


class PostgresReader(Reports):
    """One read-only connection; use it as a context manager. Everything that it yields is of one instant: that of its first query."""

    def __init__(self, where: str) -> None:
        """Connect; LedgerError where the database cannot be read, InputError where it has no ledger."""
        self.db = Session(where)
        self.db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def accounts(self) -> Iterator[Account]:
        """Yield every account with its live lots, by name."""
        found: dict[str, Any] = {
            "account": self.db.stream(select(ACCOUNT_COLUMNS, "account") + " ORDER BY customer"),
            "live": self.db.stream(select(LOT_COLUMNS, "lot") + " WHERE live"),
            "spend": self.db.stream(f"{select(SPEND_COLUMNS, 'spend')} WHERE {CURRENT}"),
        }
        yield from accounts_of(found)

    def lots(self, customer: str | None = None) -> Iterator[Lot]:
        """Yield lots, spent ones too, oldest first; of one customer or of all."""
        mine = [] if customer is None else [customer]
        where = " WHERE customer = ?" if mine else ""
        yield from map(lot_value, self.db.stream(f"{select(LOT_COLUMNS, 'lot')}{where} ORDER BY seq", mine))

    def open_holds(self) -> Iterator[HoldRow]:
        """Yield holds that are neither settled nor released, oldest first."""
        yield from map(hold_value, self.db.stream(select(HOLD_COLUMNS, "hold") + " WHERE state = 0 ORDER BY id"))

    def query(self, text: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Run a query with a value for each `?`."""
        yield from self.db.stream(text, values)

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()


def verify(where: str, *, tell: Callable[[str], None] = lambda _: None) -> Report:
    """Derive everything again and compare, on one snapshot; a report without problems is the proof. `tell` hears each phase as it begins."""
    with PostgresReader(where) as reader:
        return proof.prove(reader.db.stream, Findings(), tell)
