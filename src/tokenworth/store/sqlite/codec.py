"""Rows of the database <-> values of the capture machine."""

from dataclasses import fields
from operator import attrgetter
from typing import Any

import orjson

from tokenworth.capture.commands import Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.capture.state import Account, HoldRow, HoldState, Lot

EVENT_COLUMNS = tuple(field.name for field in fields(UsageEvent))
LOT_COLUMNS = tuple(field.name for field in fields(Lot))
HOLD_COLUMNS = tuple(field.name for field in fields(HoldRow))
ACCOUNT_COLUMNS = ("customer", "unit", "currency", "balance", "held", "debt", "version")

_event_fields = attrgetter(*EVENT_COLUMNS)
COUNTS_AT = EVENT_COLUMNS.index("counts")
STATUS_AT = EVENT_COLUMNS.index("status")


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def select(columns: tuple[str, ...], table: str) -> str:
    """Return the start of a SELECT of named columns."""
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - names from this module


def insert(columns: tuple[str, ...], table: str) -> str:
    """Return an INSERT of named columns."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names from this module


def event_row(event: UsageEvent) -> tuple[Any, ...]:
    """Return an event in the order of EVENT_COLUMNS."""
    values = list(_event_fields(event))
    values[COUNTS_AT] = _text(dict(event.counts))
    values[STATUS_AT] = event.status.value
    return tuple(values)


def event_value(row: tuple[Any, ...]) -> UsageEvent:
    """Return the event of a row in the order of EVENT_COLUMNS."""
    values = list(row)
    values[COUNTS_AT] = orjson.loads(values[COUNTS_AT])
    values[STATUS_AT] = Status(values[STATUS_AT])
    return UsageEvent(*values)


def lot_row(lot: Lot) -> tuple[Any, ...]:
    """Return a lot in the order of LOT_COLUMNS."""
    return (lot.id, lot.customer, lot.source.value, lot.amount, lot.paid, lot.at, lot.used, lot.held)


def lot_value(row: tuple[Any, ...]) -> Lot:
    """Return the lot of a row in the order of LOT_COLUMNS."""
    return Lot(row[0], row[1], Source(row[2]), *row[3:])


def hold_row(hold: HoldRow) -> tuple[Any, ...]:
    """Return a hold in the order of HOLD_COLUMNS."""
    draft, bound = draft_text(hold), _text(hold.bound)
    return (hold.id, hold.customer, hold.amount, bound, hold.deadline, hold.key, hold.body, draft, int(hold.state))


def draft_text(hold: HoldRow) -> str:
    """Return a hold's draft as it is stored: empty once it is closed."""
    return _text(event_row(hold.draft)) if hold.draft else ""


def hold_value(row: tuple[Any, ...]) -> HoldRow:
    """Return the hold of a row in the order of HOLD_COLUMNS."""
    id_, customer, amount, bound, deadline, key, body, draft, state = row
    parts = tuple((lot, n) for lot, n in orjson.loads(bound))
    event = event_value(tuple(orjson.loads(draft))) if draft else None
    return HoldRow(id_, customer, amount, parts, deadline, key, body, event, HoldState(state))


def account_row(account: Account) -> tuple[Any, ...]:
    """Return an account in the order of ACCOUNT_COLUMNS."""
    return (account.customer, account.unit, account.currency, account.balance, account.held, account.debt, account.version)


def account_value(row: tuple[Any, ...], lots: tuple[Lot, ...]) -> Account:
    """Return the account of a row in the order of ACCOUNT_COLUMNS, with its open lots."""
    customer, unit, currency, balance, held, debt, version = row
    return Account(customer, unit, currency, balance, held, debt, version, lots)
