"""The statement as tables, and as plain data for `--json`."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console

from tokenworth.capture.events import Status
from tokenworth.core.money import NANO, format_amount
from tokenworth.flows.statement import Beyond, Corrections, Statement, Tally
from tokenworth.render.tables import Column, print_table

MONEY_COLUMNS = (
    Column("requests", number=True),
    Column("tokens", number=True),
    Column("charged", number=True),
    Column("revenue", number=True),
    Column("cost", number=True),
    Column("margin", number=True),
    Column("margin %", number=True),
)


def rounded(nano: int, places: int = 2) -> str:
    """Return an amount for reading, rounded half up to `places`; exact figures are in `--json`."""
    unit = NANO // 10**places
    whole, rest = divmod((abs(nano) + unit // 2) // unit, 10**places)
    return f"{'-' if nano < 0 else ''}{whole:,}.{rest:0{places}d}"


def percent(basis_points: int | None) -> str:
    """Return hundredths of a per cent as text with one decimal; a dash where there is no revenue."""
    return "-" if basis_points is None else f"{basis_points / 100:.1f}"


def cells(tally: Tally) -> list[str]:
    """Return the figures of a tally in the order of MONEY_COLUMNS; a margin that lacks costs is an upper bound."""
    most = "<= " if tally.uncosted else ""
    return [
        f"{tally.requests:,}",
        f"{sum(tally.tokens.values()):,}",
        rounded(tally.charge),
        rounded(tally.revenue),
        rounded(tally.cost),
        most + rounded(tally.margin),
        most + percent(tally.margin_basis_points),
    ]


def print_statement(statement: Statement, *, console: Console) -> None:
    """Print tokens by class, money by product, tier and customer, and the ten customers with the least margin."""
    if not statement.total.requests:
        console.print("No requests.")
        _print_corrections(statement.corrections, console)
        return
    total = sum(statement.tokens.values()) or 1
    shares = [[name, f"{count:,}", f"{count / total:.1%}"] for name, count in statement.tokens.items()]
    print_table("Tokens by class", [Column("class"), Column("tokens", number=True), Column("share", number=True)], shares, console=console)
    note = f"charged in {statement.unit}, money in {statement.currency}"
    for group in ("product", "tier", "customer"):
        rows = [[name, *cells(tally)] for name, tally in sorted(statement.by[group].items())]
        rows.append(["total", *cells(statement.total)])
        print_table(f"By {group} ({note})", [Column(group), *MONEY_COLUMNS], rows, console=console)
    worst = [[name, *cells(tally)] for name, tally in statement.worst_customers()]
    print_table(f"The ten customers with the least margin ({note})", [Column("customer"), *MONEY_COLUMNS], worst, console=console)
    _print_outcomes(statement, console)
    _print_corrections(statement.corrections, console)


def _print_outcomes(statement: Statement, console: Console) -> None:
    """Print how requests ended, what the figures lack, and the alarms."""
    outcomes = ", ".join(f"{count:,} {status}" for status, count in sorted(statement.statuses.items()))
    console.print(f"Requests: {outcomes}.", highlight=False)
    if unrated := statement.statuses.get(Status.UNRATED):
        text = f"Not charged: {unrated:,} answered requests, for want of a rate. `tokenworth check` says which."
        console.print(text, style="red", highlight=False)
    if uncosted := statement.total.uncosted:
        console.print(f"Incomplete: the cost of {uncosted:,} answered requests is not known, so margins are less.", style="red", highlight=False)
    if wasted := statement.total.wasted:
        text = f"In the cost: {rounded(wasted)} {statement.currency}, estimated, of attempts that did not serve."
        console.print(text, highlight=False)
    for product, beyond in sorted(statement.beyond.items()):
        text = f"Beyond their holds: {beyond.requests:,} requests of {product} by {rounded(beyond.amount)} {statement.unit}"
        console.print(text + (f", of which {rounded(beyond.waived)} waived." if beyond.waived else "."), highlight=False)
    for alarm, count in sorted(statement.alarms.items()):
        console.print(f"Alarm: {alarm} ({count:,} times).", style="yellow", highlight=False)


def _print_corrections(found: Corrections, console: Console) -> None:
    """Print what moved apart from requests, which the tables lack."""
    told = corrections_data(found)
    if any(amount != "0" for amount in told.values()):
        parts = ", ".join(f"{amount} {name}" for name, amount in told.items() if name != "revenue")
        text = f"Corrections in this period, which the tables lack: {parts}; revenue changed by {told['revenue']}."
        console.print(f"{text} See `tokenworth ledger trial-balance`.", highlight=False)


def corrections_data(found: Corrections) -> dict[str, str]:
    """Return what moved apart from requests as exact decimal text."""
    return {name: format_amount(amount) for name, amount in asdict(found).items()}


def beyond_data(beyond: Beyond) -> dict[str, Any]:
    """Return what went beyond holds as plain data; amounts are exact decimal text."""
    return {"requests": beyond.requests, "amount": format_amount(beyond.amount), "waived": format_amount(beyond.waived)}


def tally_data(tally: Tally) -> dict[str, Any]:
    """Return a tally as plain data; amounts are exact decimal text."""
    return {
        "requests": tally.requests,
        "tokens": dict(tally.tokens),
        "charged": format_amount(tally.charge),
        "revenue": format_amount(tally.revenue),
        "cost": format_amount(tally.cost),
        "wasted": format_amount(tally.wasted),
        "margin": format_amount(tally.margin),
        "uncosted": tally.uncosted,
    }


def statement_data(statement: Statement) -> dict[str, Any]:
    """Return a statement as plain data."""
    groups: Iterable[tuple[str, Mapping[str, Tally]]] = statement.by.items()
    return {
        "unit": statement.unit,
        "currency": statement.currency,
        "total": tally_data(statement.total),
        "statuses": dict(statement.statuses),
        "alarms": dict(statement.alarms),
        **{f"by_{group}": {name: tally_data(tally) for name, tally in sorted(tallies.items())} for group, tallies in groups},
        "corrections": corrections_data(statement.corrections),
        "beyond_holds": {product: beyond_data(beyond) for product, beyond in sorted(statement.beyond.items())},
        "worst_customers": [name for name, _ in statement.worst_customers()],
    }
