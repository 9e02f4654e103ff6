"""What a charge is made of, line by line: each count times its rate, and what fills up to the least. The lines sum to the charge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tokenworth.core.units import INPUT_TOKENS
from tokenworth.price.card import Terms
from tokenworth.price.models.context import passing
from tokenworth.price.models.package import full

MINIMUM = "minimum"
"""Unit of the line that fills a charge up to the least of a request."""


@dataclass(frozen=True, slots=True)
class Line:
    """One part of a charge: count x rate = pico-units. `above` is the long-context step whose rate it is."""

    unit: str
    count: int
    rate: int
    pico: int
    above: int = 0


def lines(counts: Mapping[str, int], terms: Terms) -> tuple[Line, ...]:
    """Return the parts of a request's charge; counts of packages are those of whole ones."""
    parts = tuple((_by_position if terms.form.marginal else _by_size)(counts, terms))
    short = terms.form.minimum - sum(line.pico for line in parts)
    return (*parts, Line(MINIMUM, 1, short, short)) if short > 0 else parts


def _by_size(counts: Mapping[str, int], terms: Terms) -> Iterator[Line]:
    size = sum(count for name, count in counts.items() if name in INPUT_TOKENS)
    step = [step for step in terms.steps if step.above == 0 or size > step.above][-1]
    for name, count in full(counts, terms.form.packages).items():
        yield Line(name, count, step.rates[name], count * step.rates[name], step.above)


def _by_position(counts: Mapping[str, int], terms: Terms) -> Iterator[Line]:
    ends = [dict(passing(counts, step.above)) for step in terms.steps[1:]]
    for name, count in full(counts, terms.form.packages).items():
        reached = [count, *(passed.get(name, 0) for passed in ends), 0]
        for step, (here, beyond) in zip(terms.steps, pairwise(reached), strict=True):
            if here > beyond:
                yield Line(name, here - beyond, step.rates[name], (here - beyond) * step.rates[name], step.above)
