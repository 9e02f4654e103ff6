"""`Schedule`: the kernel's form of compiled rates, in which each step says what it adds to the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tokenworth.price.models.context import Steps


@dataclass(frozen=True, slots=True)
class Form:
    """How rates make a price beyond count times rate; `price.models` has the readings."""

    marginal: bool = False
    """Whether steps hold only for what is above them."""
    packages: Mapping[str, int] = field(default_factory=dict)
    """Sizes of packages, by unit."""
    minimum: int = 0
    """The least that a request costs, in pico-units."""


PLAIN = Form()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rates by unit, and (above, differences by unit) per long-context step, of the whole request or marginal; ints, or columns of them."""

    base: Mapping[str, Any]
    steps: Steps = ()
    marginal: Steps = ()
    packages: Mapping[str, Any] = field(default_factory=dict)
    """Sizes of packages by unit."""
    minimum: Any = None
    """The least of a request; None where there is none."""


def compile_schedule(steps: Sequence[tuple[int, Mapping[str, int]]], form: Form = PLAIN) -> Schedule:
    """Return the kernel's form of (above, rates by unit), ascending from 0."""
    (_, base), *later = steps
    differences: list[tuple[int, Mapping[str, int]]] = []
    before = base
    for above, rates in later:
        differences.append((above, {name: rate - before[name] for name, rate in rates.items()}))
        before = rates
    whole, marginal = ((), tuple(differences)) if form.marginal else (tuple(differences), ())
    return Schedule(base, whole, marginal, form.packages, form.minimum or None)
