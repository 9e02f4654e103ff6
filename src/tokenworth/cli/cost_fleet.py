"""`tokenworth cost fleet` and `tokenworth cost tokens`: GPUs against demand, and what their tokens cost."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tokenworth.book.cost_rows import Costed, EstimatedCost, find_model, row_text, write_row
from tokenworth.cli.cost_options import BOOK, DEMAND, GPU_HOUR, SIZE, WORK, ByClass, asked, options
from tokenworth.cli.instants import instant
from tokenworth.cli.options import NamedPath, as_json
from tokenworth.core.errors import InputError
from tokenworth.core.instants import format_instant
from tokenworth.core.money import NANO, format_rate, round_rate
from tokenworth.measure.cost.allocate import Allocation
from tokenworth.measure.cost.demand import CLASSES
from tokenworth.measure.cost.fleet import Sizing
from tokenworth.measure.cost.tokens import MILLION, Plan, TokenCost, bill_of, full_bill, token_cost
from tokenworth.render.fleet import fleets_data, moved_lines, print_fleets, print_tokens, tokens_data
from tokenworth.render.fleet_plot import plot_fleets
from tokenworth.wiring.clock import now
from tokenworth.wiring.fleets import Asked, Sources, Spread, plan_of

DAY = 86_400_000_000
CURRENCY = "USD"
LIKE_INPUT = "as input"


@click.command()
@options(DEMAND, GPU_HOUR, WORK, SIZE, BOOK)
@click.option("--plot", type=NamedPath(dir_okay=False), help="Draw GPUs over time: a file that ends in .png, .svg or .html.")
@as_json
def fleet(*, as_json: bool, **given: Any) -> None:
    """Size a fleet for a demand, and compare: constant for its peak, autoscaled, the book's own, and only what the work takes."""
    asked_, costed = _asked(given)
    sizing = Sizing(step=given["step"], load=given["load"], peak=given["peak"], start_up=given["start_up"])
    plan, sources = plan_of(asked_, sizing, Spread(resale=given["resale"]), fleet=costed.fleet if costed else None)
    sizings = {f"constant, {_peak(sizing)}": sizing, f"autoscaled, {sizing.start_up} s to start": replace(sizing, autoscale=True)}
    if costed and costed.fleet:
        sizings[f"the book's {costed.fleet.gpus}"] = replace(sizing, gpus=costed.fleet.gpus)
    bills = {name: bill_of(replace(plan, sizing=each), plan.hour.value, plan.work) for name, each in sizings.items()}
    if given["plot"]:
        plot_fleets(bills, plan, given["plot"])
    bills["only the work"] = full_bill(plan, bill_of(plan, plan.hour.value, plan.work).run, plan.work)
    if as_json:
        click.echo(json.dumps(fleets_data(bills, plan, _named(sources)), indent=2))
    else:
        print_fleets(bills, plan, console=Console())
        _print_sources(sources)


def _peak(sizing: Sizing) -> str:
    return "highest interval" if sizing.peak == 1 else f"{sizing.peak:.4g} quantile"


@click.command()
@options(DEMAND, GPU_HOUR, WORK, SIZE, BOOK)
@click.option("--gpus", type=click.IntRange(min=1), help="GPUs of a constant fleet; the book's, or for the peak if absent.")
@click.option("--autoscale", is_flag=True, help="The fleet follows demand by one interval.")
@click.option("--utilisation", type=click.FloatRange(0, 1, min_open=True), help="Share of the fleet's time that works, if you know it.")
@click.option(
    "--allocate", type=click.Choice([each.value for each in Allocation]), default="marginal", show_default=True, help="How the bill is shared out."
)
@click.option("--elasticity", type=ByClass(), multiple=True, help="Of a class's demand, for Ramsey's prices; once for each class.")
@click.option("--write", is_flag=True, help="Write the costs into the book, from --from on.")
@click.option("--from", "since", callback=instant, help="Date from which written costs hold; today if absent.")
@as_json
def tokens(*, as_json: bool, **given: Any) -> None:
    """Say what a million tokens cost by class: at 100 % and at the utilisation that the demand leaves, each dollar of the fleet's bill once.

    With --write the costs become rows of the book, from a date on, as decimal text for a person to review.
    """
    asked_, costed = _asked(given)
    if given["write"] and costed is None:
        raise InputError("nothing says which book to write to", mend="give --book and --model", code="no_book")
    fleet = costed.fleet if costed else None
    plan, sources = plan_of(asked_, _sizing(given, costed), _spread(given, costed), fleet=fleet)
    cost = token_cost(plan)
    written = _write(given, cost, plan, sources) if given["write"] else None
    if as_json:
        data = tokens_data(cost, plan, _named(sources))
        click.echo(json.dumps({**data, "written": str(written[0]) if written else None}, indent=2))
        return
    print_tokens(cost, plan, console=Console())
    _print_sources(sources)
    if written:
        click.echo(f"\nWritten to {written[0]}; review it, then: tokenworth check {given['book']}\n\n{written[1]}", nl=False)


def _asked(given: Mapping[str, Any]) -> tuple[Asked, Costed | None]:
    """Return what is asked, and the book's model where one is named."""
    book, id_ = given["book"], given["id_"]
    if (book is None) != (id_ is None):
        raise InputError("a book without a model, or a model without its book", mend="give --book DIR and --model ID", code="no_book")
    costed = find_model(book, id_) if book else None
    if costed and costed.currency != CURRENCY:
        what = f"costs are estimated in {CURRENCY}, and the book is in {costed.currency}"
        raise InputError(what, mend=f"state them in [[models.{id_}.cost]] yourself, in {costed.currency}", code="currency")
    asked_ = asked(given)
    if costed and costed.fleet is None and asked_.gpu is None and asked_.hour is None:
        raise InputError(f"{id_} is not served by a fleet of the book", mend="give --gpu or --gpu-hour", code="no_fleet")
    return (replace(asked_, model=costed.model.name) if costed and asked_.model is None else asked_), costed


def _sizing(given: Mapping[str, Any], costed: Costed | None) -> Sizing:
    named = given["gpus"]
    if named is None and costed and costed.fleet and not given["autoscale"]:
        named = costed.fleet.gpus
    return Sizing(step=given["step"], load=given["load"], gpus=named, peak=given["peak"], autoscale=given["autoscale"], start_up=given["start_up"])


def _spread(given: Mapping[str, Any], costed: Costed | None) -> Spread:
    fleet = costed.fleet if costed and not given["autoscale"] else None
    stated = fleet.utilisation / NANO if fleet and fleet.utilisation else None
    return Spread(Allocation(given["allocate"]), dict(given["elasticity"]), given["resale"], given["utilisation"] or stated)


def _write(given: Mapping[str, Any], cost: TokenCost, plan: Plan, sources: Sources) -> tuple[Path, str]:
    """Write the row and return its file and text."""
    rates, remarks = {}, {}
    for name in CLASSES:
        if name in cost.real:
            found = cost.real[name].estimate
            rates[name] = format_rate(round_rate(Decimal(repr(found.value)), MILLION)[0])
            remarks[name] = f"{found.low:.6f} to {found.high:.6f}"
        elif name == "cache_read":
            rates[name], remarks[name] = LIKE_INPUT, "no cached token was asked for"
        else:
            raise InputError(f"nobody asked for {name}, so its cost is not known", mend="give a demand that has both ways", code="no_demand")
    row = EstimatedCost(given["id_"], now() // DAY * DAY if given["since"] is None else given["since"], rates, remarks, _origin(cost, plan, sources))
    return write_row(given["book"], row), row_text(row)


def _origin(cost: TokenCost, plan: Plan, sources: Sources) -> list[str]:
    lived = cost.bill.run
    hour = plan.hour
    interval = "" if hour.known else f" ({hour.low:.2f} to {hour.high:.2f})"
    return [
        f"Estimated on {format_instant(now()).partition('T')[0]} by tokenworth cost tokens, {plan.allocation} allocation.",
        "Beside each rate stand the ends of an interval that holds it about four times in five.",
        f"GPU-hour: {hour.value:.2f}{interval}, {sources.hour}. GPUs: {lived.gpus[1]:,.1f} on average, utilisation {100 * lived.utilisation:.1f} %.",
        f"Work: {sources.work}.",
        f"Demand: {sources.demand}, {100 * lived.served_share:.1f} % of it served.",
        *moved_lines(cost),
    ]


def _named(sources: Sources) -> dict[str, str]:
    return {name: getattr(sources, name) for name in Sources.__slots__}


def _print_sources(sources: Sources) -> None:
    click.echo(f"GPU-hour: {sources.hour}. Work: {sources.work}. Cached tokens' share: {sources.cached}.")
