"""Trial balances, journals and histories as tables, CSV and plain data."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from tokenworth.core.instants import format_instant
from tokenworth.core.money import format_amount
from tokenworth.flows.accounting import HistoryLine, Journal, TrialBalance, TrialLine
from tokenworth.render.beancount import FIRST
from tokenworth.render.tables import Column, print_table

TRIAL_COLUMNS = ("unit", "account", "opening", "debit", "credit", "closing")
JOURNAL_COLUMNS = ("day", "unit", "debit", "credit", "amount", "postings")
STANDING_COLUMNS = ("currency", "paid", "deferred", "earned", "broken", "promotional")
HISTORY_COLUMNS = ("at", "recorded", "kind", "amount", "lot", "balance", "debt", "event", "what")


def trial_cells(line: TrialLine) -> list[str]:
    """Return a line in the order of TRIAL_COLUMNS; amounts are exact decimal text."""
    return [line.unit, line.account or "total", *map(format_amount, (line.opening, line.debit, line.credit, line.closing))]


def print_trial_balance(found: TrialBalance) -> None:
    """Print accounts, sums by unit, and what is deferred, earned and broken off."""
    columns = [Column(name, number=at > 1) for at, name in enumerate(TRIAL_COLUMNS)]
    print_table(_period(found), columns, [trial_cells(line) for line in (*found.lines, *found.totals)])
    columns = [Column(name, number=at > 0) for at, name in enumerate(STANDING_COLUMNS)]
    print_table("What was paid for credits, and where it stands", columns, _standings(found))


def _period(found: TrialBalance) -> str:
    since = f"from {format_instant(found.since)} " if found.since is not None else ""
    until = f"before {format_instant(found.until)}" if found.until is not None else "until now"
    return f"Trial balance {since}{until}, by when it {'was recorded' if found.recorded else 'took effect'}"


def _standings(found: TrialBalance) -> list[list[str]]:
    return [[each.currency, *map(format_amount, (each.paid, each.deferred, each.earned, each.broken, each.promotional))] for each in found.standings]


def trial_balance_data(found: TrialBalance) -> dict[str, Any]:
    """Return a trial balance as plain data; amounts are exact decimal text."""
    return {
        "since": None if found.since is None else format_instant(found.since),
        "until": None if found.until is None else format_instant(found.until),
        "recorded": found.recorded,
        "accounts": [dict(zip(TRIAL_COLUMNS, trial_cells(line), strict=True)) for line in found.lines],
        "totals": [dict(zip(TRIAL_COLUMNS, trial_cells(line), strict=True)) for line in found.totals],
        "standing": [dict(zip(STANDING_COLUMNS, cells, strict=True)) for cells in _standings(found)],
    }


def trial_balance_csv(found: TrialBalance) -> Iterator[str]:
    """Yield a trial balance as lines of CSV."""
    yield from _csv(TRIAL_COLUMNS, map(trial_cells, found.lines))


def journal_csv(journal: Journal) -> Iterator[str]:
    """Yield what each day moved as lines of CSV, without the balances before."""
    rows = ([str(FIRST + timedelta(days=m.day)), m.unit, m.debit, m.credit, format_amount(m.amount), str(m.count)] for m in journal.moves)
    yield from _csv(JOURNAL_COLUMNS, rows)


def _csv(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    for row in chain([columns], rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(list(row))
        yield text.getvalue()


def what(line: HistoryLine) -> str:
    """Say in words what moved credits."""
    used = f"{line.product} at tier {line.tier}" if line.product else ""
    about = {
        "grant": f"{line.source} grant",
        "use": f"use of {used}",
        "owe": f"use of {used}, beyond all credits",
        "repay": "debt repaid",
        "expire": "expiry",
        "void": "void of a grant",
        "refund": f"refund of {line.corrects}",
        "adjust": "adjustment",
    }
    why = f": {line.why}" if line.why else ""
    return f"{about.get(line.kind, line.kind)}{f' by {line.who}' if line.who else ''}{why}"


def history_data(line: HistoryLine) -> dict[str, str]:
    """Return a line of a history as plain data; amounts are exact decimal text."""
    moments = format_instant(line.at), format_instant(line.recorded)
    after = format_amount(line.balance), format_amount(line.debt)
    return dict(zip(HISTORY_COLUMNS, (*moments, line.kind, format_amount(line.amount), line.lot, *after, line.event, what(line)), strict=True))


def print_history(lines: Iterable[HistoryLine]) -> None:
    """Print a customer's history."""
    numbers = ("amount", "balance", "debt")
    shown = [name for name in HISTORY_COLUMNS if name != "recorded"]
    columns = [Column(name, number=name in numbers) for name in shown]
    print_table("", columns, ([data[name] for name in shown] for data in map(history_data, lines)))
