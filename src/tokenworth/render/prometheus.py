"""Metrics as Prometheus' text format, version 0.0.4. Amounts are written exactly, as decimal text of their unit."""

from collections.abc import Iterator, Mapping
from typing import Any

from tokenworth.core.money import format_amount

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def exposition(snapshot: Mapping[str, Any]) -> str:
    """Return the text of a snapshot, metrics and labels in order of their names."""
    return "".join(line + "\n" for name, metric in sorted(snapshot.items()) for line in _lines(name, metric))


def _lines(name: str, metric: Mapping[str, Any]) -> Iterator[str]:
    kind = metric["kind"]
    shown = f"{name}_total" if kind == "counter" else name
    yield f"# HELP {shown} {metric['text']}"
    yield f"# TYPE {shown} {kind}"
    for values, numbers in sorted(metric["rows"]):
        labels = dict(zip(metric["labels"], values, strict=True))
        if kind == "histogram":
            yield from _buckets(name, labels, metric["bounds"], numbers)
        else:
            (number,) = numbers
            yield f"{shown}{_braced(labels)} {format_amount(number) if metric['nano'] else number}"


def _buckets(name: str, labels: Mapping[str, str], bounds: list[float], numbers: list[float]) -> Iterator[str]:
    *counts, total = numbers
    below = 0
    for bound, count in zip([*(f"{each:g}" for each in bounds), "+Inf"], counts, strict=True):
        below += int(count)
        yield f"{name}_bucket{_braced({**labels, 'le': bound})} {below}"
    yield f"{name}_sum{_braced(labels)} {total!r}"
    yield f"{name}_count{_braced(labels)} {below}"


def _braced(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{value.translate(ESCAPES)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""
