"""The kernel: a price is a fold over disjoint counts with + - * % and clip, written once.

The same source runs on ints (gateway, invoice) and on column expressions (backtest); a property test holds the two together to the last
pico-unit.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.core.exact import total
from tokenworth.price.models.context import marginal, whole
from tokenworth.price.models.minimum import at_least
from tokenworth.price.models.package import full
from tokenworth.price.schedule import Schedule


def price(counts: Mapping[str, Any], rates: Schedule) -> Any:
    """Return the price in pico-units: an int of ints, a column of columns.

    A count without a rate is a KeyError; callers say which card lacks it.
    """
    billed = full(counts, rates.packages) if rates.packages else counts
    base = rates.base
    parts = [count * base[name] for name, count in billed.items()]
    if rates.steps:
        parts += whole(counts, billed, rates.steps)
    if rates.marginal:
        parts += marginal(counts, rates.marginal)
    return total(parts) if rates.minimum is None else at_least(total(parts), rates.minimum)
