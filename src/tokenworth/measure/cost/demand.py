"""What customers ask for over time, in tokens by class."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tokenworth.core.errors import InputError

CLASSES = ("input", "cache_read", "output")
"""The classes of tokens, disjoint, by the names that rate cards have for them."""

MOST_INTERVALS = 1_000_000
"""More than a year of minutes: times in two units."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counts by class: `input` was not in the cache, `cache_read` was; means and shares make them fractions of tokens."""

    input: float
    cache_read: float
    output: float

    def __add__(self, other: "Tokens") -> "Tokens":
        """Add class by class."""
        return Tokens(self.input + other.input, self.cache_read + other.cache_read, self.output + other.output)

    def __mul__(self, factor: float) -> "Tokens":
        """Scale each class."""
        return Tokens(self.input * factor, self.cache_read * factor, self.output * factor)

    @property
    def total(self) -> float:
        """All tokens, in and out."""
        return self.input + self.cache_read + self.output


NO_TOKENS = Tokens(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Demand:
    """Tokens asked for in intervals of equal length, without a gap.

    Attributes:
        seconds: length of an interval.
        intervals: what is asked for in each.
        source: where it is from.
    """

    seconds: int
    intervals: tuple[Tokens, ...]
    source: str

    def __post_init__(self) -> None:
        """Refuse a demand of nothing."""
        if self.seconds < 1 or not self.total.total > 0:
            raise InputError(f"{self.source or 'the demand'} asks for no token", mend="give one that has tokens in it", code="no_demand")

    @property
    def total(self) -> Tokens:
        """All tokens of all intervals."""
        return sum(self.intervals, NO_TOKENS)

    @property
    def duration(self) -> int:
        """Seconds from its begin to its end."""
        return self.seconds * len(self.intervals)

    def scaled(self, factor: float) -> "Demand":
        """Return the same demand with more or fewer customers."""
        return Demand(self.seconds, tuple(each * factor for each in self.intervals), self.source)


def binned(requests: Iterable[tuple[float, Tokens]], seconds: int, source: str) -> Demand:
    """Return requests, by their seconds since any begin, as demand in intervals from the first one's on; the last may be cut short.

    InputError `long_demand` where they are so far apart that their times cannot be meant.
    """
    given = list(requests)
    times = [at for at, _ in given]
    first = min(times, default=0)
    if max(times, default=0) - first >= MOST_INTERVALS * seconds:
        what = f"{source} spans {(max(times) - first) / seconds:,.0f} intervals of {seconds} s"
        raise InputError(what, mend=f"mend its times, or give longer intervals: {MOST_INTERVALS:,} are the most", code="long_demand")
    bins: dict[int, Tokens] = {}
    for at, tokens in given:
        index = int((at - first) // seconds)
        bins[index] = bins.get(index, NO_TOKENS) + tokens
    return Demand(seconds, tuple(bins.get(index, NO_TOKENS) for index in range(max(bins, default=-1) + 1)), source)


def from_rates(rates: Sequence[float], seconds: int, request: Tokens, *, source: str) -> Demand:
    """Return a series of requests a second, each of the same mean tokens, as demand."""
    return Demand(seconds, tuple(request * (rate * seconds) for rate in rates), source)
