"""Counters, gauges and histograms of one process. To count is to add to a dictionary's value; text and sums are made when somebody asks.

A snapshot is plain data, so that it can go from one process to another; snapshots of several processes add up to one.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Labels = tuple[str, ...]
Snapshot = dict[str, Any]
"""By metric: kind, help, labels, bounds, and rows of label values with numbers; JSON can carry it."""


class Counter:
    """A number by labels that only grows. `nano` says that it counts nano-units."""

    kind = "counter"

    def __init__(self, name: str, text: str, labels: Labels = (), *, nano: bool = False) -> None:
        """Count nothing yet."""
        self.name, self.text, self.labels, self.nano = name, text, labels, nano
        self.values: dict[Labels, int] = {}

    def add(self, labels: Labels, amount: int = 1) -> None:
        """Count."""
        self.values[labels] = self.values.get(labels, 0) + amount

    def rows(self) -> list[Any]:
        """Return label values with a list of numbers each."""
        return [[list(labels), [value]] for labels, value in self.values.items()]


class Gauge(Counter):
    """A number by labels that comes and goes; of several processes the sum counts."""

    kind = "gauge"


class Histogram(Counter):
    """Observations by labels, counted by upper bounds (inclusive) of seconds."""

    kind = "histogram"

    def __init__(self, name: str, text: str, labels: Labels = (), *, bounds: Sequence[float]) -> None:
        """Observe nothing yet."""
        super().__init__(name, text, labels)
        self.bounds = tuple(bounds)
        self.seen: dict[Labels, list[float]] = {}
        """Counts by bound, then of what is above all of them, then the sum."""

    def observe(self, labels: Labels, value: float) -> None:
        """Count one observation."""
        row = self.seen.get(labels)
        if row is None:
            row = self.seen[labels] = [0] * (len(self.bounds) + 2)
        row[bisect_left(self.bounds, value)] += 1
        row[-1] += value

    def rows(self) -> list[Any]:
        """Return label values with the counts and the sum."""
        return [[list(labels), list(row)] for labels, row in self.seen.items()]


def snapshot(metrics: Iterable[Counter]) -> Snapshot:
    """Return all that metrics have counted, as plain data."""
    return {
        each.name: {
            "kind": each.kind,
            "text": each.text,
            "labels": list(each.labels),
            "nano": each.nano,
            "bounds": list(each.bounds) if isinstance(each, Histogram) else [],
            "rows": each.rows(),
        }
        for each in metrics
    }


def merged(snapshots: Iterable[Mapping[str, Any]]) -> Snapshot:
    """Return the sum of several processes' snapshots: of the same program, so of the same metrics."""
    total: Snapshot = {}
    for each in snapshots:
        for name, metric in each.items():
            before = total.get(name)
            total[name] = dict(metric) if before is None else before | {"rows": _added(before["rows"], metric["rows"])}
    return total


def _added(one: Iterable[Any], other: Iterable[Any]) -> list[Any]:
    rows = {tuple(labels): numbers for labels, numbers in one}
    for labels, numbers in other:
        before = rows.get(tuple(labels))
        rows[tuple(labels)] = numbers if before is None else [a + b for a, b in zip(before, numbers, strict=True)]
    return [[list(labels), numbers] for labels, numbers in rows.items()]
