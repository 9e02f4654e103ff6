"""The rows of a batch, one statement a table."""

import sqlite3
from collections.abc import Collection

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
    lot_row,
    lot_update,
    spend_rows,
)
from tokenworth.store.ledger.memory import Rows
from tokenworth.store.sqlite.sql import insert

ADD_ACCOUNT = insert(ACCOUNT_COLUMNS, "account") + (
    " ON CONFLICT (customer) DO UPDATE SET policy = excluded.policy, " + ", ".join(f"{name} = excluded.{name}" for name in MOVING_COLUMNS)
)
SET_ACCOUNT = f"UPDATE account SET {', '.join(f'{name} = ?' for name in MOVING_COLUMNS)} WHERE customer = ?"
ADD_LOT = insert(LOT_COLUMNS, "lot")
SET_LOT = "UPDATE lot SET state = ?, used = ?, held = ?, gone = ? WHERE id = ?"
ADD_HOLD = insert(HOLD_COLUMNS, "hold")
SET_HOLD = "UPDATE hold SET deadline = ?, state = ?, draft = ? WHERE id = ?"
PUT_SPEND = insert(SPEND_COLUMNS, "spend") + " ON CONFLICT DO UPDATE SET used = excluded.used, held = excluded.held"
ADD_POSTING = insert(POSTING_COLUMNS, "posting")
ADD_EVENT = insert(EVENT_COLUMNS, "event")
ADD_CORRECTION = insert(CORRECTION_COLUMNS, "correction")
ADD_NOTICE = insert(NOTICE_COLUMNS, "notice")


def write(db: sqlite3.Connection, rows: Rows) -> None:
    """Write what a batch changed; the caller commits."""

    def many(statement: str, values: Collection[Row]) -> None:
        if values:
            db.executemany(statement, values)

    many(ADD_ACCOUNT, [account_row(account) for account in rows.new_accounts.values()])
    many(SET_ACCOUNT, [account_update(account) for name, account in rows.accounts.items() if name not in rows.new_accounts])
    many(ADD_LOT, [lot_row(lot) for lot in rows.new_lots.values()])
    many(SET_LOT, [lot_update(lot) for lot in rows.lots.values()])
    # holds that close free their idempotency keys before new ones take them
    many(SET_HOLD, [hold_update(hold) for hold in rows.holds.values()])
    many(ADD_HOLD, [hold_row(hold) for hold in rows.new_holds.values()])
    many(ADD_POSTING, rows.postings)
    many(ADD_EVENT, [event_row(event) for event in rows.events.values()])
    counting = [account for account in (rows.accounts | rows.new_accounts).values() if account.limits.spends]
    many(PUT_SPEND, [row for account in counting for row in spend_rows(account)])
    many(ADD_CORRECTION, [(*each, recorded) for each, recorded in rows.corrections])
    many(ADD_NOTICE, [(each.customer, each.kind, each.subject, each.left, each.at, recorded) for each, recorded in rows.notices])
