"""Read-only views of the ledger's file; they never wait for a writer and never hold one up."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tokenworth.capture.lots import Lot
from tokenworth.capture.state import Account, HoldRow
from tokenworth.store.ledger.codec import HOLD_COLUMNS, LOT_COLUMNS, Row, hold_value, lot_value
from tokenworth.store.ledger.reports import Reports
from tokenworth.store.sqlite.connect import connect_readonly
from tokenworth.store.sqlite.fetch import accounts
from tokenworth.store.sqlite.file import guarded
from tokenworth.store.sqlite.sql import select


class Reader(Reports):
    """One read-only connection; use it as a context manager. Everything that it yields is of one instant: that of its first query."""

    def __init__(self, path: Path) -> None:
        """Open an existing file; LedgerError where it cannot be read."""
        self._path = path
        self.db = connect_readonly(path)
        self.db.execute("BEGIN")

    def accounts(self) -> Iterator[Account]:
        """Yield every account with its live lots, by name."""
        names = [name for (name,) in self.query("SELECT customer FROM account ORDER BY customer")]
        with guarded(self._path):
            yield from accounts(self.db, names)

    def lots(self, customer: str | None = None) -> Iterator[Lot]:
        """Yield lots, spent ones too, oldest first; of one customer or of all."""
        mine = [] if customer is None else [customer]
        where = " WHERE customer = ?" if mine else ""
        yield from map(lot_value, self.query(f"{select(LOT_COLUMNS, 'lot')}{where} ORDER BY seq", mine))

    def open_holds(self) -> Iterator[HoldRow]:
        """Yield holds that are neither settled nor released, oldest first."""
        yield from map(hold_value, self.query(select(HOLD_COLUMNS, "hold") + " WHERE state = 0 ORDER BY id"))

    def query(self, text: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Run a query with a value for each `?`."""
        with guarded(self._path):
            yield from self.db.execute(text, values)

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()
