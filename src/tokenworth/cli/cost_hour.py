"""`tokenworth cost gpu-hour`: what an hour of a GPU costs, rented or owned, today and over time."""

import json
from pathlib import Path

import click
from rich.console import Console

from tokenworth.cli.options import NamedPath, as_json
from tokenworth.core.errors import InputError
from tokenworth.core.instants import format_instant
from tokenworth.feeds.gpu_offers import live_quotes
from tokenworth.feeds.gpu_prices import gpu_called, ownership, rental_trend, write_quotes
from tokenworth.measure.cost.hourly import Market, Owned, Quote, Terms, market
from tokenworth.render.hours import hours_data, print_markets, print_ownership, print_path
from tokenworth.wiring.clock import now
from tokenworth.wiring.fleets import quotes_of

SHARE = click.FloatRange(0, 1)
AMOUNT = click.FloatRange(min=0)


@click.command(name="gpu-hour")
@click.argument("gpu")
@click.option("--until", help="Leave out prices after this date, such as 2026-03-03.")
@click.option("--prices", type=NamedPath(exists=True, dir_okay=False), help="A CSV file of prices to add to the shipped ones.")
@click.option("--live", is_flag=True, help="Fetch the offers of the day (the extra `rental`).")
@click.option("--save", type=NamedPath(dir_okay=False), help="Write what --live fetched to a CSV file for --prices.")
@click.option("--years", type=click.IntRange(0, 10), default=4, show_default=True, help="How far to look ahead.")
@click.option("--capital", type=AMOUNT, help="Owned: USD for a GPU with its share of server, network and building.")
@click.option("--life", type=click.FloatRange(0, 20, min_open=True), help="Owned: years that it serves.")
@click.option("--interest", type=SHARE, help="Owned: cost of capital a year, as a share.")
@click.option("--residual", type=SHARE, default=0.0, show_default=True, help="Owned: share of the capital that it is worth at the end.")
@click.option("--kilowatts", type=AMOUNT, help="Owned: what it draws; the survey's all-in figure, at a PUE of 1, if absent.")
@click.option("--pue", type=click.FloatRange(min=1), default=1.0, show_default=True, help="Owned: watts of the building for each of its own.")
@click.option("--power-price", type=AMOUNT, help="Owned: USD a kilowatt-hour.")
@click.option("--operations", type=AMOUNT, default=0.0, show_default=True, help="Owned: USD a year for space, staff and repairs.")
@click.option(
    "--available", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Owned: share of hours in which it can work."
)
@as_json
def gpu_hour(  # noqa: PLR0913 - one per option
    *, gpu: str, until: str | None, prices: Path | None, live: bool, save: Path | None, years: int, as_json: bool, **own: float | None
) -> None:
    """Say what an hour of GPU costs: asked prices by terms with their dates, surveys of owning, figures of one's own, and where prices may go."""
    known = [quote.gpu for quote in quotes_of(prices)] + [each.gpu for each in ownership()]
    name = gpu_called(gpu, known)
    fetched = _fetched(name, live=live, save=save)
    markets = _markets([*quotes_of(prices), *fetched], name, until or "9999")
    surveys = [each for each in ownership() if each.gpu == name]
    owned = _owned(own, surveys[-1].all_in_kw if surveys else None)
    trend = rental_trend()
    # what was surveyed is what the trend is of
    ahead = sorted(markets, key=lambda terms: terms is not Terms.RESERVED)[:1]
    path = {year: trend.at(markets[terms].hour, year) for terms in ahead for year in range(years + 1)}
    if as_json:
        click.echo(json.dumps(hours_data(name, markets, surveys, owned=owned, path=path), indent=2))
        return
    print_markets(name, markets, console=Console())
    print_ownership(surveys, owned, console=Console())
    if path:
        print_path(path, trend, next(iter(ahead)).replace("_", "-"), console=Console())


def _fetched(gpu: str, *, live: bool, save: Path | None) -> list[Quote]:
    if save is not None and not live:
        raise InputError("there is nothing to save", mend="give --live with --save", code="bad_option")
    quotes = live_quotes(gpu, format_instant(now()).partition("T")[0]) if live else []
    if save is not None:
        write_quotes(quotes, save)
    return quotes


def _markets(quotes: list[Quote], gpu: str, until: str) -> dict[Terms, Market]:
    offered = {quote.terms for quote in quotes if quote.gpu == gpu and quote.date <= until}
    return {terms: market(quotes, gpu, terms, until=until) for terms in Terms if terms in offered}


def _owned(own: dict[str, float | None], surveyed: float | None) -> Owned | None:
    """Return what the options say of owning, or None where they say no capital."""
    if own["capital"] is None:
        return None
    if own["kilowatts"] is None and own["pue"] == 1:
        own["kilowatts"] = surveyed
    if absent := [f"--{name.replace('_', '-')}" for name, value in own.items() if value is None]:
        raise InputError("nothing says what owning costs", mend=f"give {', '.join(absent)} with --capital", code="bad_owned")
    figures = {name: value for name, value in own.items() if value is not None}
    return Owned(years=figures.pop("life"), **figures)
