"""The usage event: one row per request, whatever became of it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

NO_COUNTS: Mapping[str, int] = MappingProxyType({})


class Status(StrEnum):
    """What became of a request."""

    OPEN = "open"
    """Held and sent to the supplier; not settled yet. Only inside a hold, never as a stored event."""
    OK = "ok"
    """Answered, metered from the supplier's own usage, charged."""
    ESTIMATED = "estimated"
    """Answered without a usable usage object: counted locally, charged, and an alarm."""
    UNRATED = "unrated"
    """Answered, but a count has no rate on the card: nothing charged, an alarm, to be rated again when the book is mended."""
    FAILED = "failed"
    """The supplier failed; nothing charged."""
    LOST = "lost"
    """The hold's deadline passed after dispatch and nobody settled: charged nothing, an alarm."""


class UsageEvent(NamedTuple):
    """One request. Instants are UTC microseconds; amounts are nano-units: `charge` of `unit`, `revenue` and `cost` of `currency`.

    `at` is when the hold was authorised, and the instant at which charge and cost are rated. `revenue` is filled in by the ledger from the
    cost basis of the lots that paid. `card` and `cost_card` cite the terms used. `tier` is what was asked for, `served_tier` what the supplier
    says it served, and `charged_tier` whose rates `charge` is at: of the tier that was asked for, or of a lower one.
    """

    id: str
    customer: str
    plan: str
    api_key: str
    product: str
    tier: str
    supplier: str
    model: str
    api: str
    at: int
    unit: str
    currency: str
    card: str
    cost_card: str
    book: str
    status: Status = Status.OPEN
    ended: int = 0
    counts: Mapping[str, int] = NO_COUNTS
    cost: int = 0
    first_token: int = 0
    """Microseconds from `at` to the first byte of the answer; 0 where there was none."""
    alarm: str = ""
    project: str = ""
    """The project of the API key."""
    served_tier: str = ""
    """Empty where the supplier did not say, or has no tiers."""
    charged_tier: str = ""
    """Empty where nothing was charged."""
    promise: str = ""
    """Of latency: `kept`, `broken`, or empty where none was made that could be measured."""
    queued: int = 0
    """Microseconds in suppliers' queues."""
    streamed: int = 0
    """1 where the answer was a stream, whose pace can be seen."""
    wasted: int = 0
    """Nano-units of the currency: what attempts that did not serve are estimated to cost; `cost` is of the one that served."""
    attempts: str = ""
    """Attempts that did not serve, in order, as JSON: model, supplier, outcome, cost, and whether that is known. Empty for none."""
    charge: int = 0
    waived: int = 0
    """What was rated beyond the hold and, by the account's policy, not charged; `charge` is without it."""
    revenue: int = 0

    def booked(self, *, charge: int, waived: int, revenue: int) -> "UsageEvent":
        """Return the event as the ledger booked it."""
        return UsageEvent._make((*self[:-3], charge, waived, revenue))
