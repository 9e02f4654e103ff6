"""A usage event as one flat row: what every file format of events has."""

from typing import Any

from tokenworth.capture.events import UsageEvent
from tokenworth.core.units import UNITS

INSTANTS = ("at", "ended")
INTEGERS = ("charge", "waived", "revenue", "cost", "first_token", "queued", "streamed", "wasted")
TEXTS = tuple(name for name in UsageEvent._fields if name not in (*INSTANTS, *INTEGERS, "counts"))
COLUMNS = (*TEXTS, *INSTANTS, *INTEGERS, *UNITS)


def row(event: UsageEvent) -> dict[str, Any]:
    """Return an event as a flat row: instants in microseconds, amounts in nano-units, a count for every unit."""
    flat = {name: getattr(event, name) for name in (*TEXTS, *INSTANTS, *INTEGERS)}
    flat["status"] = str(event.status)
    return flat | {name: event.counts.get(name, 0) for name in UNITS}
