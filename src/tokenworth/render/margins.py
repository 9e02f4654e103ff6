"""The margins of a book as a table, and as plain data for `--json`."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console

from tokenworth.book.cards import show_date
from tokenworth.book.guard import Report, name_of, show_money, show_percent
from tokenworth.book.margin import MIX, Row
from tokenworth.book.model import Book
from tokenworth.core.money import format_rate
from tokenworth.render.tables import Column, print_table

MEANT = "loss leader"
BELOW = "BELOW COST"
WORST = "worst"


def print_margins(report: Report, book: Book, *, console: Console) -> None:
    """Print a row per rate, with what it brings and costs per million, and name the worst."""
    units = f"{book.unit} and {book.currency} per million" if book.unit != book.currency else f"{book.currency} per million"
    steps = any(row.above for row in report.rows)
    later = any(row.at != report.at for row in report.rows)
    mixed = not all(row.alone for row in report.rows)
    columns = [
        Column("product"),
        Column("tier"),
        *([Column("model")] if mixed else []),
        Column("class"),
        *([Column("above", number=True)] if steps else []),
        *([Column("from")] if later else []),
        Column("rate", number=True),
        Column("plan"),
        Column("price", number=True),
        Column("cost", number=True),
        Column("margin", number=True),
        Column(""),
    ]
    for card in book.cards:
        rows = [row for row in report.rows if row.card == card]
        figures = _figures(rows)
        cells = [_cells(row, report, figures[at], steps=steps, later=later, mixed=mixed) for at, row in enumerate(rows)]
        if cells:
            print_table(f"Margins of card {card} ({units}, on the cheapest plan)", columns, cells, console=console)
    _print_notes(report, console)


def _print_notes(report: Report, console: Console) -> None:
    if report.worst:
        text = f"Worst: {name_of(report.worst, report.at)}, margin {show_percent(report.worst.margin)}."
        console.print(text, highlight=False, soft_wrap=True)
    reasons: dict[str, list[Row]] = {}
    for row in report.loss_leaders:
        reasons.setdefault(f"{row.product} at {row.tier}: {row.loss_leader}", []).append(row)
    for reason, rows in reasons.items():
        least = min(rows, key=lambda row: row.rank)
        console.print(f"Loss leader {reason} ({least.unit} {show_percent(least.margin)}).", highlight=False, soft_wrap=True)
    if report.by_call:
        text = f"Suppliers also bill {', '.join(report.by_call)} by the call, which no card rates: what uses it is not charged for it."
        console.print(text, highlight=False, soft_wrap=True)


def _figures(rows: Sequence[Row]) -> list[list[str]]:
    """Return rate, price and cost of each row, with as many decimals down a column as it needs, so that the points align."""
    columns = [[format_rate(row.rate) for row in rows], [show_money(row.price) for row in rows], [format_rate(row.cost) for row in rows]]
    for column in columns:
        places = max((len(text.partition(".")[2]) for text in column), default=0)
        column[:] = [_padded(text, places) for text in column]
    return [list(figures) for figures in zip(*columns, strict=True)]


def _padded(text: str, places: int) -> str:
    whole, _, decimals = text.partition(".")
    return f"{int(whole):,}.{decimals:0<{places}}" if places else f"{int(whole):,}"


def _cells(row: Row, report: Report, figures: Sequence[str], **shown: bool) -> list[str]:
    rate, price, cost = figures
    return [
        row.product,
        row.tier,
        *(["the mix" if row.model == MIX else row.model] if shown["mixed"] else []),
        row.unit,
        *([f"{row.above:,}" if row.above else ""] if shown["steps"] else []),
        *([show_date(row.at) if row.at != report.at else ""] if shown["later"] else []),
        rate,
        row.worth.plan,
        price,
        cost,
        show_percent(row.margin),
        _mark(row, report),
    ]


def _mark(row: Row, report: Report) -> str:
    marks = [MEANT if row.loss_leader else BELOW] if row.below_cost else []
    return ", ".join([*marks, WORST] if row == report.worst else marks)


def margin_data(report: Report, book: Book) -> dict[str, Any]:
    """Return margins as plain data; rates and costs exact, prices and margins rounded half-even to six decimals."""
    return {
        "at": show_date(report.at),
        "unit": book.unit,
        "currency": book.currency,
        "rows": [_row_data(row) for row in report.rows],
        "worst": _row_data(report.worst) if report.worst else None,
        "unrated": list(report.by_call),
    }


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "card": row.card,
        "product": row.product,
        "tier": row.tier,
        "model": row.model or None,
        "unit": row.unit,
        "above": row.above,
        "from": show_date(row.at),
        "rate": format_rate(row.rate),
        "plan": row.worth.plan,
        "price": show_money(row.price),
        "cost": format_rate(row.cost),
        "margin": None if row.margin is None else _ratio(row.margin),
        "below_cost": row.below_cost,
        "loss_leader": row.loss_leader or None,
        "source": row.source,
    }


def _ratio(value: Fraction) -> str:
    """Return a ratio as decimal text of at most six decimals."""
    return format_rate(round(value * 10**6))
