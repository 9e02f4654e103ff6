"""Metered lines as data, and their totals as tables."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from tokenworth.core.money import format_rate
from tokenworth.core.units import UNITS
from tokenworth.flows.meter import Failed, Metered
from tokenworth.render.tables import Column, print_table


def dollars(pico: int) -> str:
    """Return pico-dollars as exact decimal text."""
    whole, rest = divmod(pico, 10**12)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")


def line_data(result: Metered | Failed) -> dict[str, Any]:
    """Return one line's result as plain data; amounts are exact decimal text."""
    if isinstance(result, Failed):
        error = result.error
        return {"line": result.line, "error": {"code": error.code, "what": error.what, "mend": error.mend}}
    cost = result.cost
    return {
        "line": result.line,
        "provider": result.provider,
        "model": result.model,
        "counts": dict(cost.usage.counts),
        "list_cost_usd": dollars(cost.pico),
        "prices": [
            {"unit": line.unit, "count": line.count, "usd_per_million": format_rate(line.rate), "usd": dollars(line.pico)} for line in cost.lines
        ],
        "source": cost.terms.source,
    }


@dataclass(slots=True)
class Totals:
    """Sums of metered lines: lines, tokens and pico-dollars by (provider, model), counts and pico-dollars by unit."""

    lines: Counter[tuple[str, str]] = field(default_factory=Counter)
    into: Counter[tuple[str, str]] = field(default_factory=Counter)
    out: Counter[tuple[str, str]] = field(default_factory=Counter)
    pico: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    costs: Counter[str] = field(default_factory=Counter)

    def add(self, result: Metered) -> None:
        """Count one line."""
        model, cost = (result.provider, result.model), result.cost
        self.lines[model] += 1
        self.into[model] += cost.usage.input_tokens
        self.out[model] += cost.usage.output_tokens
        self.pico[model] += cost.pico
        for line in cost.lines:
            self.counts[line.unit] += line.count
            self.costs[line.unit] += line.pico


def print_totals(totals: Totals, console: Console) -> None:
    """Print sums by model, then by unit; both tables end with the same total."""
    everything = dollars(totals.pico.total())
    names = [Column("provider"), Column("model")]
    numbers = [Column(name, number=True) for name in ("lines", "tokens in", "tokens out", "list cost USD")]
    rows = [
        [*model, f"{totals.lines[model]:,}", f"{totals.into[model]:,}", f"{totals.out[model]:,}", dollars(totals.pico[model])]
        for model in sorted(totals.lines)
    ]
    rows.append(["total", "", *(f"{sums.total():,}" for sums in (totals.lines, totals.into, totals.out)), everything])
    print_table("", [*names, *numbers], rows, console=console)
    classes = [[name, f"{totals.counts[name]:,}", dollars(totals.costs[name])] for name in UNITS if name in totals.counts]
    columns = [Column("class"), Column("count", number=True), Column("list cost USD", number=True)]
    print_table("", columns, [*classes, ["total", "", everything]], console=console)
