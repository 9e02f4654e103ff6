"""GPUs over time as a chart: what demand takes, and what each fleet has ready."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenworth.core.extras import need
from tokenworth.measure.cost.tokens import SECONDS, Bill, Plan
from tokenworth.render.charts import save

WIDTH, HEIGHT = 900, 320


def plot_fleets(bills: Mapping[str, Bill], plan: Plan, path: Path) -> None:
    """Write the chart in the form that the file's name ends in; InputError for another one."""
    altair = need("altair", "analytics")
    chart = (
        altair.Chart(altair.InlineData(values=_rows(bills, plan)), width=WIDTH, height=HEIGHT, title=f"GPUs for {plan.demand.source}")
        .mark_line(interpolate="step-after", strokeWidth=1.2)
        .encode(
            x=altair.X("hours:Q", title="hours"),
            y=altair.Y("gpus:Q", title="GPUs"),
            color=altair.Color("series:N", title=None, sort=None, legend=altair.Legend(orient="top", labelLimit=0)),
        )
    )
    save(chart, path)


def _rows(bills: Mapping[str, Bill], plan: Plan) -> list[dict[str, Any]]:
    seconds = plan.demand.seconds
    rows = []
    for at, tokens in enumerate(plan.demand.intervals):
        hours = at * seconds / SECONDS
        rows.append({"hours": hours, "gpus": plan.work.of(tokens) / seconds, "series": "demand"})
        for name, bill in bills.items():
            each = bill.run.intervals[at]
            rows.append({"hours": hours, "gpus": (each.paid - each.starting) / seconds, "series": name})
    return rows
