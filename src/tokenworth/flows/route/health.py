"""Passive health of one member: a circuit breaker over its latest answers.

    closed --failures pass the share--> open --the pause is over--> half-open --one probe answers--> closed
                                         ^------------the probe fails, the pause doubles------------|

A request that a customer sent is the probe: nothing is asked of a supplier for health's sake alone. Instants and spans are microseconds.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from tokenworth.core.instants import SECOND

BUCKETS = 10
"""Parts of the window: old answers leave it a part at a time."""


class Health(StrEnum):
    """Where a breaker is."""

    CLOSED = "closed"
    """It answers."""
    OPEN = "open"
    """It failed too often, or asked to be left alone for a while."""
    HALF_OPEN = "half_open"
    """The pause is over: one request may try it."""


@dataclass(frozen=True, slots=True)
class Trip:
    """When a breaker opens: of the answers of a window at least `least`, of which `percent` or more failed."""

    window: int = 30 * SECOND
    least: int = 5
    percent: int = 50
    pause: int = 5 * SECOND
    longest: int = 120 * SECOND


@dataclass(slots=True)
class _Bucket:
    start: int
    answers: int = 0
    failures: int = 0


@dataclass(slots=True)
class Breaker:
    """The health of one member."""

    trip: Trip = Trip()
    _buckets: deque[_Bucket] = field(default_factory=deque)
    _until: int = 0
    """End of the pause of an open breaker; 0 while it is closed."""
    _pause: int = 0
    _quiet: int = 0
    """Until when the member asked to be left alone; that is no failure."""
    _probing: bool = False

    def health(self, at: int) -> Health:
        """Return where it is at an instant."""
        if at < max(self._until, self._quiet):
            return Health.OPEN
        if self._until:
            return Health.OPEN if self._probing else Health.HALF_OPEN
        return Health.CLOSED

    def begin(self, at: int) -> None:
        """Note that a request is sent; one of a half-open breaker is its probe."""
        self._probing = self._probing or self.health(at) is Health.HALF_OPEN

    def answered(self, at: int) -> None:
        """Note an answer; one answer closes a breaker whose pause is over."""
        if self._until and at >= self._until:
            self._until = self._pause = 0
            self._buckets.clear()
        self._probing = False
        self._count(at, failures=0)

    def failed(self, at: int) -> None:
        """Note a failure; it opens the breaker where too many failed, or where it was the probe."""
        bucket = self._count(at, failures=1)
        if self._until and at >= self._until:
            self._open(at)
        elif not self._until:
            answers = sum(each.answers for each in self._buckets)
            failures = sum(each.failures for each in self._buckets)
            if bucket.failures and answers >= self.trip.least and failures * 100 >= answers * self.trip.percent:
                self._open(at)

    def gave_up(self) -> None:
        """Note that a request ended without telling anything, as its client left: another may be the probe."""
        self._probing = False

    def leave_alone(self, until: int) -> None:
        """Send nothing before an instant, as the member asked (429 with Retry-After)."""
        self._probing = False
        self._quiet = max(self._quiet, until)

    def _open(self, at: int) -> None:
        self._pause = min(self._pause * 2, self.trip.longest) if self._pause else self.trip.pause
        self._until = at + self._pause
        self._probing = False

    def _count(self, at: int, *, failures: int) -> _Bucket:
        buckets, span = self._buckets, self.trip.window // BUCKETS
        while buckets and buckets[0].start <= at - self.trip.window:
            buckets.popleft()
        if not buckets or buckets[-1].start + span <= at:
            buckets.append(_Bucket(at))
        buckets[-1].answers += 1
        buckets[-1].failures += failures
        return buckets[-1]
