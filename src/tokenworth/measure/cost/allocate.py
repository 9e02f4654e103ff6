"""A fleet's bill shared out over classes of tokens: each nano-dollar once.

marginal       by the GPU-seconds that each class takes; idle time is borne in the same proportion (an equal mark-up on all)
proportional   by tokens, whatever they take
ramsey         marginal costs with mark-ups that fall with the elasticity of demand (Ramsey 1927; Baumol and Bradford 1970, equation 5)
"""

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from fractions import Fraction

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.demand import CLASSES, Tokens
from tokenworth.measure.cost.work import Work

STEPS = 200
"""Halvings of an interval; 60 exhaust a float."""


class Allocation(StrEnum):
    """How a joint cost is shared out."""

    MARGINAL = "marginal"
    PROPORTIONAL = "proportional"
    RAMSEY = "ramsey"


def allocate(bill: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Share out a bill of whole units in proportion to weights, as whole units whose sum is the bill.

    Each share is the difference of two rounded cumulative sums, so it is less than one unit off its proportion. InputError `no_weight` where all
    weights are zero, or one is negative or not finite.
    """
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights.values()) or not any(weights.values()):
        raise InputError("nothing says who bears the bill", mend="give weights of zero or more, one of them more than zero", code="no_weight")
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    whole = sum(exact.values(), Fraction(0))
    shares, sofar, given = {}, Fraction(0), 0
    for name, weight in exact.items():
        sofar += weight
        shares[name] = round(bill * sofar / whole) - given
        given += shares[name]
    return shares


def marginal(tokens: Tokens, work: Work) -> dict[str, float]:
    """Return the GPU-seconds of each class."""
    return work.by_class(tokens)


def proportional(tokens: Tokens) -> dict[str, float]:
    """Return the tokens of each class."""
    return {name: getattr(tokens, name) for name in CLASSES}


def ramsey(costs: Mapping[str, float], bill: float, elasticity: Mapping[str, float]) -> dict[str, float]:
    """Return the revenue of each class at the quantities sold that Ramsey's prices ask, in sum the bill.

    (p - c) / p = k / elasticity for every class with one k, so p q = c q / (1 - k / elasticity).

    Args:
        costs: marginal cost of each class at the quantities sold, dollars.
        bill: what has to be covered, dollars.
        elasticity: of each class's own demand, as a positive number. InputError `bad_elasticity` where one is missing or is not.
    """
    borne = {name: cost for name, cost in costs.items() if cost}
    if not all(elasticity.get(name, 0) > 0 and math.isfinite(elasticity[name]) for name in borne):
        raise InputError(
            f"Ramsey prices need an elasticity of {', '.join(borne)}",
            mend="give each as a positive number, such as 1.2 where a price 1 % higher loses 1.2 % of the tokens",
            code="bad_elasticity",
        )
    if not borne or bill <= 0:
        raise InputError("there is no cost to share out", mend="give a demand that takes GPU-seconds, and a bill of more than 0", code="no_weight")

    def revenue(k: float) -> dict[str, float]:
        return {name: cost / (1 - k / elasticity[name]) if cost else 0.0 for name, cost in costs.items()}

    k = _root(lambda k: sum(revenue(k).values()) - bill, min(elasticity[name] for name in borne))
    return revenue(k)


def _root(rising: Callable[[float], float], pole: float) -> float:
    """Return where a function that rises from below zero to infinity at a pole is zero, by halving."""
    low = -pole
    while rising(low) > 0:
        low *= 2
    high = pole
    for _ in range(STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return low
