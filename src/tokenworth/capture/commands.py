"""What can be asked of the ledger, and what it answers. Amounts are nano-units of the account's unit; instants UTC microseconds."""

from dataclasses import dataclass
from enum import StrEnum

from tokenworth.capture.events import UsageEvent


class Source(StrEnum):
    """Where a grant's credits come from."""

    PAID = "paid"
    INCLUDED = "included"
    PROMOTIONAL = "promotional"
    GOODWILL = "goodwill"


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """Make a customer's account; again with the same unit and currency changes nothing."""

    customer: str
    unit: str
    currency: str
    at: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Give a customer a lot of credits, for which `paid` (nano-units of the currency) was paid. `id` is the idempotency key."""

    id: str
    customer: str
    amount: int
    source: Source
    paid: int
    at: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Reserve `amount` until `deadline`. The draft is the event as far as it is known; its id is the hold's id.

    `key` is the caller's idempotency key (empty for none), unique per customer among holds that were not released, and bound to `body`,
    the digest of the request.
    """

    draft: UsageEvent
    amount: int
    deadline: int
    key: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Settle:
    """Charge `event.charge` to the hold of `event.id` and free the rest. Again with the same id: the first result."""

    event: UsageEvent


@dataclass(frozen=True, slots=True)
class Release:
    """Free a hold without a charge; `event` says why. Again: the first result. Its idempotency key may be used anew."""

    event: UsageEvent


@dataclass(frozen=True, slots=True)
class Extend:
    """Move the deadline of open holds; unknown or closed ones are passed over.

    `drafts` are the events as far as they are known by now, with the counts so far and their estimated cost: each replaces the draft of the
    hold of its id, which must be its customer's and among `holds`.
    """

    holds: tuple[str, ...]
    deadline: int
    drafts: tuple[UsageEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Expire:
    """Release every open hold whose deadline has passed, each with an event `lost` that keeps the counts and the cost of its draft."""

    at: int


Command = OpenAccount | Grant | Hold | Settle | Release | Extend | Expire


class Reason(StrEnum):
    """Why the ledger refused: a stable code."""

    INSUFFICIENT_CREDITS = "insufficient_credits"
    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_HOLD = "unknown_hold"
    HOLD_CLOSED = "hold_closed"
    KEY_REUSED = "idempotency_key_reused"
    """The key was used with another body."""
    DUPLICATE = "duplicate_request"
    """The key was used with the same body; `event` names the first request, which is settled."""
    IN_PROGRESS = "request_in_progress"
    """The key was used with the same body; `event` names the first request, which is open, and may end without a charge."""
    CONFLICT = "conflict"
    """An account, grant or hold of that id exists with other contents."""
    BAD_AMOUNT = "bad_amount"
    """Negative, or past what an account can hold."""


@dataclass(frozen=True, slots=True)
class Done:
    """The command took effect, durably, or had already (`repeated`). `available` is what the customer may still spend."""

    available: int = 0
    event: UsageEvent | None = None
    """The event as stored, of Settle and Release."""
    lost: tuple[UsageEvent, ...] = ()
    """Events that Expire closed."""
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The command changed nothing."""

    reason: Reason
    detail: str
    available: int = 0
    needed: int = 0
    event: str = ""
    """Id of the event that stands in the way."""


Result = Done | Refused
