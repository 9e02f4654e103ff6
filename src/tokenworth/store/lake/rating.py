"""Rate a file of events again under a book, as columns: the kernel's own source on Ibis expressions, over DuckDB.

A card becomes a table of cells, one row per product, tier and date, whose columns are the kernel's schedule. Events find their cell by plan,
product, the tier that was charged and instant, as the gateway did. Sums run in decimal(38, 0): DuckDB's 64-bit product raises where it
would wrap, and its sum cannot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokenworth.capture.events import Status
from tokenworth.core.errors import PriceError
from tokenworth.core.instants import from_datetime
from tokenworth.core.money import PICO_PER_NANO
from tokenworth.core.units import UNITS
from tokenworth.flows.serve.meter import SUPPLIER_GONE
from tokenworth.price.card import Card, Terms
from tokenworth.price.hours import bounds
from tokenworth.price.rate import rate_frame
from tokenworth.price.schedule import Schedule, compile_schedule
from tokenworth.store.lake import need

UNREACHED = 1 << 62
"""An `above` that no request passes."""

NEVER = from_datetime(datetime(9999, 1, 1, tzinfo=UTC))
"""The `until` of terms that nothing replaces."""

RATED = (str(Status.OK), str(Status.ESTIMATED))


@dataclass(frozen=True, slots=True)
class Width:
    """Which columns the cells of some cards need: steps of each reading, packaged units, a minimum."""

    whole: int
    marginal: int
    packages: frozenset[str]
    minimum: bool


@dataclass(frozen=True, slots=True)
class Rerated:
    """One group's sums in nano-units: as the ledger recorded them and as the columns rate them."""

    product: str
    tier: str
    customer: str
    requests: int
    recorded: int
    rated: int
    unequal: int
    """Events whose two figures differ."""


def rerate(path: Path, cards: Mapping[str, Card], column: str = "charge") -> list[Rerated]:
    """Rate the events of a Parquet file under the card of their plan, and sum beside what was recorded.

    `cards` is by plan. Raises PriceError where an event finds no cell, or used a unit that its cell does not rate.
    """
    ibis = need("ibis")
    con = ibis.duckdb.connect()
    events = con.read_parquet(str(path), table_name="events")
    events = events.filter(events.status.isin(RATED))
    if column == "charge":
        # what a supplier broke off is free where the product says so
        events = events.filter(~((events.alarm == SUPPLIER_GONE) & (events.charged_tier == "") & (events.charge + events.waived == 0)))
        # a lower tier that was served, or that a broken promise is charged at
        events = events.mutate(tier=ibis.ifelse(events.charged_tier == "", events.tier, events.charged_tier))
    units = _used(events)
    cells, width = _cells(con, cards, _period(events))
    joined = events.left_join(
        cells,
        [
            events.plan == cells.cell_plan,
            events.product == cells.cell_product,
            events.tier == cells.cell_tier,
            events["at"] >= cells.since,
            events["at"] < cells.until,
        ],
    )
    rated = joined.mutate(rated=_posting(joined, units, width), unrated=_unrated(joined, units))
    _refuse_unrated(rated)
    wide = "decimal(38, 0)"
    # what was rated and not charged is recorded beside the charge
    waived = rated["waived"].cast(wide) if column == "charge" else 0
    recorded = (rated[column].cast(wide) + waived) * PICO_PER_NANO
    sums = rated.group_by("product", "tier", "customer").aggregate(
        requests=rated.count(),
        recorded=recorded.sum().cast("string"),
        rated=rated.rated.cast(wide).sum().cast("string"),
        unequal=(rated.rated.cast(wide) != recorded).sum(),
    )
    rows = sums.order_by("product", "tier", "customer").to_pyarrow().to_pylist()
    return [Rerated(**{**r, "recorded": _nano(r["recorded"]), "rated": _nano(r["rated"])}) for r in rows]


def _nano(pico: str) -> int:
    return int(pico.partition(".")[0]) // PICO_PER_NANO


def _used(events: Any) -> list[str]:
    """Return the units that occur at all, so that the expression is no wider than the history."""
    most = events.aggregate(**{name: events[name].max() for name in UNITS}).to_pyarrow().to_pylist()[0]
    return [name for name, count in most.items() if count]


def _posting(joined: Any, units: Sequence[str], width: Width) -> Any:
    def steps(kind: str, depth: int) -> tuple[tuple[Any, dict[str, Any]], ...]:
        return tuple((joined[f"{kind}_above_{k}"], {name: joined[f"{kind}_{k}_{name}"] for name in units}) for k in range(depth))

    base = {name: joined[f"rate_{name}"].coalesce(0) for name in units}
    packages = {name: joined[f"package_{name}"] for name in units if name in width.packages}
    least = joined.least if width.minimum else None
    form = Schedule(base, steps("whole", width.whole), steps("marginal", width.marginal), packages, least)
    return rate_frame({name: joined[name] for name in units}, form)


def _unrated(joined: Any, units: Sequence[str]) -> Any:
    """Say which rows found no cell, or used a unit without a rate."""
    missing = joined.since.isnull()
    for name in units:
        missing = missing | ((joined[name] > 0) & joined[f"rate_{name}"].isnull())
    return missing


def _refuse_unrated(rated: Any) -> None:
    bad = rated.filter(rated.unrated).select("id", "plan", "product", "tier").limit(3).to_pyarrow().to_pylist()
    if bad:
        named = "; ".join(f"{b['id']} ({b['product']} at {b['tier']} on {b['plan']})" for b in bad)
        raise PriceError(f"events without a rate: {named}", mend="add the missing rates to the card, or pass the book they were sold under")


def _period(events: Any) -> tuple[int, int]:
    """Return the first instant of events, and one after the last."""
    first, last = events.aggregate(first=events["at"].min(), last=events["at"].max()).to_pyarrow().to_pylist()[0].values()
    return (from_datetime(first), from_datetime(last) + 1) if first else (0, 0)


def _cells(con: Any, cards: Mapping[str, Card], period: tuple[int, int]) -> tuple[Any, Width]:
    """Return the table of cells, as wide as the cell that needs most columns."""
    pa = need("pyarrow")
    every = [terms for card in cards.values() for dated in card.cells.values() for terms in dated]
    schedules = [each.schedule for terms in every for each in (terms, *(others for _, others in terms.hours))]
    width = Width(
        whole=max((len(each.steps) for each in schedules), default=0),
        marginal=max((len(each.marginal) for each in schedules), default=0),
        packages=frozenset(name for each in schedules for name in each.packages),
        minimum=any(each.minimum for each in schedules),
    )
    rows = [row for plan, card in cards.items() for row in _card_rows(plan, card, width, period)]
    text, instant = pa.string(), pa.timestamp("us", tz="UTC")
    kinds = {"cell_plan": text, "cell_product": text, "cell_tier": text, "since": instant, "until": instant}
    names = [*kinds, *_rates(compile_schedule([(0, {})]), width)]
    arrays = {n: pa.array([r[n] for r in rows], type=kinds.get(n, pa.int64())) for n in names}
    return con.create_table("cells", obj=pa.table(arrays), temp=True), width


def _card_rows(plan: str, card: Card, width: Width, period: tuple[int, int]) -> list[dict[str, Any]]:
    rows = []
    for (product, tier), dated in card.cells.items():
        ends = [terms.since for terms in dated[1:]] + [NEVER]
        for terms, until in zip(dated, ends, strict=True):
            for since, end in pairwise(_pieces(terms, until, period)):
                row = {"cell_plan": plan, "cell_product": product, "cell_tier": tier, "since": since, "until": end}
                rows.append(row | _rates(terms.at(since).schedule, width))
    return rows


def _pieces(terms: Terms, until: int, period: tuple[int, int]) -> list[int]:
    """Return the instants between which the rates of terms are the same; of hours of the day only those of the events' period."""
    if not terms.hours:
        return [terms.since, until]
    since, until = max(terms.since, period[0]), min(until, period[1])
    return [since, *bounds((hours for hours, _ in terms.hours), since, until), until] if since < until else []


def _rates(form: Schedule, width: Width) -> dict[str, Any]:
    """Return a schedule as columns; what it lacks of the width bills nothing."""
    row: dict[str, Any] = {f"rate_{name}": form.base.get(name) for name in UNITS}
    for kind, steps, depth in (("whole", form.steps, width.whole), ("marginal", form.marginal, width.marginal)):
        padded = [*steps, *((UNREACHED, {}) for _ in range(depth - len(steps)))]
        for k, (above, differences) in enumerate(padded):
            row[f"{kind}_above_{k}"] = above
            row |= {f"{kind}_{k}_{name}": differences.get(name, 0) for name in UNITS}
    row |= {f"package_{name}": form.packages.get(name, 1) for name in width.packages}
    return row | ({"least": form.minimum or 0} if width.minimum else {})
