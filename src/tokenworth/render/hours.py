"""What an hour of a GPU costs, as tables and as plain data for `--json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from tokenworth.feeds.gpu_prices import Ownership
from tokenworth.measure.cost.estimate import Estimate
from tokenworth.measure.cost.hourly import Market, Owned, Terms, Trend
from tokenworth.render.fleet import interval_data
from tokenworth.render.tables import Column, print_table


def print_markets(gpu: str, markets: Mapping[Terms, Market], *, console: Console) -> None:
    """Print the prices of a GPU by terms, then each price with its date and source."""
    columns = [Column("terms"), *(Column(title, number=True) for title in ("prices", "least", "10 %", "median", "90 %", "most")), Column("dates")]
    rows = [_market_cells(terms, found) for terms, found in markets.items()]
    print_table(f"Rented: USD an hour of {gpu}", columns, rows, console=console)
    columns = [Column("terms"), Column("provider"), Column("USD", number=True), Column("least", number=True), Column("90 %", number=True)]
    columns += [Column("date"), Column("source")]
    rows = [
        [
            terms.value,
            quote.provider,
            _usd(quote.usd),
            *(_usd(end) if quote.low < quote.high else "" for end in (quote.low, quote.high)),
            quote.date,
            quote.source,
        ]
        for terms, found in markets.items()
        for quote in found.quotes
    ]
    print_table("The prices", columns, rows, console=console)


def _market_cells(terms: Terms, found: Market) -> list[str]:
    least, most = found.range
    return [terms.value, str(len(found.quotes)), _usd(least), *_ends(found.hour), _usd(most), " to ".join(dict.fromkeys(found.dates))]


def _ends(hour: Estimate) -> list[str]:
    """Return the low end, the figure and the high end; of one price alone no ends are known."""
    return ["", _usd(hour.value), ""] if hour.known else [_usd(each) for each in (hour.low, hour.value, hour.high)]


def _usd(value: float) -> str:
    return f"{value:.2f}"


def print_ownership(surveys: Sequence[Ownership], owned: Owned | None, *, console: Console) -> None:
    """Print what surveys found owning to cost, and what figures of one's own come to."""
    columns = [
        Column("date"),
        *(Column(title, number=True) for title in ("hyperscaler", "smaller cloud", "all-in kW")),
        Column("status"),
        Column("source"),
    ]
    rows = [[each.date, _usd(each.own_hyperscaler), _usd(each.own_neocloud), f"{each.all_in_kw:.2f}", each.status, each.note] for each in surveys]
    if rows:
        print_table("Owned, as surveyed: USD an hour", columns, rows, console=console)
    if owned:
        parts = {"capital": owned.capital_hour, "power": owned.power_hour, "operations": owned.operations_hour, "total": owned.hour}
        cells = [[name, f"{part:.4f}", f"{100 * part / owned.hour:.1f} %"] for name, part in parts.items()]
        title = "Owned, as given: USD an hour"
        print_table(title, [Column("part"), Column("USD", number=True), Column("share", number=True)], cells, console=console)


def print_path(path: Mapping[int, Estimate], trend: Trend, terms: str, *, console: Console) -> None:
    """Print where a price may go, year by year."""
    columns = [Column("years", number=True), *(Column(title, number=True) for title in ("10 %", "median", "90 %"))]
    rows = [[str(years), *_ends(hour)] for years, hour in path.items()]
    print_table(f"{terms.capitalize()}, over time", columns, rows, console=console)
    told = f"Drift {100 * trend.drift:+.1f} % a year (standard error {100 * trend.error:.1f}), volatility {100 * trend.volatility:.0f} % a year"
    console.print(f"{told}, of {trend.observed} GPUs' surveyed rents.", highlight=False, soft_wrap=True)


def hours_data(
    gpu: str, markets: Mapping[Terms, Market], surveys: Sequence[Ownership], *, owned: Owned | None, path: Mapping[int, Estimate]
) -> dict[str, Any]:
    """Return all of it as plain data."""
    return {
        "gpu": gpu,
        "rented": {terms.value: _market_data(found) for terms, found in markets.items()},
        "surveys": [{name: getattr(each, name) for name in Ownership.__slots__} for each in surveys],
        "owned": None
        if owned is None
        else {"usd": owned.hour, "capital": owned.capital_hour, "power": owned.power_hour, "operations": owned.operations_hour},
        "path": {str(years): interval_data(hour) for years, hour in path.items()},
    }


def _market_data(found: Market) -> dict[str, Any]:
    least, most = found.range
    return {
        **interval_data(found.hour),
        "least": least,
        "most": most,
        "prices": [{"provider": q.provider, "usd": q.usd, "low": q.low, "high": q.high, "date": q.date, "source": q.source} for q in found.quotes],
    }
