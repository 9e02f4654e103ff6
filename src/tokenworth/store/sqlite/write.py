"""The rows of a batch, one statement a table, and of the tables that every request adds to, BLOCK rows a statement."""

import sqlite3
from collections.abc import Collection, Sequence
from itertools import chain

from tokenworth.store.ledger.codec import (
    ACCOUNT_COLUMNS,
    CORRECTION_COLUMNS,
    EVENT_COLUMNS,
    HOLD_COLUMNS,
    LOT_COLUMNS,
    MOVING_COLUMNS,
    NOTICE_COLUMNS,
    POSTING_COLUMNS,
    SPEND_COLUMNS,
    Row,
    account_row,
    account_update,
    event_row,
    hold_row,
    hold_update,
    lot_flags,
    lot_row,
    spend_rows,
)
from tokenworth.store.ledger.memory import Rows
from tokenworth.store.sqlite.sql import insert

ADD_ACCOUNT = insert(ACCOUNT_COLUMNS, "account") + (
    " ON CONFLICT (customer) DO UPDATE SET policy = excluded.policy, " + ", ".join(f"{name} = excluded.{name}" for name in MOVING_COLUMNS)
)
SET_ACCOUNT = f"UPDATE account SET {', '.join(f'{name} = ?' for name in MOVING_COLUMNS)} WHERE customer = ?"
ADD_LOT = insert((*LOT_COLUMNS, "live", "due"), "lot")
USE_LOT = "UPDATE lot SET used = ?, held = ?, gone = ? WHERE id = ?"
TURN_LOT = "UPDATE lot SET state = ?, used = ?, held = ?, gone = ?, live = ?, due = ? WHERE id = ?"
"""A statement that names `live` or `due` writes their indexes anew, which takes longer than the lot: USE_LOT is for lots that stay live."""
BLOCK = 16
"""A row of such a statement takes half the time that it takes alone."""
HOLD = (insert(HOLD_COLUMNS, "hold"), insert(HOLD_COLUMNS, "hold", BLOCK))
SET_HOLD = "UPDATE hold SET deadline = ?, state = ?, draft = ? WHERE id = ?"
PUT_SPEND = insert(SPEND_COLUMNS, "spend") + " ON CONFLICT DO UPDATE SET used = excluded.used, held = excluded.held"
POSTING = (insert(POSTING_COLUMNS, "posting"), insert(POSTING_COLUMNS, "posting", BLOCK))
EVENT = (insert(EVENT_COLUMNS, "event"), insert(EVENT_COLUMNS, "event", BLOCK))
ADD_CORRECTION = insert(CORRECTION_COLUMNS, "correction")
ADD_NOTICE = insert(NOTICE_COLUMNS, "notice")


def write(db: sqlite3.Connection, rows: Rows) -> None:
    """Write what a batch changed; the caller commits."""

    def many(statement: str, values: Collection[Row]) -> None:
        if values:
            db.executemany(statement, values)

    many(ADD_ACCOUNT, [account_row(account) for account in rows.new_accounts.values()])
    many(SET_ACCOUNT, [account_update(account) for name, account in rows.accounts.items() if name not in rows.new_accounts])
    many(ADD_LOT, [(*lot_row(lot), *lot_flags(lot)) for lot in rows.new_lots.values()])
    many(USE_LOT, [(lot.used, lot.held, lot.gone, id_) for id_, lot in rows.lots.items() if id_ not in rows.turned])
    many(TURN_LOT, [(lot.state, lot.used, lot.held, lot.gone, *lot_flags(lot), id_) for id_, lot in rows.lots.items() if id_ in rows.turned])
    # holds that close free their idempotency keys before new ones take them
    many(SET_HOLD, [hold_update(hold) for hold in rows.holds.values()])
    _add(db, HOLD, [hold_row(hold) for hold in rows.new_holds.values()])
    _add(db, POSTING, rows.postings)
    _add(db, EVENT, [event_row(event) for event in rows.events.values()])
    counting = [account for account in (rows.accounts | rows.new_accounts).values() if account.limits.spends]
    many(PUT_SPEND, [row for account in counting for row in spend_rows(account)])
    many(ADD_CORRECTION, [(*each, recorded) for each, recorded in rows.corrections])
    many(ADD_NOTICE, [(each.customer, each.kind, each.subject, each.left, each.at, recorded) for each, recorded in rows.notices])


def _add(db: sqlite3.Connection, statements: tuple[str, str], rows: Sequence[Row]) -> None:
    """Insert rows in their order, by the statement of a row and the one of BLOCK rows."""
    one, block = statements
    whole = len(rows) - len(rows) % BLOCK
    if whole:
        db.executemany(block, [tuple(chain.from_iterable(rows[at : at + BLOCK])) for at in range(0, whole, BLOCK)])
    if whole < len(rows):
        db.executemany(one, rows[whole:])
