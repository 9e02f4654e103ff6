"""PostgreSQL as an engine of the conformance tests: each store is a new database of the shared server."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from tests.support.engines import Picture
from tests.support.postgres import Server, server
from tokenworth.store.postgres.ledger import PostgresLedger
from tokenworth.store.postgres.reader import PostgresReader, verify


class Postgres:
    """One database, of the server that the tests share or of another."""

    def __init__(self, on: Server | None = None) -> None:
        self.server = on or server()
        self.path = self.server.database()

    def open(self, clock: Callable[[], int]) -> PostgresLedger:
        return PostgresLedger(self.path, clock=clock)

    def picture(self) -> Picture:
        seen = Picture(problems=list(verify(self.path).problems))
        with PostgresReader(self.path) as reader:
            seen.accounts = {account.customer: account for account in reader.accounts()}
            seen.lots = {lot.id: lot for lot in reader.lots()}
            seen.holds = {hold.id: hold for hold in reader.open_holds()}
            seen.events = {event.id: event for event in reader.read()}
            total: Counter[tuple[str, str]] = Counter()
            for unit, debit, credit, amount in reader.db.execute("SELECT unit, debit, credit, amount FROM posting"):
                total[unit, debit] -= amount
                total[unit, credit] += amount
            seen.sums = total
            seen.corrections = dict(reader.db.execute("SELECT id, amount FROM correction WHERE kind = 'refund'"))
            seen.notices = [
                (customer, kind, str(int(Decimal(subject) * 10**9)) if kind == "low_balance" else subject)
                for customer, kind, subject in reader.db.execute("SELECT customer, kind, subject FROM notice ORDER BY seq")
            ]
        return seen

    def drop(self) -> None:
        self.server.drop(self.path)
