"""Our own rows: who used what of which product and when, with disjoint counts by unit, or a provider's payload. Events have the same as `data`."""

from collections.abc import Mapping
from typing import Any

from tokenworth.book.suggest import did_you_mean
from tokenworth.core.errors import UsageError
from tokenworth.core.units import MAX_COUNT, UNITS
from tokenworth.feeds.usage.cells import Cells
from tokenworth.flows.elsewhere.reported import Read, Reported
from tokenworth.measure.usage.dialects import meter
from tokenworth.price.card import DEFAULT_TIER

FEED = "rows"
NAMING = ("source", "id", "customer", "at")
USE = ("ended", "product", "model", "tier", "api_key", "project", "first_token", "status")
PAYLOAD = ("provider", "api", "payload")
EXPORTED = frozenset({"plan", "supplier", "unit", "currency", "card", "cost_card", "book", "charge", "waived", "revenue", "cost", "alarm"})
"""Columns of `tokenworth export events` that are the result of rating, not usage."""
COLUMNS = (*NAMING, *USE, *PAYLOAD, "counts", *UNITS)
STATUSES = ("ok", "estimated", "failed")


def read(number: int, values: Mapping[str, Any], *, source: str = "", feed: str = FEED) -> Read:
    """Read a row; `source` is that of rows that name none."""
    cells = Cells(values)
    named = cells.text("source", need=not source) or source
    id_ = cells.text("id", need=True)
    for name in values.keys() - EXPORTED - set(COLUMNS):
        if name is None or cells.has(name):
            cells.wrong("unknown_field", f"there is no field {name}", did_you_mean(name, COLUMNS), str(name))
    found = _reported(cells, source=named, id_=id_, feed=feed)
    problems = tuple(cells.problems)
    return Read(number, named, id_, None if problems else found, problems)


def _reported(cells: Cells, *, source: str, id_: str, feed: str) -> Reported:
    at = cells.instant("at", need=True)
    ended = cells.instant("ended") or at
    if ended < at:
        cells.wrong("bad_period", "it ended before it began", "check both times", "ended")
    status = cells.text("status") or "ok"
    if status not in STATUSES:
        cells.wrong("bad_field", f"status is {status}", f"use one of {', '.join(STATUSES)}", "status")
    counts, served, tier = _usage(cells, failed=status == "failed")
    if status == "failed" and counts:
        cells.wrong("bad_field", "status is failed, yet something was used", "what was used is charged: write ok", "status")
    model, product = cells.text("model"), cells.text("product")
    if not (product or model or served):
        cells.wrong("missing_field", "neither product nor model is named", "name the product that was sold", "product")
    return Reported(
        source=source,
        id=id_,
        customer=cells.text("customer", need=True),
        feed=feed,
        at=at,
        ended=ended,
        counts=counts,
        product=product,
        served=tuple(name for name in dict.fromkeys((model, served)) if name),
        tier=cells.text("tier") or tier or DEFAULT_TIER,
        api_key=cells.text("api_key"),
        project=cells.text("project"),
        first_token=cells.count("first_token") or 0,
        estimated=status == "estimated",
        failed=status == "failed",
    )


def _usage(cells: Cells, *, failed: bool) -> tuple[dict[str, int], str, str]:
    """Return disjoint counts, and model and tier as a payload tells them."""
    stated = {name: count for name in UNITS if (count := cells.count(name)) is not None}
    nested = cells.object("counts")
    if cells.has("payload"):
        if stated or nested:
            cells.wrong("bad_usage", "there are a payload and counts", "give one of the two", "payload")
        return _metered(cells)
    if nested and stated:
        cells.wrong("bad_usage", "there are counts in two places", "give them once", "counts")
    stated |= _nested(cells, nested)
    if not stated and not failed and not any(each.field in ("counts", *UNITS) for each in cells.problems):
        cells.wrong(
            "no_usage", "it has no counts", "give counts, or a provider's payload; estimate what is not known, with status estimated", "counts"
        )
    for name, count in stated.items():
        if count > MAX_COUNT:
            cells.wrong("bad_usage", f"{name} is {count}", f"no single use has more than {MAX_COUNT}", name)
    return {name: stated[name] for name in UNITS if stated.get(name)}, "", ""


def _nested(cells: Cells, nested: Mapping[str, Any]) -> dict[str, int]:
    inside = Cells(nested)
    for name in nested.keys() - UNITS.keys():
        inside.wrong("unknown_unit", f"there is no unit {name}", did_you_mean(name, UNITS), "counts")
    found = {name: count for name in UNITS if (count := inside.count(name)) is not None}
    cells.problems += inside.problems
    return found


def _metered(cells: Cells) -> tuple[dict[str, int], str, str]:
    provider, api, payload = cells.text("provider", need=True), cells.text("api") or "default", cells.object("payload")
    if not provider or not payload:
        return {}, "", ""
    try:
        found = meter(provider, api, payload)
    except UsageError as error:
        cells.wrong(error.code, error.what, error.mend, "payload")
        return {}, "", ""
    return dict(found.usage.counts), found.model, found.context.get("service_tier", "")
