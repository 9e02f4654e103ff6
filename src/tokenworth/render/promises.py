"""What service tiers came to, as a table and as plain data."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from tokenworth.book.model import RANKS
from tokenworth.flows.promises import Service, Spread
from tokenworth.render.tables import Column, print_table

FIRST, SPEED = (50, 95, 99), (50, 5, 1)
"""Percentiles that are shown: a time is bad where it is long, a speed where it is low."""


def print_promises(found: Mapping[str, Service], *, console: Console) -> None:
    """Print a row a tier."""
    if not found:
        console.print("No requests.")
        return
    columns = [
        Column("tier"),
        Column("requests", number=True),
        Column("answered", number=True),
        Column("turned away", number=True),
        Column("queue p95", number=True),
        *(Column(f"first token p{percent}", number=True) for percent in FIRST),
        *(Column(f"tokens/s p{percent}", number=True) for percent in SPEED),
        Column("inside promise", number=True),
        Column("charged lower", number=True),
    ]
    print_table("Service by tier", columns, [_cells(tier, found[tier]) for tier in _ranked(found)], console=console)
    console.print("First tokens and tokens a second are those of streams; each figure is at most a sixteenth too large.", highlight=False)


def _ranked(found: Mapping[str, Service]) -> list[str]:
    return sorted(found, key=lambda tier: (-RANKS.get(tier, -1), tier))


def _cells(tier: str, service: Service) -> list[str]:
    inside = "-" if service.inside is None else f"{service.inside / 100:.2f} %"
    return [
        tier,
        f"{service.requests:,}",
        f"{service.answered:,}",
        f"{service.turned_away:,}",
        _time(service.queued.quantile(95)),
        *(_time(service.first_token.quantile(percent)) for percent in FIRST),
        *(_number(service.speed.quantile(percent)) for percent in SPEED),
        inside,
        f"{service.lowered:,}",
    ]


def _time(microseconds: int | None) -> str:
    return "-" if microseconds is None else f"{microseconds / 1000:,.1f} ms"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def promises_data(found: Mapping[str, Service]) -> list[dict[str, Any]]:
    """Return what each tier came to as plain data; times in microseconds, the share as decimal text, None where nothing was measured."""
    return [
        {
            "tier": tier,
            "requests": (service := found[tier]).requests,
            "answered": service.answered,
            "streams": service.streams,
            "turned_away": service.turned_away,
            "queued_us": _quantiles(service.queued, (50, 95, 99)),
            "first_token_us": _quantiles(service.first_token, FIRST),
            "tokens_per_second": _quantiles(service.speed, SPEED),
            "promises": {"kept": service.kept, "broken": service.broken, "inside": _share(service.inside)},
            "charged_lower": service.lowered,
        }
        for tier in _ranked(found)
    ]


def _quantiles(spread: Spread, percents: tuple[int, ...]) -> dict[str, int | None]:
    return {f"p{percent}": spread.quantile(percent) for percent in percents}


def _share(hundredths: int | None) -> str | None:
    return None if hundredths is None else f"{hundredths // 10_000}.{hundredths % 10_000:04d}"
