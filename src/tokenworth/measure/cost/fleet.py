"""A fleet against its demand: how many GPUs run when, what they do, and what they are paid for. No GPU-second is in two of its sums."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokenworth.core.errors import InputError
from tokenworth.measure.cost.demand import NO_TOKENS, Demand, Tokens
from tokenworth.measure.cost.estimate import quantile
from tokenworth.measure.cost.work import Work

CROSSED = 1e-9
"""Replicas: less than this of another one is rounding."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """How a fleet is sized: `gpus` if given, else autoscaled if asked, else once for a peak.

    Attributes:
        step: GPUs of a replica; a fleet is whole replicas.
        load: the share of a GPU's time that is planned to be used; the rest keeps queues short.
        gpus: a fleet of so many, whatever is asked.
        peak: the quantile of demand over intervals that a fleet of constant size is for; 1 is the highest.
        autoscale: each interval's fleet is what the one before it would have needed.
        start_up: seconds from ordering a replica, which is then paid for, to its first token.
    """

    step: int = 8
    load: float = 1.0
    gpus: int | None = None
    peak: float = 1.0
    autoscale: bool = False
    start_up: int = 0

    def __post_init__(self) -> None:
        """Refuse what sizes nothing."""
        if self.step < 1 or not 0 < self.load <= 1 or not 0 < self.peak <= 1 or self.start_up < 0 or (self.gpus is not None and self.gpus < 1):
            raise InputError(f"{self} sizes no fleet", mend="give GPUs of at least 1, and shares of more than 0 and at most 1", code="bad_sizing")

    def needed(self, gpus: float) -> int:
        """Return the GPUs of whole replicas, at least one, in which so many busy GPUs fit at the planned load."""
        return max(1, math.ceil(gpus / self.load / self.step - CROSSED)) * self.step


@dataclass(frozen=True, slots=True)
class Interval:
    """GPU-seconds of one interval: what is paid is `used`, idle or starting; `unserved` work found no GPU and is not paid."""

    paid: int
    starting: int
    used: float
    unserved: float


@dataclass(frozen=True, slots=True)
class Run:
    """A fleet's life under a demand.

    Attributes:
        seconds: length of an interval.
        step: GPUs of a replica.
        intervals: one for each of the demand's.
        served: the tokens that found a GPU.
        asked: all tokens.
    """

    seconds: int
    step: int
    intervals: tuple[Interval, ...]
    served: Tokens
    asked: Tokens

    @property
    def paid(self) -> int:
        """GPU-seconds that are paid for."""
        return sum(each.paid for each in self.intervals)

    @property
    def starting(self) -> int:
        """GPU-seconds of replicas that were paid and not ready yet."""
        return sum(each.starting for each in self.intervals)

    @property
    def used(self) -> float:
        """GPU-seconds of work."""
        return math.fsum(each.used for each in self.intervals)

    @property
    def utilisation(self) -> float:
        """Share of the paid GPU-seconds that work."""
        return self.used / self.paid

    @property
    def served_share(self) -> float:
        """Share of the asked GPU-seconds that found a GPU."""
        unserved = math.fsum(each.unserved for each in self.intervals)
        return self.used / (self.used + unserved)

    @property
    def whole_idle(self) -> int:
        """GPU-seconds of replicas that were ready and had nothing to do in a whole interval: what could be sold to others."""
        return sum(self._idle(each) for each in self.intervals)

    @property
    def gpus(self) -> tuple[float, float, float]:
        """Fewest, mean and most GPUs that were paid for in an interval."""
        paid = [each.paid / self.seconds for each in self.intervals]
        return min(paid), math.fsum(paid) / len(paid), max(paid)

    def _idle(self, each: Interval) -> int:
        replica = self.step * self.seconds
        ready = (each.paid - each.starting) // replica
        return max(0, ready - math.ceil(each.used / replica)) * replica


def run(demand: Demand, work: Work, sizing: Sizing) -> Run:
    """Run a fleet against a demand. What an interval asks beyond what is ready is not served, and does not wait for the next."""
    asked = [work.of(tokens) for tokens in demand.intervals]
    fleet = _autoscaled if sizing.autoscale and sizing.gpus is None else _constant
    intervals = []
    served = NO_TOKENS
    for seconds, tokens, (paid, starting) in zip(asked, demand.intervals, fleet(asked, demand.seconds, sizing), strict=True):
        used = min(seconds, float(paid - starting))
        intervals.append(Interval(paid, starting, used, seconds - used))
        served += tokens * (used / seconds if seconds else 0)
    return Run(demand.seconds, sizing.step, tuple(intervals), served, demand.total)


def _constant(asked: Sequence[float], seconds: int, sizing: Sizing) -> Iterator[tuple[int, int]]:
    """Yield paid and starting GPU-seconds of a fleet that stays as it is."""
    gpus = sizing.gpus or sizing.needed(quantile(asked, sizing.peak) / seconds)
    yield from [(gpus * seconds, 0)] * len(asked)


def _autoscaled(asked: Sequence[float], seconds: int, sizing: Sizing) -> Iterator[tuple[int, int]]:
    """Yield paid and starting GPU-seconds of a fleet that follows demand by one interval, with replicas that take time to start."""
    ready = sizing.needed(asked[0] / seconds)
    pending: list[tuple[int, int]] = []
    for before in (asked[0], *asked[:-1]):
        ready, pending = _ordered(sizing.needed(before / seconds), ready, pending, sizing.start_up)
        starting = sum(gpus * min(wait, seconds) for gpus, wait in pending)
        yield (ready + sum(gpus for gpus, _ in pending)) * seconds, starting
        ready += sum(gpus for gpus, wait in pending if wait <= seconds)
        pending = [(gpus, wait - seconds) for gpus, wait in pending if wait > seconds]


def _ordered(wanted: int, ready: int, pending: list[tuple[int, int]], wait: int) -> tuple[int, list[tuple[int, int]]]:
    """Order what is missing, or give back what is too much, the youngest first."""
    more = wanted - ready - sum(gpus for gpus, _ in pending)
    if more >= 0:
        return ready, [*pending, (more, wait)] if more else pending
    kept = []
    for gpus, left in pending[::-1]:
        back = min(gpus, -more)
        more += back
        if gpus > back:
            kept.append((gpus - back, left))
    return ready + more, kept[::-1]
