"""The dearest usage that a request allows: what a hold must hold.

Where steps hold for the whole of a request, a charge is linear in the counts within a step, so the dearest usage within bounds puts all input
into the dearest input unit and all output into the dearest output unit, at the bound or at the top of a lower step. Where they hold for what is
above them, each stretch of the prompt has a dearest unit, and no unit stands before one that precedes it in a prompt. Each such corner is priced
by the function that settles. Packages that are not full add to it: one of each unit, since nobody knows over how many units a usage is spread.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from tokenworth.core.money import to_nano
from tokenworth.core.units import UNITS
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import Step, Terms
from tokenworth.price.models.context import IN_ORDER
from tokenworth.price.rate import charge

TEXT = frozenset({"text"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most tokens that can go in and come out, and the modalities that may occur."""

    input_tokens: int
    output_tokens: int
    modalities: frozenset[str] = TEXT


@dataclass(frozen=True, slots=True)
class Worst:
    """The dearest usage, and what no charge within its bounds is above, in pico-units; of packages, which it need not fill, a little more."""

    usage: Usage
    pico: int

    @property
    def nano(self) -> int:
        """What must be held: rounded half-even to nano-units, as every charge."""
        return to_nano(self.pico)


def worst(terms: Terms, bounds: Bounds) -> Worst:
    """Return the dearest usage within the bounds; no settlement within them can be above it."""
    corners = (_by_position if terms.form.marginal else _by_size)(terms, bounds)
    pico, usage = max(((charge(usage, terms).pico, usage) for usage in corners), key=lambda corner: corner[0])
    return Worst(usage, pico + _unfilled(terms, bounds))


def _by_size(terms: Terms, bounds: Bounds) -> Iterator[Usage]:
    ends = [step.above for step in terms.steps[1:]] + [bounds.input_tokens]
    for step, end in zip(terms.steps, ends, strict=True):
        if step.above and bounds.input_tokens <= step.above:
            return
        into = _dearest(step, "input", bounds.modalities)
        yield _usage(step, bounds, {into: min(end, bounds.input_tokens)})


def _by_position(terms: Terms, bounds: Bounds) -> Iterator[Usage]:
    """Yield the one corner: the best way through the stretches of the prompt, by the unit in which it ends."""
    names = [name for name in IN_ORDER if name in terms.steps[0].rates and UNITS[name].modality in bounds.modalities]
    ways: list[tuple[int, dict[str, int]]] = [(0, {}) for _ in names]
    ends = [min(step.above, bounds.input_tokens) for step in terms.steps] + [bounds.input_tokens]
    for step, (start, end) in zip(terms.steps, pairwise(ends), strict=True):
        grown: list[tuple[int, dict[str, int]]] = []
        for at, name in enumerate(names):
            worth, counts = max(ways[: at + 1], key=lambda way: way[0])
            grown.append((worth + (end - start) * step.rates[name], counts | {name: counts.get(name, 0) + end - start}))
        ways = grown
    yield _usage(terms.steps[0], bounds, max(ways, key=lambda way: way[0], default=(0, {}))[1])


def _usage(step: Step, bounds: Bounds, counts: dict[str, int]) -> Usage:
    out = _dearest(step, "output", bounds.modalities)
    counts |= {out: bounds.output_tokens, "request": 1 if "request" in step.rates else 0}
    return Usage({name: count for name, count in counts.items() if name and count})


def _unfilled(terms: Terms, bounds: Bounds) -> int:
    """Return what packages cost beyond what is in them at most: all but one of each unit that may occur."""
    packages = terms.form.packages
    if not packages:
        return 0
    fitting = [name for direction in ("input", "output") for name in _names(direction, bounds.modalities) if name in packages]
    return sum((packages[name] - 1) * max(step.rates[name] for step in terms.steps) for name in fitting)


def _dearest(step: Step, direction: str, modalities: frozenset[str]) -> str:
    fitting = [name for name in _names(direction, modalities) if name in step.rates]
    return max(fitting, key=lambda name: step.rates[name], default="")


@cache
def _names(direction: str, modalities: frozenset[str]) -> tuple[str, ...]:
    """Of the declared units: there is a hold for every request, and units never change."""
    return tuple(name for name, unit in UNITS.items() if unit.direction == direction and unit.modality in modalities)
