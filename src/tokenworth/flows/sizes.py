"""How long answers are: quantiles of the output of each product's recent requests, so that a hold need not be for the longest one possible.

Lengths are counted in buckets that are one token wide up to 32 and one sixteenth of their size above, as HdrHistogram's are, and in two
generations, of which the older is dropped when the younger is full: so the quantiles follow what customers do now, in a few kilobytes a product.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

GENERATION = 4_000
"""Requests after which the older half of what is known is forgotten."""
LEAST = 200
"""Requests that must be known before a quantile is told: of fewer, the 99th would be a guess."""
ANEW = 64
"""Answers after which a quantile that was told is looked up again; it moves slowly, and each request asks for it."""
EXACT = 32
PARTS = 16


@dataclass(slots=True)
class _Lengths:
    young: Counter[int] = field(default_factory=Counter)
    old: Counter[int] = field(default_factory=Counter)
    learned: int = 0
    told: dict[int, int | None] = field(default_factory=dict)

    def learn(self, length: int) -> None:
        if self.learned == GENERATION:
            self.young, self.old, self.learned = Counter(), self.young, 0
        self.young[bucket(length)] += 1
        self.learned += 1
        if not self.learned % ANEW:
            self.told.clear()

    def quantile(self, percent: int) -> int | None:
        if percent not in self.told:
            self.told[percent] = self._quantile(percent)
        return self.told[percent]

    def _quantile(self, percent: int) -> int | None:
        counts = self.young + self.old
        total, below = counts.total(), 0
        if total < LEAST:
            return None
        for one in sorted(counts):
            below += counts[one]
            if below * 100 >= percent * total:
                return top(one)
        raise AssertionError("all answers are not enough of them")


class Sizes:
    """What is known of the products' answers."""

    def __init__(self, recent: Iterable[tuple[str, int]] = ()) -> None:
        """Begin with (product, output tokens of one choice), oldest first."""
        self._lengths: dict[str, _Lengths] = {}
        for product, length in recent:
            self.learn(product, length)

    def learn(self, product: str, length: int) -> None:
        """Take note of an answer."""
        self._lengths.setdefault(product, _Lengths()).learn(length)

    def quantile(self, product: str, percent: int) -> int | None:
        """Return a length that at least `percent` of a product's recent answers do not pass: the top of its bucket. None while too few are known."""
        known = self._lengths.get(product)
        return known.quantile(percent) if known else None


def bucket(length: int) -> int:
    """Return the number of the bucket that a length is in; longer ones are never in an earlier bucket."""
    if length < EXACT:
        return length
    power = length.bit_length() - EXACT.bit_length() + 1
    return power * PARTS + (length >> power)


def top(number: int) -> int:
    """Return the largest length of a bucket."""
    if number < EXACT:
        return number
    power = number // PARTS - 1
    return ((number - power * PARTS + 1) << power) - 1
