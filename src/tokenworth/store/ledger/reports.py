"""What the accountant's reports read, in SQL that every engine runs; `?` stands for a value."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Any

from tokenworth.capture.commands import Notice
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.policy import Policy
from tokenworth.capture.postings import debt, wallet
from tokenworth.core.ids import ENTROPY_BYTES, IMPORTED, sortable_id
from tokenworth.flows.accounting import DAY, HistoryLine, Journal, Moved, TrialBalance, trial_balance
from tokenworth.flows.statement import Beyond, Corrections
from tokenworth.measure.usage.counts import Usage
from tokenworth.store.ledger.codec import EVENT_COLUMNS, Row, event_value, policy_value
from tokenworth.store.ledger.proof.queries import halves, joined
from tokenworth.store.sqlite.sql import select

FOREVER = 2**63 - 1
FIRST = bytes(ENTROPY_BYTES)
SERVED = select(EVENT_COLUMNS, "event") + " WHERE id >= ? AND id < ? ORDER BY id"
ELSEWHERE = select(EVENT_COLUMNS, "event") + f" WHERE id >= '{IMPORTED}' AND at >= ? AND at < ? ORDER BY at, id"
"""By their index: ids of usage from elsewhere are in no order of time."""
BETWEEN = "FROM posting WHERE {clock} >= ? AND {clock} < ?"
TOTALS = f"SELECT 0, unit, debit, credit, count(*), {halves('amount')} {BETWEEN} GROUP BY unit, debit, credit"
DAYS = f"""
    SELECT day, unit, debit, credit, count(*), {halves("amount")}
    FROM (SELECT {{clock}} / {DAY} AS day, unit, debit, credit, amount {BETWEEN}) AS dated
    GROUP BY day, unit, debit, credit ORDER BY day, unit, debit, credit
"""
CORRECTED = f"""
    SELECT what, {halves("amount")} FROM (
        SELECT amount, CASE WHEN debit = 'revenue' THEN 'unearned' WHEN credit = 'revenue' THEN 'earned'
            WHEN kind = 'refund' THEN CASE WHEN debit = 'used' THEN kind ELSE 'back' END ELSE kind END AS what
        FROM posting WHERE at >= ? AND at < ? AND (kind IN ('refund', 'repay', 'adjust') OR kind = 'grant' AND substr(entry, 1, 11) = 'adjustment:')
    ) AS moved GROUP BY what
"""
HISTORY = """
    SELECT p.at, p.recorded, p.kind, p.debit, p.credit, p.amount, p.lot, p.after, p.entry,
        coalesce(e.id, ''), coalesce(e.product, ''), coalesce(e.tier, ''), coalesce(l.source, ''), coalesce(c.corrects, ''),
        coalesce(c.who, l.who, ''), coalesce(c.why, l.why, '')
    FROM posting p LEFT JOIN event e ON e.id = p.entry LEFT JOIN lot l ON l.id = p.lot
    LEFT JOIN correction c ON c.id = CASE WHEN substr(p.entry, 1, 7) = 'refund:' THEN substr(p.entry, 8)
        WHEN substr(p.entry, 1, 11) = 'adjustment:' THEN substr(p.entry, 12) WHEN substr(p.entry, 1, 5) = 'void:' THEN p.entry END
    WHERE p.debit IN (?, ?) OR p.credit IN (?, ?) ORDER BY p.seq
"""


BEYOND = f"""
    SELECT e.product, count(*), {halves("e.charge + e.waived - h.amount")}, {halves("e.waived")} FROM event e JOIN hold h ON h.id = e.id
    WHERE e.at >= ? AND e.at < ? AND h.amount > 0 AND e.charge + e.waived > h.amount GROUP BY e.product ORDER BY e.product
"""
ANSWERS = f"SELECT product, counts FROM event WHERE status = 'ok' AND alarm = '' AND id < '{IMPORTED}' ORDER BY id DESC LIMIT ?"


class Reports(ABC):
    """A reader that makes them. Instants are microseconds; a period has its first instant and not `until`."""

    @abstractmethod
    def query(self, text: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Run a query with a value for each `?`."""

    def read(self, *, since: int | None = None, until: int | None = None) -> Iterator[UsageEvent]:
        """Yield events with since <= at < until, oldest first (to the millisecond)."""
        low = sortable_id(since, FIRST) if since is not None else ""
        high = sortable_id(until + 1000, FIRST) if until is not None else IMPORTED
        served = map(event_value, self.query(SERVED, (low, high)))
        imported = map(event_value, self.query(ELSEWHERE, _period(since, until)))
        for event in merge(served, imported, key=_millisecond):
            if (since is None or event.at >= since) and (until is None or event.at < until):
                yield event

    def recorded(self, events: Sequence[str]) -> dict[str, str]:
        """Return the digest of the content of those events from elsewhere that are recorded, by the event's id."""
        marks = ", ".join("?" * len(events))
        return dict(map(tuple, self.query(f"SELECT id, body FROM hold WHERE id IN ({marks})", events)))

    def has_account(self, customer: str) -> bool:
        """Return whether a customer has an account."""
        return any(True for _ in self.query("SELECT 1 FROM account WHERE customer = ?", (customer,)))

    def of_other_units(self, unit: str, currency: str) -> Iterator[tuple[str, str, str]]:
        """Yield customer, unit and currency of the accounts that are in others than these."""
        yield from self.query("SELECT customer, unit, currency FROM account WHERE unit <> ? OR currency <> ? ORDER BY customer", (unit, currency))

    def policies(self) -> Iterator[tuple[str, Policy]]:
        """Yield each customer's policy."""
        yield from ((customer, policy_value(text)) for customer, text in self.query("SELECT customer, policy FROM account"))

    def lengths(self, number: int) -> Iterator[tuple[str, int]]:
        """Yield product and output tokens of the last `number` whole answers, oldest first."""
        for product, counts in reversed(list(self.query(ANSWERS, (number,)))):
            yield product, Usage(json.loads(counts)).output_tokens

    def notices(self) -> Iterator[Notice]:
        """Yield what the operator asked to be told of, oldest first."""
        yield from (Notice(*row) for row in self.query("SELECT customer, kind, subject, remaining, at FROM notice ORDER BY seq"))

    def beyond(self, *, since: int | None = None, until: int | None = None) -> dict[str, Beyond]:
        """Return by product what requests came to beyond their holds; a postpaid account's hold nothing, and are not among them."""
        found = self.query(BEYOND, _period(since, until))
        return {product: Beyond(count, joined(*halved[:2]), joined(*halved[2:])) for product, count, *halved in found}

    def corrections(self, *, since: int | None = None, until: int | None = None) -> Corrections:
        """Return what a period refunded, repaid and adjusted, by when it took effect."""
        found = {what: joined(high, low) for what, high, low in self.query(CORRECTED, _period(since, until))}
        refunded, repaid, given, taken, earned, unearned = (
            found.get(what, 0) for what in ("refund", "repay", "grant", "adjust", "earned", "unearned")
        )
        return Corrections(refunded, repaid, given, taken, earned - unearned)

    def trial_balance(self, *, since: int | None = None, until: int | None = None, recorded: bool = False) -> TrialBalance:
        """Return the trial balance of a period, by when postings took effect, or by when they were `recorded`."""
        totals = TOTALS.format(clock=_clock(recorded))
        before = map(_moved, self.query(totals, (-FOREVER, since))) if since is not None else ()
        during = map(_moved, self.query(totals, _period(since, until)))
        return trial_balance(before, during, since=since, until=until, recorded=recorded)

    def journal(self, *, since: int | None = None, until: int | None = None, recorded: bool = False) -> Journal:
        """Return what each day moved in a period, and the balances before it."""
        nothing = trial_balance((), (), since=None, until=None, recorded=recorded)
        opening = nothing if since is None else self.trial_balance(until=since, recorded=recorded)
        return Journal(opening, map(_moved, self.query(DAYS.format(clock=_clock(recorded)), _period(since, until))))

    def history(self, customer: str, *, since: int | None = None, until: int | None = None) -> Iterator[HistoryLine]:
        """Yield what moved a customer's credits and debt, in the order in which it was written."""
        mine, owed, balance, due = wallet(customer), debt(customer), 0, 0
        for at, recorded, kind, debit, credit, amount, lot, after, entry, *rest in self.query(HISTORY, (mine, owed, mine, owed)):
            balance = balance if after is None else after
            due += amount * ((debit == owed) - (credit == owed))
            gained = credit == mine or debit not in (mine, owed)
            if (since is None or at >= since) and (until is None or at < until):
                yield HistoryLine(at, recorded, kind, amount if gained else -amount, lot, balance, due, entry, *rest)


def _millisecond(event: UsageEvent) -> int:
    return event.at // 1000


def _period(since: int | None, until: int | None) -> tuple[int, int]:
    return -FOREVER if since is None else since, FOREVER if until is None else until


def _clock(recorded: bool) -> str:
    return "recorded" if recorded else "at"


def _moved(row: Row) -> Moved:
    day, unit, debit, credit, count, high, low = row
    return Moved(day, unit, debit, credit, joined(high, low), count)
