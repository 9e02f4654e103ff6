"""The rows of a batch, as the arguments of `tokenworth_write`: an array of rows a table, and what is rare as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from tokenworth.store.ledger.codec import (
    ACCOUNT_COLUMNS,
    CORRECTION_COLUMNS,
    LOT_COLUMNS,
    NOTICE_COLUMNS,
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
    text,
)
from tokenworth.store.ledger.memory import Memory, Rows

ABSENT = -1
"""The version of an account that is not there."""


def arguments(memory: Memory) -> list[Any]:
    """Return what a batch was decided from and what it changes."""
    rows, seen = memory.rows, memory.seen
    return [
        [(name, ABSENT if account is None else account.version) for name, account in seen.items()],
        [account_update(account) for name, account in rows.accounts.items() if name not in rows.new_accounts],
        list(map(lot_update, rows.lots.values())),
        list(map(hold_update, rows.holds.values())),
        list(map(hold_row, rows.new_holds.values())),
        rows.postings,
        list(map(event_row, rows.events.values())),
        _rare(memory, rows),
    ]


def _rare(memory: Memory, rows: Rows) -> str | None:
    counting = [account for account in (rows.accounts | rows.new_accounts).values() if account.limits.spends]
    if not (rows.new_accounts or rows.new_lots or counting or rows.corrections or rows.notices):
        return None
    made = {name for name, account in memory.seen.items() if account is None}
    notices = [(each.customer, each.kind, each.subject, each.left, each.at, recorded) for each, recorded in rows.notices]
    tables: dict[str, tuple[Sequence[str], Iterable[Row]]] = {
        "accounts": (ACCOUNT_COLUMNS, [account_row(account) for name, account in rows.new_accounts.items() if name in made]),
        "policies": (ACCOUNT_COLUMNS, [account_row(account) for name, account in rows.new_accounts.items() if name not in made]),
        "lots": (LOT_COLUMNS, map(lot_row, rows.new_lots.values())),
        "spends": (SPEND_COLUMNS, [row for account in counting for row in spend_rows(account)]),
        "corrections": (CORRECTION_COLUMNS, [(*each, recorded) for each, recorded in rows.corrections]),
        "notices": (NOTICE_COLUMNS, notices),
    }
    return text({key: [dict(zip(names, row, strict=True)) for row in table] for key, (names, table) in tables.items()})
