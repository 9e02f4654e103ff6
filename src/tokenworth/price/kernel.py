"""The kernel: a price is a fold over disjoint counts with + - * and clip, written once.

The same source runs on ints (gateway, invoice) and on column expressions (backtest); a property test holds the two together to the last
pico-unit. `Schedule` is the kernel's form of `Terms`: base rates, and per step what it adds to them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.core.exact import clip
from tokenworth.core.units import INPUT_TOKENS
from tokenworth.price.card import Terms


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rates by unit, and (above, differences by unit) per long-context step; ints, or columns of them."""

    base: Mapping[str, Any]
    steps: tuple[tuple[Any, Mapping[str, Any]], ...] = ()


def schedule(terms: Terms) -> Schedule:
    """Return the kernel's form of compiled terms."""
    first, *later = terms.steps
    steps = []
    before = first.rates
    for step in later:
        steps.append((step.above, {name: rate - before[name] for name, rate in step.rates.items()}))
        before = step.rates
    return Schedule(first.rates, tuple(steps))


def price(counts: Mapping[str, Any], rates: Schedule) -> Any:
    """Return the price in pico-units: an int of ints, a column of columns.

    A count without a rate is a KeyError; callers say which card lacks it.
    """
    total = _dot(counts, rates.base)
    if rates.steps:
        size = _sum(count for name, count in counts.items() if name in INPUT_TOKENS)
        for above, differences in rates.steps:
            total = total + clip(size - above, 0, 1) * _dot(counts, differences)
    return total


def _dot(counts: Mapping[str, Any], rates: Mapping[str, Any]) -> Any:
    return _sum(count * rates[name] for name, count in counts.items())


def _sum(parts: Iterable[Any]) -> Any:
    """Add without starting from 0, so that a column stays a plain sum; nothing at all is 0."""
    total = None
    for part in parts:
        total = part if total is None else total + part
    return 0 if total is None else total
