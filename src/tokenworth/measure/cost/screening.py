"""What screens did to a table: each rule is named, and each row that it dropped or mended is listed with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tokenworth.measure.cost.points import Point

RULES = {
    "incomplete": "a row that lacks a count or a time says nothing",
    "gpus_counted_twice": "an engine in one piece runs on the GPUs that its parallelism states, not on their product with the experts' (mended)",
    "same_measurement": "one measurement counts once",
    "larger_than_memory": "weights fit into the memory of the GPUs that serve them",
    "faster_than_memory": "no step is faster than its weights and its cache can be read",
    "faster_than_compute": "no GPU makes more tokens than its operations allow",
    "not_monotone": "within a run, a higher load never makes a step faster; the fewest points are dropped that contradict the others",
    "contradicted": "two runs of one configuration do not differ so much that the older is faster at twice the load",
    "speculative": "the same configuration, in the same version or within weeks, is not that much faster without speculative decoding (marked)",
}
"""What each rule says, in the order in which they are applied."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happened to one row: `source` names it, `rule` is one of RULES."""

    source: str
    rule: str
    reason: str


@dataclass(slots=True)
class Screening:
    """Verdicts while a table is screened."""

    dropped: list[Verdict] = field(default_factory=list)
    mended: list[Verdict] = field(default_factory=list)

    def drop(self, source: str, rule: str, reason: str) -> None:
        """Note a row that does not count."""
        self.dropped.append(Verdict(source, rule, reason))

    def mend(self, source: str, rule: str, reason: str) -> None:
        """Note a row that counts, otherwise than it stood."""
        self.mended.append(Verdict(source, rule, reason))


@dataclass(frozen=True, slots=True)
class Screened:
    """A screened table: points that count, rows that do not, and rows that were read otherwise than they stand."""

    points: Sequence[Point]
    dropped: Sequence[Verdict]
    mended: Sequence[Verdict]
