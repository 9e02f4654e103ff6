"""What can be asked of the ledger, and what it answers.

Amounts are nano-units of the account's unit, instants UTC microseconds; ids are idempotency keys.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tokenworth.capture.events import UsageEvent
from tokenworth.capture.policy import Policy


class Source(StrEnum):
    """Where a grant's credits come from."""

    PAID = "paid"
    INCLUDED = "included"
    PROMOTIONAL = "promotional"
    GOODWILL = "goodwill"


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """Make a customer's account; again with the same unit and currency changes nothing but the policy."""

    customer: str
    unit: str
    currency: str
    at: int
    policy: Policy | None = None
    """None keeps the policy of an account that exists, and gives a new one the standard policy."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Give a customer a lot of credits, for which `paid` (nano-units of the currency) was paid.

    It may be used from `effective` (0: at once) until before `expiry` (0: for ever), for the products and tiers it names (none: all). A `pending`
    grant is no money yet: Confirm makes it so, once. Smaller `priority` burns down first.
    """

    id: str
    customer: str
    amount: int
    source: Source
    paid: int
    at: int
    priority: int = 0
    effective: int = 0
    expiry: int = 0
    products: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    pending: bool = False
    who: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Make a pending grant effective; again changes nothing."""

    grant: str
    at: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """End a pending grant that will not be paid; again changes nothing."""

    grant: str
    at: int


@dataclass(frozen=True, slots=True)
class Void:
    """Take back what is left of a grant; what is held goes back when its hold ends. What was used stays used."""

    grant: str
    at: int
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Give back `amount` of an event's charge (None: what is left of it) to the lots that paid it, and unwind the revenue."""

    id: str
    event: str
    amount: int | None
    at: int
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Adjust:
    """Give (positive) or take (negative) credits outside of any event; `corrects` names what it mends, if it does."""

    id: str
    customer: str
    amount: int
    at: int
    who: str
    why: str
    corrects: str = ""


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
class Record:
    """Charge usage that happened elsewhere, for which nothing was held: once per `event.id`, which is bound to `body`, the digest of its content.

    It takes free credits, then the credit line, whatever a budget says of it; beyond them as the policy says of a charge beyond its hold. An
    event of status `failed` charges nothing. Again with the same body: the first result. `key` says in text whose event it was.
    """

    event: UsageEvent
    key: str
    body: str


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
    """Release every open hold whose deadline has passed, each with an event `lost` that keeps the counts and the cost of its draft.

    Then take what is free of lots whose expiry has come, and repay debt from lots that are effective by now.
    """

    at: int


Command = OpenAccount | Grant | Confirm | Cancel | Void | Refund | Adjust | Hold | Settle | Release | Record | Extend | Expire


class Reason(StrEnum):
    """Why the ledger refused: a stable code."""

    INSUFFICIENT_CREDITS = "insufficient_credits"
    BUDGET_EXCEEDED = "budget_exceeded"
    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_HOLD = "unknown_hold"
    UNKNOWN_GRANT = "unknown_grant"
    UNKNOWN_EVENT = "unknown_event"
    HOLD_CLOSED = "hold_closed"
    GRANT_CLOSED = "grant_closed"
    """The grant was cancelled or voided, or is not pending."""
    KEY_REUSED = "idempotency_key_reused"
    """The key was used with another body."""
    DUPLICATE = "duplicate_request"
    """The key was used with the same body; `event` names the first request, which is settled."""
    IN_PROGRESS = "request_in_progress"
    """The key was used with the same body; `event` names the first request, which is open, and may end without a charge."""
    CONFLICT = "conflict"
    """An account, grant, hold or correction of that id exists with other contents."""
    BAD_AMOUNT = "bad_amount"
    """Zero, negative, or past what an account can hold or an event was charged."""
    BAD_ID = "bad_id"
    """Empty, or of other characters than letters, digits and - _ . :"""


class Done(NamedTuple):
    """The command took effect, durably, or had already (`repeated`). `available` is what the customer may still spend on anything."""

    available: int = 0
    event: UsageEvent | None = None
    """The event as stored, of Settle, Release and Record."""
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
    again: int = 0
    """From when it may be asked again; 0 where no time mends it."""


Result = Done | Refused


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the operator asked to be told, once: `low_balance` with its threshold, or `top_up` with the pending grant's id."""

    customer: str
    kind: str
    subject: str
    left: int
    at: int
