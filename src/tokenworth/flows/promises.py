"""What service tiers came to, over stored usage events: the time to the first token and the tokens a second of one user, and promises kept."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tokenworth.capture.events import Status, UsageEvent
from tokenworth.flows.schedule.promise import Pace
from tokenworth.flows.serve.meter import BROKEN, KEPT, OVER_CAPACITY
from tokenworth.flows.sizes import bucket, top
from tokenworth.measure.usage.counts import Usage

ANSWERED = frozenset({Status.OK, Status.ESTIMATED})
HUNDRED = 100


@dataclass(slots=True)
class Spread:
    """Values by the bucket that they are in, one sixteenth of their size wide: quantiles are at most so much too large."""

    counts: Counter[int] = field(default_factory=Counter)

    def add(self, value: int) -> None:
        """Count a value of at least 0."""
        self.counts[bucket(value)] += 1

    def quantile(self, percent: int) -> int | None:
        """Return what so many in a hundred do not pass, None where there is nothing."""
        total, below = self.counts.total(), 0
        for number in sorted(self.counts):
            below += self.counts[number]
            if below * HUNDRED >= percent * total:
                return top(number)
        return None


@dataclass(slots=True)
class Service:
    """What the requests of a tier came to. Times are microseconds."""

    requests: int = 0
    answered: int = 0
    streams: int = 0
    turned_away: int = 0
    """Requests that waited for a supplier until their deadline. Those that were told so at once have no event."""
    kept: int = 0
    broken: int = 0
    lowered: int = 0
    """Answers that were charged at a lower tier than was asked for."""
    queued: Spread = field(default_factory=Spread)
    first_token: Spread = field(default_factory=Spread)
    """Of streams."""
    speed: Spread = field(default_factory=Spread)
    """Tokens a second after the first, of streams that have more than one."""

    def add(self, event: UsageEvent) -> None:
        """Count one event."""
        self.requests += 1
        self.queued.add(event.queued)
        self.turned_away += event.alarm == OVER_CAPACITY
        if event.status not in ANSWERED:
            return
        self.answered += 1
        self.kept += event.promise == KEPT
        self.broken += event.promise == BROKEN
        self.lowered += event.charged_tier not in ("", event.tier)
        if event.streamed:
            self.streams += 1
            self.first_token.add(event.first_token)
            pace = Pace(event.first_token, event.ended - event.at, Usage(event.counts).output_tokens, stream=True)
            if (speed := pace.speed) is not None:
                self.speed.add(speed)

    @property
    def inside(self) -> int | None:
        """Share of measured promises that were kept, in hundredths of a per cent, rounded down; None where none was measured."""
        measured = self.kept + self.broken
        return self.kept * 10_000 // measured if measured else None


def services(events: Iterable[UsageEvent]) -> dict[str, Service]:
    """Fold events into what each tier came to; memory does not grow with events."""
    found: dict[str, Service] = {}
    for event in events:
        found.setdefault(event.tier, Service()).add(event)
    return found
