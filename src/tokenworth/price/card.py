"""Rate cards: dated rates by product and tier, compiled to integers.

`Terms` is one cell of a card from one date on. A long-context step replaces all rates of a request whose input tokens pass `above`, as
suppliers bill it. Costs of supplier models are cards too, with the model's id as the product.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from tokenworth.core.errors import InputError, PriceError
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.instants import format_instant
from tokenworth.core.units import INPUT_TOKENS, MAX_COUNT, UNITS, unit
from tokenworth.price.hours import Hours
from tokenworth.price.schedule import PLAIN, Form, Schedule, compile_schedule

DEFAULT_TIER = "default"
BAD_FORM = "bad_form"
"""Code of rates that contradict how they are to make a price."""


@dataclass(frozen=True, slots=True)
class Step:
    """Rates (pico-units per unit) of requests with more than `above` input tokens."""

    above: int
    rates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Terms:
    """What one product costs at one tier from `since` on; `source` is what a charge cites. Make it with `compile_terms`."""

    currency: str
    since: int
    steps: tuple[Step, ...]
    source: str
    form: Form
    schedule: Schedule
    """The same for the kernel."""
    hours: "tuple[tuple[Hours, Terms], ...]" = ()
    """Other terms at hours of the day, which do not overlap."""

    def at(self, instant: int) -> "Terms":
        """Return what holds at an instant of theirs: these terms, or those of the hour."""
        for hours, others in self.hours:
            if hours.hold(instant):
                return others
        return self

    def rate(self, name: str, step: int = 0) -> int:
        """Return the rate of a unit in pico-units, else PriceError."""
        try:
            return self.steps[step].rates[name]
        except KeyError:
            raise PriceError(f"{self.source} has no rate for {name}", mend=f'add {name} = "..." to it') from None


@dataclass(frozen=True, slots=True)
class Card:
    """Terms by (product, tier), each tuple ascending by date. `currency` is credits or a currency code."""

    id: str
    currency: str
    cells: Mapping[tuple[str, str], tuple[Terms, ...]]

    def terms(self, product: str, tier: str, at: int) -> Terms:
        """Return the terms in force at an instant, else PriceError that says which product, tier or date is missing."""
        dated = self.cells.get((product, tier))
        if dated is None:
            tiers = sorted(t for p, t in self.cells if p == product)
            known = f"at tiers {', '.join(tiers)} only" if tiers else "not at all"
            raise PriceError(f"card {self.id} does not price {product} at tier {tier}, {known}", code="unknown_cell")
        found = bisect_right(dated, at, key=lambda terms: terms.since)
        if not found:
            raise PriceError(
                f"card {self.id} prices {product} at tier {tier} from {format_instant(dated[0].since)}, not yet at {format_instant(at)}",
                code="not_yet_priced",
            )
        return dated[found - 1].at(at)


def compile_terms(*, currency: str, since: int, source: str, steps: Mapping[int, Mapping[str, int]], form: Form = PLAIN) -> Terms:
    """Compile rates (pico-units per unit, by `above` and unit) to Terms.

    Fills in units that are billed as another, and proves that no charge of counts up to MAX_COUNT can pass 2**63 - 1 pico-units, in any
    order of summation. Raises InputError where a step lacks a unit of the first, the form contradicts itself, or the proof fails.
    """
    if 0 not in steps:
        raise InputError(f"{source} has no rates for requests below its first step", mend="add a row without `above`")
    for above, rates in steps.items():
        if odd := rates.keys() ^ steps[0].keys():
            raise InputError(f"{source}: the step above {above} and the first do not rate the same units: {', '.join(sorted(odd))}")
    filled = {above: _fill(rates) for above, rates in sorted(steps.items())}
    _check_form(form, filled, source)
    _prove(filled, form, source)
    made = tuple(Step(above, rates) for above, rates in filled.items())
    return Terms(currency, since, made, source, form, compile_schedule(list(filled.items()), form))


def _fill(rates: Mapping[str, int]) -> dict[str, int]:
    for name in rates:
        unit(name)
    filled = dict(rates)
    for name, declared in UNITS.items():
        if name not in filled and declared.billed_as in filled:
            filled[name] = filled[declared.billed_as]
    return {name: filled[name] for name in UNITS if name in filled}


def _check_form(form: Form, steps: Mapping[int, Mapping[str, int]], source: str) -> None:
    for name, rate in steps[0].items():
        if form.marginal and name not in INPUT_TOKENS and any(rates[name] != rate for rates in steps.values()):
            what = f"{source} has two rates for {name}, and steps that hold only for the input above them"
            raise InputError(what, mend=f"rate {name} the same in every step", code=BAD_FORM)
    for name, size in form.packages.items():
        if name not in steps[0]:
            raise InputError(f"{source} has packages of {name}, and no rate for it", mend=f'add {name} = "..."', code=BAD_FORM)
        if not 1 <= size <= MAX_COUNT:
            raise InputError(f"{source} has packages of {size} {name}", mend=f"a package has 1 to {MAX_COUNT}", code=BAD_FORM)
        if form.marginal and name in INPUT_TOKENS:
            what = f"{source} has packages of {name}, and steps that hold only for what is above them"
            raise InputError(what, mend="take one of the two: what is above a step is no whole package", code=BAD_FORM)


def _prove(steps: Mapping[int, Mapping[str, int]], form: Form, source: str) -> None:
    """Bound every partial sum of the kernel: the base and each step's differences, at MAX_COUNT of every unit, rounded up to whole packages."""
    most = {name: MAX_COUNT + form.packages.get(name, 1) - 1 for name in steps[0]}
    tables = list(steps.values())
    bound = sum(rate * most[name] for name, rate in tables[0].items()) + form.minimum
    for before, after in pairwise(tables):
        bound += sum(abs(after[name] - before[name]) * most[name] for name in after)
    if bound > INT64_MAX:
        raise InputError(f"{source}: a request of {MAX_COUNT} of every unit would pass 2**63 pico-units", mend="check the unit of the rates")
