"""A fleet's life and what its tokens cost, as tables and as plain data for `--json`."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from tokenworth.core.money import format_amount
from tokenworth.measure.cost.demand import CLASSES
from tokenworth.measure.cost.estimate import Estimate
from tokenworth.measure.cost.fleet import Run
from tokenworth.measure.cost.tokens import MILLION, SECONDS, Bill, Plan, TokenCost
from tokenworth.render.tables import Column, print_table

CENTS = 10**7
"""Nano-dollars of a cent."""
DECIMALS = 4
"""Of dollars a million tokens, for people; a book gets six."""


def print_fleets(bills: Mapping[str, Bill], plan: Plan, *, console: Console) -> None:
    """Print a row for each way to size a fleet for a demand."""
    columns = [
        Column("fleet"),
        *(
            Column(title, number=True)
            for title in ("fewest GPUs", "mean", "most", "GPU-hours", "work", "starting", "idle", "served", "USD", "USD/M tokens")
        ),
    ]
    rows = [[name, *_fleet_cells(bill)] for name, bill in bills.items()]
    print_table(f"Fleets for {_of(plan)}", columns, rows, console=console)


def _of(plan: Plan) -> str:
    demand = plan.demand
    hours = demand.duration / SECONDS
    return f"{demand.source}: {demand.total.total:,.0f} tokens in {hours:,.1f} hours, by {demand.seconds} s; a GPU-hour at {plan.hour.value:.2f} USD"


def _fleet_cells(bill: Bill) -> list[str]:
    lived = bill.run
    fewest, mean, most = lived.gpus
    idle = max(0.0, lived.paid - lived.starting - lived.used)
    return [
        f"{fewest:,.0f}",
        f"{mean:,.1f}",
        f"{most:,.0f}",
        f"{lived.paid / SECONDS:,.0f}",
        _percent(lived.utilisation),
        _percent(lived.starting / lived.paid),
        _percent(idle / lived.paid),
        _percent(lived.served_share),
        _dollars(bill.total),
        f"{_mean(bill):,.{DECIMALS}f}",
    ]


def _mean(bill: Bill) -> float:
    return bill.total / 10**9 / bill.run.served.total * MILLION


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _dollars(nano: int) -> str:
    return f"{round(nano / CENTS) / 100:,.2f}"


def print_tokens(cost: TokenCost, plan: Plan, *, console: Console) -> None:
    """Print a row for each class: its tokens, GPU-time and share of the bill, and dollars a million with their interval."""
    columns = [
        Column("class"),
        *(Column(title, number=True) for title in ("tokens", "GPU-hours", "USD", "share", "at 100 % USD/M", "real USD/M", "low", "high")),
    ]
    rows = [_token_cells(name, cost, plan) for name in CLASSES if name in cost.real]
    bill = cost.bill
    work = bill.run.used / SECONDS
    total = [
        "total",
        f"{bill.run.served.total:,.0f}",
        f"{work:,.1f}",
        _dollars(bill.total),
        _percent(1),
        f"{_mean(cost.full):.{DECIMALS}f}",
        f"{_mean(bill):.{DECIMALS}f}",
        "",
        "",
    ]
    print_table(f"What tokens cost by {plan.allocation} allocation", columns, [*rows, total], console=console)
    console.print(_summary(bill, plan), highlight=False, soft_wrap=True)
    for line in moved_lines(cost):
        console.print(line, highlight=False, soft_wrap=True)


def _token_cells(name: str, cost: TokenCost, plan: Plan) -> list[str]:
    bill, real = cost.bill, cost.real[name].estimate
    seconds = plan.work.by_class(bill.run.served)[name] / plan.throughput.value
    return [
        name,
        f"{getattr(bill.run.served, name):,.0f}",
        f"{seconds / SECONDS:,.1f}",
        _dollars(bill.shares[name]),
        _percent(bill.shares[name] / bill.total),
        f"{cost.full.per_million[name]:.{DECIMALS}f}",
        *(f"{each:.{DECIMALS}f}" for each in (real.value, real.low, real.high)),
    ]


def _summary(bill: Bill, plan: Plan) -> str:
    lived = bill.run
    resold = f", {_dollars(bill.resold)} USD of it paid by others for idle replicas" if bill.resold else ""
    rent = f"{lived.paid / SECONDS:,.0f} GPU-hours at {plan.hour.value:.2f} USD are {_dollars(bill.rent)} USD{resold}"
    return f"{rent}. Utilisation {_percent(lived.utilisation)}; {_percent(lived.served_share)} of the asked work was served."


def moved_lines(cost: TokenCost) -> list[str]:
    """Say for each class which inputs move it, the most first."""
    lines = []
    for name, result in cost.real.items():
        told = ", ".join(f"{each.name} ({each.low:.2f} to {each.high:.2f} times)" for each in result.moved)
        lines += [f"{name} is moved by {told}."] if told else []
    return lines


def run_data(lived: Run) -> dict[str, Any]:
    """Return a fleet's life as plain data; GPU-seconds and shares."""
    fewest, mean, most = lived.gpus
    return {
        "gpus": {"fewest": fewest, "mean": mean, "most": most},
        "gpu_seconds": {"paid": lived.paid, "starting": lived.starting, "work": lived.used, "whole_idle": lived.whole_idle},
        "utilisation": lived.utilisation,
        "served_share": lived.served_share,
    }


def bill_data(bill: Bill) -> dict[str, Any]:
    """Return a bill as plain data; dollars as exact decimal text."""
    return {
        **run_data(bill.run),
        "rent": format_amount(bill.rent),
        "resold": format_amount(bill.resold),
        "bill": format_amount(bill.total),
        "shares": {name: format_amount(share) for name, share in bill.shares.items()},
        "usd_per_million": bill.per_million,
    }


def fleets_data(bills: Mapping[str, Bill], plan: Plan, sources: Mapping[str, str]) -> dict[str, Any]:
    """Return ways to size a fleet as plain data."""
    return {**_plan_data(plan, sources), "fleets": {name: bill_data(bill) for name, bill in bills.items()}}


def tokens_data(cost: TokenCost, plan: Plan, sources: Mapping[str, str]) -> dict[str, Any]:
    """Return what tokens cost as plain data."""
    return {
        **_plan_data(plan, sources),
        "allocation": plan.allocation.value,
        "real": bill_data(cost.bill),
        "full": bill_data(cost.full),
        "classes": {
            name: {**interval_data(result.estimate), "moved": [{"input": m.name, "low": m.low, "high": m.high} for m in result.moved]}
            for name, result in cost.real.items()
        },
    }


def interval_data(one: Estimate) -> dict[str, float]:
    """Return an estimate as plain data."""
    return {"value": one.value, "low": one.low, "high": one.high}


def _plan_data(plan: Plan, sources: Mapping[str, str]) -> dict[str, Any]:
    demand = plan.demand
    tokens = {name: getattr(demand.total, name) for name in CLASSES}
    work = {name: getattr(plan.work, name) for name in CLASSES}
    return {
        "demand": {"seconds": demand.seconds, "intervals": len(demand.intervals), "tokens": tokens},
        "gpu_hour": interval_data(plan.hour),
        "gpu_seconds_per_token": work,
        "sources": dict(sources),
    }
