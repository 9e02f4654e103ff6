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
    cost basis of the lots that paid. `card` and `cost_card` cite the terms used.
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
    charge: int = 0
    waived: int = 0
    """What was rated beyond the hold and, by the account's policy, not charged; `charge` is without it."""
    revenue: int = 0

    def booked(self, *, charge: int, waived: int, revenue: int) -> "UsageEvent":
        """Return the event as the ledger booked it."""
        return UsageEvent._make((*self[:-3], charge, waived, revenue))
