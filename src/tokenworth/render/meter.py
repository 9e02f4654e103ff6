"""Metered lines as data, and their totals as a table."""

from collections.abc import Iterable
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
    """Sums by (provider, model), and the lines that failed."""

    rows: dict[tuple[str, str], tuple[int, dict[str, int], int]] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)

    def add(self, result: Metered | Failed) -> None:
        """Count one line."""
        if isinstance(result, Failed):
            self.failed.append(result)
            return
        requests, counts, pico = self.rows.get((result.provider, result.model), (0, {}, 0))
        for name, count in result.cost.usage.counts.items():
            counts[name] = counts.get(name, 0) + count
        self.rows[result.provider, result.model] = (requests + 1, counts, pico + result.cost.pico)


def print_totals(totals: Totals, console: Console) -> None:
    """Print sums by model, a column for every unit that occurs."""
    used = {name for _, counts, _ in totals.rows.values() for name in counts}
    units = [name for name in UNITS if name in used]
    columns = [Column("provider"), Column("model"), Column("lines", number=True)]
    columns += [Column(name, number=True) for name in [*units, "list cost USD"]]
    rows = []
    for (provider, model), (requests, counts, pico) in sorted(totals.rows.items()):
        rows.append([provider, model, f"{requests:,}", *(f"{counts.get(n, 0):,}" for n in units), dollars(pico)])
    rows.append(_sum(totals.rows.values(), units))
    print_table("", columns, rows, console=console)


def _sum(rows: Iterable[tuple[int, dict[str, int], int]], units: list[str]) -> list[str]:
    found = list(rows)
    sums = [sum(counts.get(name, 0) for _, counts, _ in found) for name in units]
    return ["total", "", f"{sum(r for r, _, _ in found):,}", *(f"{n:,}" for n in sums), dollars(sum(p for _, _, p in found))]
