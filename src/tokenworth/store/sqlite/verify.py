"""The proof that the ledger adds up: everything that is stored twice is derived again from the postings and compared.

One pass over the postings, in the order in which they were written, and one over the events beside it: memory grows with accounts and open
lots, not with history. It reads one snapshot, so a gateway may go on serving.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from tokenworth.capture.events import UsageEvent
from tokenworth.capture.lots import LotState
from tokenworth.capture.postings import DEFERRED, REVENUE, USED
from tokenworth.core.money import format_amount
from tokenworth.store.ledger.codec import EVENT_COLUMNS, LOT_COLUMNS, event_value, lot_value
from tokenworth.store.sqlite.connect import guarded
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.sql import select

MOST_PROBLEMS = 100
POSTING = ("entry", "kind", "unit", "debit", "credit", "amount", "lot", "before", "after", "version")
SETTLED, RELEASED = 1, 2


@dataclass(slots=True)
class Report:
    """What was checked, what is wrong, and the closing balance of every account by unit."""

    accounts: int = 0
    lots: int = 0
    holds: int = 0
    postings: int = 0
    events: int = 0
    balances: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    problems: list[str] = field(default_factory=list)

    def say(self, problem: str) -> None:
        """Note a problem; past MOST_PROBLEMS they are only counted."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        elif len(self.problems) == MOST_PROBLEMS:
            self.problems.append("... and more")

    @property
    def summary(self) -> str:
        """One line of what was checked."""
        units = sorted({unit for unit, _ in self.balances})
        sums = ", ".join(f"{unit} {format_amount(sum(n for (u, _), n in self.balances.items() if u == unit))}" for unit in units)
        return (
            f"{self.postings:,} postings, {self.events:,} events, {self.accounts:,} accounts, {self.lots:,} lots and {self.holds:,} holds "
            f"agree; sums: {sums or 'nothing posted'}."
        )


@dataclass(slots=True)
class _Wallet:
    """A customer's account as the postings so far leave it."""

    balance: int = 0
    debt: int = 0
    version: int = 0


@dataclass(slots=True)
class _LotSums:
    granted: int = 0
    paid: int = 0
    out: int = 0
    recognised: int = 0


@dataclass(slots=True)
class _Seen:
    wallets: dict[str, _Wallet] = field(default_factory=lambda: defaultdict(_Wallet))
    lots: dict[str, _LotSums] = field(default_factory=lambda: defaultdict(_LotSums))


def verify(path: Path) -> Report:
    """Derive everything again and compare; a report without problems is the proof. LedgerError where the file cannot be read."""
    report, seen = Report(), _Seen()
    with Reader(path) as reader, guarded(path):
        reader.db.execute("BEGIN")
        for line in reader.db.execute("PRAGMA integrity_check"):
            if line[0] != "ok":
                report.say(f"the file is damaged: {line[0]}")
        if not report.problems:
            _entries(reader, report, seen)
            _accounts(reader, report, seen)
            _lots(reader, report, seen)
            _holds(reader, report)
    return report


def _entries(reader: Reader, report: Report, seen: _Seen) -> None:
    """Walk entries and events side by side: each charged event has its entry, each settlement its event."""
    rows = reader.db.execute(select(POSTING, "posting") + " ORDER BY seq")
    events = reader.db.execute(select(EVENT_COLUMNS, "event") + " ORDER BY seq")
    charged = _charged(map(event_value, events), report)
    for entry, lines in groupby(rows, key=lambda row: row[0]):
        charge = revenue = 0
        settlement = False
        for row in lines:
            _, kind, unit, debit, credit, amount, *_ = row
            report.postings += 1
            report.balances[unit, debit] -= amount
            report.balances[unit, credit] += amount
            settlement = settlement or (kind in ("use", "owe") and ":" not in entry)
            charge += amount if kind in ("use", "owe") and credit == USED else 0
            revenue += amount if kind == "use" and credit == REVENUE else 0
            _posting(row, report, seen)
        if settlement and charge:
            event = next(charged, None)
            if event is None or event.id != entry:
                report.say(f"entry {entry}: its event is missing or out of order")
            elif (event.charge, event.revenue) != (charge, revenue):
                report.say(f"event {entry}: charge {event.charge} and revenue {event.revenue}, but postings of {charge} and {revenue}")
    for event in charged:
        report.say(f"event {event.id}: charged {event.charge}, but has no postings")


def _charged(events: Iterator[UsageEvent], report: Report) -> Iterator[UsageEvent]:
    for event in events:
        report.events += 1
        if event.charge:
            yield event
        elif event.revenue:
            report.say(f"event {event.id}: revenue {event.revenue} without a charge")


def _posting(row: tuple[Any, ...], report: Report, seen: _Seen) -> None:
    """Follow one posting into the wallet's chain and the lot's sums."""
    entry, kind, _, debit, credit, amount, lot, before, after, version = row
    owner = next((name.partition(":")[2] for name in (debit, credit) if name.startswith(("wallet:", "debt:"))), "")
    if owner:
        wallet = seen.wallets[owner]
        change = amount if credit.startswith("wallet:") else -amount if debit.startswith("wallet:") else 0
        if change and (before, after) != (wallet.balance, wallet.balance + change):
            report.say(f"entry {entry}: wallet of {owner} goes from {before} to {after}, expected {wallet.balance} to {wallet.balance + change}")
        wallet.balance += change
        wallet.debt += (amount if debit.startswith("debt:") else 0) - (amount if credit.startswith("debt:") else 0)
        if version < wallet.version:
            report.say(f"entry {entry}: account of {owner} goes back from version {wallet.version} to {version}")
        wallet.version = version
    sums = seen.lots[lot]
    if kind == "grant":
        sums.granted += amount if credit.startswith("wallet:") else 0
        sums.paid += amount if credit == DEFERRED else 0
    elif credit.startswith("wallet:"):
        sums.out -= amount
    elif debit.startswith("wallet:"):
        sums.out += amount
    elif DEFERRED in (debit, credit):
        sums.recognised += amount if debit == DEFERRED else -amount


def _accounts(reader: Reader, report: Report, seen: _Seen) -> None:
    """Compare stored accounts with the postings, the lots and the open holds."""
    left = dict(reader.db.execute("SELECT customer, sum(amount - used - gone) FROM lot WHERE state IN (0, 3) GROUP BY customer"))
    held = dict(reader.db.execute("SELECT customer, sum(held) FROM lot GROUP BY customer"))
    holds = dict(reader.db.execute("SELECT customer, sum(amount) FROM hold WHERE state = 0 GROUP BY customer"))
    for customer, balance, in_hold, lent, debt, version in reader.db.execute("SELECT customer, balance, held, lent, debt, version FROM account"):
        report.accounts += 1
        wallet = seen.wallets.pop(customer, _Wallet())
        _same(report, f"account {customer}: balance", balance, postings=wallet.balance, lots=left.get(customer, 0))
        _same(report, f"account {customer}: debt", debt, postings=wallet.debt)
        _same(report, f"account {customer}: held", in_hold + lent, holds=holds.get(customer, 0), lots=held.get(customer, 0) + lent)
        if version < wallet.version:
            report.say(f"account {customer}: version {version} is behind its postings' {wallet.version}")
    for customer in seen.wallets:
        report.say(f"postings of {customer}, who has no account")


def _lots(reader: Reader, report: Report, seen: _Seen) -> None:
    """Compare stored lots with the postings; what is no longer deferred must be the rounded share of what was paid."""
    for lot in map(lot_value, reader.db.execute(select(LOT_COLUMNS, "lot"))):
        report.lots += 1
        sums = seen.lots.pop(lot.id, _LotSums())
        real = lot.state not in (LotState.PENDING, LotState.CANCELLED)
        _same(report, f"lot {lot.id}: amount", lot.grant.amount if real else 0, postings=sums.granted)
        _same(report, f"lot {lot.id}: paid", lot.grant.paid if real else 0, postings=sums.paid)
        _same(report, f"lot {lot.id}: used", lot.used + lot.gone, postings=sums.out)
        _same(report, f"lot {lot.id}: recognised", lot.recognised(), postings=sums.recognised)
    for name, sums in seen.lots.items():
        if name and sums != _LotSums():
            report.say(f"postings of lot {name}, which does not exist")


def _holds(reader: Reader, report: Report) -> None:
    """Each closed hold has one event, each event one closed hold; open holds bind what they hold."""
    bound: dict[str, int] = defaultdict(int)
    for id_, amount, text in reader.db.execute("SELECT id, amount, bound FROM hold WHERE state = 0"):
        parts = json.loads(text)
        _same(report, f"hold {id_}: amount", amount, bound=sum(n for _, n in parts))
        for lot, n in parts:
            bound[lot] += n if lot else 0
    for lot, held in reader.db.execute("SELECT id, held FROM lot WHERE held > 0"):
        _same(report, f"lot {lot}: held", held, holds=bound.pop(lot, 0))
    for lot, n in bound.items():
        if not n:
            continue
        report.say(f"lot {lot}: held 0, but open holds bind {n}")
    report.holds = reader.db.execute("SELECT count(*) FROM hold").fetchone()[0]
    for id_, state, status in reader.db.execute(ODD_HOLDS):
        named = {0: "open", SETTLED: "settled", RELEASED: "released"}.get(state, "missing")
        report.say(f"event {id_}: its hold is {named}, its status {status or 'missing'}")


ODD_HOLDS = """
    SELECT hold.id, hold.state, event.status FROM hold LEFT JOIN event USING (id)
    WHERE (hold.state = 0) <> (event.id IS NULL)
       OR (hold.state = 1) <> (event.status IN ('ok', 'estimated', 'unrated'))
       OR (hold.state = 2) <> (event.status IN ('failed', 'lost'))
    UNION ALL
    SELECT event.id, NULL, event.status FROM event LEFT JOIN hold USING (id) WHERE hold.id IS NULL
"""
"""Holds and events that do not say the same. A comparison with NULL is NULL, so open holds pass the last two lines."""


def _same(report: Report, what: str, stored: int, **derived: int) -> None:
    for source, value in derived.items():
        if value != stored:
            report.say(f"{what} is {stored}, the {source} say {value}")
