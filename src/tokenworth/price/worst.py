"""The dearest usage that a request allows: what a hold must hold.

A charge is linear in the counts within a step, so the dearest usage within bounds puts all input into the dearest input unit and all output
into the dearest output unit, at the bound or at the top of a lower step. Each such corner is priced by the function that settles.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tokenworth.core.units import UNITS
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import Step, Terms
from tokenworth.price.rate import Charge, charge

TEXT = frozenset({"text"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most tokens that can go in and come out, and the modalities that may occur."""

    input_tokens: int
    output_tokens: int
    modalities: frozenset[str] = TEXT


def worst(terms: Terms, bounds: Bounds) -> Charge:
    """Return the dearest charge of any usage within the bounds; no settlement within them can be above it."""
    return max((charge(usage, terms) for usage in _corners(terms, bounds)), key=lambda corner: corner.pico)


def _corners(terms: Terms, bounds: Bounds) -> Iterator[Usage]:
    ends = [step.above for step in terms.steps[1:]] + [bounds.input_tokens]
    for step, end in zip(terms.steps, ends, strict=True):
        if step.above and bounds.input_tokens <= step.above:
            return
        into = _dearest(step, "input", bounds.modalities)
        out = _dearest(step, "output", bounds.modalities)
        counts = {into: min(end, bounds.input_tokens), out: bounds.output_tokens, "request": 1 if "request" in step.rates else 0}
        yield Usage({name: count for name, count in counts.items() if name and count})


def _dearest(step: Step, direction: str, modalities: frozenset[str]) -> str:
    fitting = [name for name in _names(direction, modalities) if name in step.rates]
    return max(fitting, key=lambda name: step.rates[name], default="")


@cache
def _names(direction: str, modalities: frozenset[str]) -> tuple[str, ...]:
    """Of the declared units: there is a hold for every request, and units never change."""
    return tuple(name for name, unit in UNITS.items() if unit.direction == direction and unit.modality in modalities)
