"""Rows of the database <-> values of the capture machine."""

import json
from dataclasses import fields
from typing import Any

from tokenworth.capture.commands import Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.capture.state import Account, HoldRow, HoldState, Lot

EVENT_COLUMNS = tuple(field.name for field in fields(UsageEvent))
LOT_COLUMNS = tuple(field.name for field in fields(Lot))
HOLD_COLUMNS = tuple(field.name for field in fields(HoldRow))
ACCOUNT_COLUMNS = ("customer", "unit", "currency", "balance", "held", "debt", "version")

COUNTS_AT = EVENT_COLUMNS.index("counts")
STATUS_AT = EVENT_COLUMNS.index("status")


def select(columns: tuple[str, ...], table: str) -> str:
    """Return the start of a SELECT of named columns."""
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - names from this module


def insert(columns: tuple[str, ...], table: str) -> str:
    """Return an INSERT of named columns."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names from this module


def event_row(event: UsageEvent) -> tuple[Any, ...]:
    """Return an event in the order of EVENT_COLUMNS."""
    values = [getattr(event, name) for name in EVENT_COLUMNS]
    values[COUNTS_AT] = json.dumps(dict(event.counts), separators=(",", ":"))
    values[STATUS_AT] = str(event.status)
    return tuple(values)


def event_value(row: tuple[Any, ...]) -> UsageEvent:
    """Return the event of a row in the order of EVENT_COLUMNS."""
    values = list(row)
    values[COUNTS_AT] = json.loads(values[COUNTS_AT])
    values[STATUS_AT] = Status(values[STATUS_AT])
    return UsageEvent(*values)


def lot_row(lot: Lot) -> tuple[Any, ...]:
    """Return a lot in the order of LOT_COLUMNS."""
    return (lot.id, lot.customer, str(lot.source), lot.amount, lot.paid, lot.at, lot.used, lot.held)


def lot_value(row: tuple[Any, ...]) -> Lot:
    """Return the lot of a row in the order of LOT_COLUMNS."""
    return Lot(row[0], row[1], Source(row[2]), *row[3:])


def hold_row(hold: HoldRow) -> tuple[Any, ...]:
    """Return a hold in the order of HOLD_COLUMNS."""
    draft = json.dumps(event_row(hold.draft)) if hold.draft else ""
    bound = json.dumps(hold.bound, separators=(",", ":"))
    return (hold.id, hold.customer, hold.amount, bound, hold.deadline, hold.key, hold.body, draft, int(hold.state))


def hold_value(row: tuple[Any, ...]) -> HoldRow:
    """Return the hold of a row in the order of HOLD_COLUMNS."""
    id_, customer, amount, bound, deadline, key, body, draft, state = row
    parts = tuple((lot, n) for lot, n in json.loads(bound))
    event = event_value(tuple(json.loads(draft))) if draft else None
    return HoldRow(id_, customer, amount, parts, deadline, key, body, event, HoldState(state))


def account_row(account: Account) -> tuple[Any, ...]:
    """Return an account in the order of ACCOUNT_COLUMNS."""
    return (account.customer, account.unit, account.currency, account.balance, account.held, account.debt, account.version)


def account_value(row: tuple[Any, ...], lots: tuple[Lot, ...]) -> Account:
    """Return the account of a row in the order of ACCOUNT_COLUMNS, with its open lots."""
    customer, unit, currency, balance, held, debt, version = row
    return Account(customer, unit, currency, balance, held, debt, version, lots)
