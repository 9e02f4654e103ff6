"""The facts that a batch needs, from a few queries, however many commands it has."""

import sqlite3
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from tokenworth.capture.change import Correction
from tokenworth.capture.correcting import Payment
from tokenworth.capture.limits import KEPT
from tokenworth.capture.lots import Lot, burn_down
from tokenworth.capture.postings import USED, debt, wallet
from tokenworth.capture.state import Account, Counter, HoldState, Spend
from tokenworth.store.ledger.codec import (
    ACCOUNT_COLUMNS,
    CORRECTION_COLUMNS,
    EVENT_COLUMNS,
    HOLD_COLUMNS,
    LOT_COLUMNS,
    SPEND_COLUMNS,
    Row,
    account_value,
    event_value,
    hold_value,
    lot_value,
    policy_value,
    text,
)
from tokenworth.store.ledger.facts import Facts, Needs, remaining, repayments
from tokenworth.store.sqlite.sql import select

LISTED = "IN (SELECT value FROM json_each(?))"
ACCOUNTS = f"{select(ACCOUNT_COLUMNS, 'account')} WHERE customer {LISTED}"
LIVE_LOTS = f"{select(LOT_COLUMNS, 'lot')} WHERE customer {LISTED} AND live"
SAME = "(s.customer, s.subject, s.period) = (spend.customer, spend.subject, spend.period)"
LATEST = f"SELECT start FROM spend AS s WHERE {SAME} ORDER BY start DESC LIMIT {KEPT}"
SPENDS = f"{select(SPEND_COLUMNS, 'spend')} WHERE customer {LISTED} AND (held > 0 OR start IN ({LATEST}))"
LOTS = f"{select(LOT_COLUMNS, 'lot')} WHERE id {LISTED}"
HOLDS = f"{select(HOLD_COLUMNS, 'hold')} WHERE id {LISTED}"
KEYS = "SELECT customer, key, id FROM hold WHERE customer = ? AND key = ? AND state <> 2 AND key <> ''"
LATE = "SELECT id FROM hold WHERE state = 0 AND deadline < ?"
DUE = """
    SELECT customer FROM lot WHERE due <= ?1
    -- CROSS: in this order, as there are few who have debt
    UNION SELECT account.customer FROM account INDEXED BY account_debt CROSS JOIN lot ON lot.customer = account.customer AND lot.live
    WHERE account.debt > 0 AND lot.state = 0 AND lot.effective <= ?1 AND lot.products = '[]' AND lot.tiers = '[]'
        AND lot.used + lot.held + lot.gone < lot.amount
"""
STRETCH = f"{select(SPEND_COLUMNS, 'spend')} WHERE customer = ? AND subject = ? AND period = ? AND start > ? AND start <= ?"
EVENTS = f"{select(EVENT_COLUMNS, 'event')} WHERE id {LISTED}"
CHARGED = f"{select(('id', 'customer'), 'event')} WHERE charge > 0 AND id {LISTED}"
CORRECTIONS = f"{select(CORRECTION_COLUMNS, 'correction')} WHERE id {LISTED}"
PARTS = "SELECT lot, amount FROM posting WHERE entry = ? AND credit = ? AND kind IN ('use', 'owe') ORDER BY line"
REFUNDED = "SELECT coalesce(sum(amount), 0) FROM correction WHERE corrects = ? AND kind = 'refund'"
REPAID = """
    SELECT lot, CASE WHEN credit = ?1 THEN amount ELSE -amount END FROM posting
    WHERE (substr(debit, 1, 5) = 'debt:' OR substr(credit, 1, 5) = 'debt:')
      AND (debit = ?2 AND credit = ?1 OR debit = ?1 AND credit = ?2) ORDER BY seq
"""


def fetch(db: sqlite3.Connection, needs: Needs, *, known: Container[str]) -> Facts:
    """Return what the file says of what is needed; accounts among `known` are left out, since the writer has them."""
    facts = Facts()
    if needs.late is not None:
        facts.late = [id_ for (id_,) in db.execute(LATE, (needs.late,))]
        facts.due = [customer for (customer,) in db.execute(DUE, (needs.late,))]
        needs.holds.update(facts.late)
    for customer, key in needs.keys:
        facts.keys.update({(row[0], row[1]): row[2] for row in db.execute(KEYS, (customer, key))})
    needs.holds.update(facts.keys.values())
    facts.holds = {hold.id: hold for hold in map(hold_value, _listed(db, HOLDS, needs.holds))}
    closed = [hold.id for hold in facts.holds.values() if hold.state is not HoldState.OPEN]
    facts.events = {event.id: event for event in map(event_value, _listed(db, EVENTS, closed))}
    facts.corrections = {row[0]: Correction(*row[:-1]) for row in _listed(db, CORRECTIONS, needs.corrections)}
    facts.payments = {id_: _payment(db, customer, id_) for id_, customer in _charged(db, needs.events)}
    facts.lots = {lot.id: lot for lot in map(lot_value, _listed(db, LOTS, needs.lots))}
    concerned = {hold.customer for hold in facts.holds.values()} | {lot.grant.customer for lot in facts.lots.values()}
    concerned |= {payment.customer for payment in facts.payments.values()}
    customers = needs.customers | concerned | set(facts.due)
    facts.accounts = {account.customer: account for account in accounts(db, [name for name in customers if name not in known])}
    facts.spends = _spends(row for stretch in needs.stretches for row in db.execute(STRETCH, stretch))
    return facts


def accounts(db: sqlite3.Connection, customers: Iterable[str]) -> Iterator[Account]:
    """Yield accounts with their live lots in burn-down order and their counters."""
    wanted = text(sorted(customers))
    if wanted == "[]":
        return
    lots: dict[str, list[Lot]] = defaultdict(list)
    for lot in map(lot_value, db.execute(LIVE_LOTS, (wanted,))):
        lots[lot.grant.customer].append(lot)
    spends = _spends(db.execute(SPENDS, (wanted,)))
    for row in db.execute(ACCOUNTS, (wanted,)).fetchall():
        order = policy_value(row[3]).burn_down
        yield account_value(row, burn_down(lots[row[0]], order), spends[row[0]])


def _spends(rows: Iterable[Row]) -> dict[str, dict[Counter, Spend]]:
    spends: dict[str, dict[Counter, Spend]] = defaultdict(dict)
    for customer, subject, period, start, used, held in rows:
        spends[customer][subject, period, start] = Spend(used, held)
    return spends


def _listed(db: sqlite3.Connection, query: str, ids: Iterable[str]) -> Iterable[Row]:
    wanted = text(sorted(ids))
    return db.execute(query, (wanted,)) if wanted != "[]" else ()


def _charged(db: sqlite3.Connection, events: Iterable[str]) -> Iterable[Row]:
    return list(_listed(db, CHARGED, events))


def _payment(db: sqlite3.Connection, customer: str, event: str) -> Payment:
    owed, mine = debt(customer), wallet(customer)
    parts = db.execute(PARTS, (event, USED)).fetchall()
    refunded = db.execute(REFUNDED, (event,)).fetchone()[0]
    repaid = repayments(db.execute(REPAID, (owed, mine)))
    names = {lot for lot, _ in (*parts, *repaid) if lot}
    lots = {lot.id: lot for lot in map(lot_value, _listed(db, LOTS, names))}
    return Payment(customer, remaining(parts, refunded), repaid, lots)
