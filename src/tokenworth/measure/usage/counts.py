"""`Usage`: the disjoint counts of one request."""

from collections.abc import Mapping
from dataclasses import dataclass

from tokenworth.core.errors import UsageError
from tokenworth.core.units import INPUT_TOKENS, MAX_COUNT, UNITS, disjoint, unit


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts by unit name; no token is in two of them. Units that were not used are absent."""

    counts: Mapping[str, int]

    def __post_init__(self) -> None:
        """Refuse unknown units and counts that no single request can have."""
        for name, count in self.counts.items():
            if name not in UNITS:
                unit(name)
            if type(count) is not int or not 0 < count <= MAX_COUNT:
                raise UsageError(f"{name} is {count!r}; a count is a whole number from 1 to {MAX_COUNT}")

    @classmethod
    def from_overlapping(cls, counts: Mapping[str, int]) -> "Usage":
        """Make disjoint leaves of a provider's overlapping counts; UsageError where they contradict each other."""
        for name, count in counts.items():
            if type(count) is not int or count < 0:
                raise UsageError(f"{name} is {count!r}; a count is a whole number of at least zero")
        return cls(disjoint(counts))

    @property
    def input_tokens(self) -> int:
        """All tokens that went in, cached ones too: the size that a long-context step looks at."""
        return sum(count for name, count in self.counts.items() if name in INPUT_TOKENS)

    @property
    def output_tokens(self) -> int:
        """All tokens that came out, reasoning too."""
        return sum(count for name, count in self.counts.items() if UNITS[name].direction == "output")
