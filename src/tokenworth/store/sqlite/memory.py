"""Accounts and open holds in memory, loaded when a command asks for them, and the rows that a batch of commands changes."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from tokenworth.capture.events import UsageEvent
from tokenworth.capture.machine import Change
from tokenworth.capture.postings import Posting
from tokenworth.capture.state import Account, HoldRow, HoldState, Lot
from tokenworth.store.sqlite.codec import (
    ACCOUNT_COLUMNS,
    EVENT_COLUMNS,
    HOLD_COLUMNS,
    LOT_COLUMNS,
    account_row,
    account_value,
    draft_text,
    event_row,
    event_value,
    hold_row,
    hold_value,
    insert,
    lot_row,
    lot_value,
    select,
)

POSTING_COLUMNS = ("entry", "line", "kind", "unit", "debit", "credit", "amount", "lot", "before", "after", "version", "at", "recorded")
MOST_ACCOUNTS = 200_000
"""Accounts kept in memory; past it the memory is dropped between commits and fills anew."""

FIND_ACCOUNT = select(ACCOUNT_COLUMNS, "account") + " WHERE customer = ?"
FIND_LOTS = select(LOT_COLUMNS, "lot") + " WHERE customer = ? AND used < amount ORDER BY seq"
FIND_LOT = select(LOT_COLUMNS, "lot") + " WHERE id = ?"
FIND_HOLD = select(HOLD_COLUMNS, "hold") + " WHERE id = ?"
FIND_KEY = select(HOLD_COLUMNS, "hold") + " WHERE customer = ? AND key = ? AND state <> 2 AND key <> ''"
FIND_LATE = "SELECT id FROM hold WHERE state = 0 AND deadline < ? ORDER BY id"
FIND_EVENT = select(EVENT_COLUMNS, "event") + " WHERE id = ?"

ADD_ACCOUNT = insert(ACCOUNT_COLUMNS, "account") + (
    " ON CONFLICT (customer) DO UPDATE SET balance = excluded.balance, held = excluded.held, debt = excluded.debt, version = excluded.version"
)
ADD_LOT = insert(LOT_COLUMNS, "lot")
SET_LOT = "UPDATE lot SET used = ?, held = ? WHERE id = ?"
ADD_HOLD = insert(HOLD_COLUMNS, "hold")
SET_HOLD = "UPDATE hold SET deadline = ?, state = ?, draft = ? WHERE id = ?"
ADD_POSTING = insert(POSTING_COLUMNS, "posting")
ADD_EVENT = insert(EVENT_COLUMNS, "event")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the postings of one command have in common: `at` is when it happened, `recorded` when it was written."""

    id: str
    kind: str
    at: int
    recorded: int


class Memory:
    """What the writer knows. Between commits it equals the file; during a batch it runs ahead by the rows not written yet."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Know nothing yet."""
        self._db = db
        self._accounts: dict[str, Account] = {}
        self._holds: dict[str, HoldRow] = {}
        self._begin()

    def _begin(self) -> None:
        self._dirty_accounts: dict[str, Account] = {}
        self._new_lots: dict[str, Lot] = {}
        self._set_lots: dict[str, Lot] = {}
        self._new_holds: dict[str, HoldRow] = {}
        self._set_holds: dict[str, HoldRow] = {}
        self._new_keys: dict[tuple[str, str], str] = {}
        self._postings: list[tuple[object, ...]] = []
        self._events: dict[str, UsageEvent] = {}

    def forget(self) -> None:
        """Drop everything: another process has written, or a commit failed."""
        self._accounts.clear()
        self._holds.clear()
        self._begin()

    def account(self, customer: str) -> Account | None:
        """Return an account with its open lots."""
        known = self._accounts.get(customer)
        if known is None:
            row = self._db.execute(FIND_ACCOUNT, (customer,)).fetchone()
            if row is None:
                return None
            lots = tuple(map(lot_value, self._db.execute(FIND_LOTS, (customer,))))
            known = self._accounts[customer] = account_value(row, lots)
        return known

    def lot(self, id_: str) -> Lot | None:
        """Return any lot, spent or not."""
        changed = self._set_lots.get(id_) or self._new_lots.get(id_)
        if changed is not None:
            return changed
        row = self._db.execute(FIND_LOT, (id_,)).fetchone()
        return lot_value(row) if row else None

    def hold(self, id_: str) -> HoldRow | None:
        """Return any hold, open or closed."""
        known = self._holds.get(id_) or self._set_holds.get(id_) or self._new_holds.get(id_)
        if known is None:
            row = self._db.execute(FIND_HOLD, (id_,)).fetchone()
            known = hold_value(row) if row else None
            if known is not None and known.state is HoldState.OPEN:
                self._holds[id_] = known
        return known

    def hold_of_key(self, customer: str, key: str) -> HoldRow | None:
        """Return the hold, not released, that has a customer's idempotency key."""
        if not key:
            return None
        new = self._new_keys.get((customer, key))
        row = (new,) if new else self._db.execute(FIND_KEY, (customer, key)).fetchone()
        # the batch may have closed what the file still has open
        known = self.hold(row[0]) if row else None
        return known if known is not None and known.state is not HoldState.RELEASED else None

    def late(self, at: int) -> Iterator[HoldRow]:
        """Yield open holds whose deadline has passed, as the file and this batch have them."""
        ids = {row[0] for row in self._db.execute(FIND_LATE, (at,))} | self._new_holds.keys()
        for id_ in sorted(ids):
            hold = self.hold(id_)
            if hold is not None and hold.state is HoldState.OPEN and hold.deadline < at:
                yield hold

    def event(self, id_: str) -> UsageEvent | None:
        """Return a stored event."""
        if id_ in self._events:
            return self._events[id_]
        row = self._db.execute(FIND_EVENT, (id_,)).fetchone()
        return event_value(row) if row else None

    def extend(self, hold: HoldRow) -> None:
        """Take over a hold's new deadline."""
        self._put_hold(hold)

    def apply(self, change: Change, entry: Entry) -> None:
        """Take over what a command did."""
        account = change.account
        if account is not None:
            before = self._accounts.get(account.customer)
            known = {lot.id for lot in before.lots} if before else set()
            self._accounts[account.customer] = self._dirty_accounts[account.customer] = account
            for line, posting in enumerate(change.postings):
                head, tail = (entry.id, line, entry.kind), (account.version, entry.at, entry.recorded)
                self._postings.append(_posting_row(posting, head, tail))
            for lot in change.lots:
                fresh = lot.id not in known or lot.id in self._new_lots
                (self._new_lots if fresh else self._set_lots)[lot.id] = lot
        if change.hold is not None:
            self._put_hold(change.hold, new=entry.kind == "hold")
        if change.event is not None:
            self._events[change.event.id] = change.event

    def _put_hold(self, hold: HoldRow, *, new: bool = False) -> None:
        fresh = new or hold.id in self._new_holds
        (self._new_holds if fresh else self._set_holds)[hold.id] = hold
        if new and hold.key:
            self._new_keys[hold.customer, hold.key] = hold.id
        if hold.state is HoldState.OPEN:
            self._holds[hold.id] = hold
        else:
            self._holds.pop(hold.id, None)

    def write(self) -> None:
        """Write the rows of the batch; the caller commits."""
        many = self._db.executemany
        many(ADD_ACCOUNT, map(account_row, self._dirty_accounts.values()))
        many(ADD_LOT, map(lot_row, self._new_lots.values()))
        many(SET_LOT, ((lot.used, lot.held, lot.id) for lot in self._set_lots.values()))
        # holds that close free their idempotency keys before new ones take them
        many(SET_HOLD, (_hold_update(hold) for hold in self._set_holds.values()))
        many(ADD_HOLD, map(hold_row, self._new_holds.values()))
        many(ADD_POSTING, self._postings)
        many(ADD_EVENT, map(event_row, self._events.values()))

    def committed(self) -> None:
        """Forget the batch's rows: the file has them."""
        self._begin()
        if len(self._accounts) > MOST_ACCOUNTS:
            self.forget()


def _posting_row(posting: Posting, head: tuple[object, ...], tail: tuple[object, ...]) -> tuple[object, ...]:
    p = posting
    return (*head, p.unit, p.debit, p.credit, p.amount, p.lot, p.before, p.after, *tail)


def _hold_update(hold: HoldRow) -> tuple[object, ...]:
    return (hold.deadline, hold.state.value, draft_text(hold), hold.id)
