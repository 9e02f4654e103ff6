"""What an answer costs: metered from the supplier's own usage, else estimated; rated at the instant of the hold.

`charge` and `cost` go through the same function of `price` as the hold did, so a charge within the recorded bounds is at most the hold.
"""

from dataclasses import dataclass

from tokenworth.book.model import RANKS
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.errors import PriceError, UsageError
from tokenworth.flows.schedule.promise import Pace, Promise
from tokenworth.flows.schedule.promise import kept as was_kept
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.wire.tap import Asked, Tap
from tokenworth.flows.serve.wire.text import Count, by_bytes
from tokenworth.flows.serve.wire.usage import estimate, read_usage
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import DEFAULT_TIER, Card, Terms
from tokenworth.price.rate import charge

NO_USAGE = "no_usage"
OVER_HOLD = "over_hold"
UNPRICED = "unpriced"
UNCOSTED = "uncosted"
CLIENT_GONE = "client_gone"
SUPPLIER_GONE = "supplier_gone"
OVER_CAPACITY = "over_capacity"
"""The request waited for a supplier until its deadline."""
KEPT, BROKEN = "kept", "broken"
"""Promises."""
SAID = {"standard": "default"}
"""Suppliers' words for service tiers that are others than ours."""
UNSETTLED = "unsettled"
"""The ledger failed at the settlement of an answer that was waiting for it, so the client did not get it."""
INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Ending:
    """How and when an answer ended: `first_token` in microseconds after the hold, `alarm` empty for a whole answer."""

    at: int
    first_token: int
    alarm: str = ""


def settled(order: Order, tap: Tap, costs: Card, ending: Ending) -> UsageEvent:
    """Return the event that charges what was delivered."""
    usage, status, alarm = _usage(order, tap, order.count)
    cost, cost_card = _cost(usage, costs, order, tap)
    usage = _with_fee(usage, order.terms)
    served = served_tier(order, tap)
    kept = _promise(order, usage, ending)
    charged, unpaid, terms, tier = _charge(usage, order, charged_tier(order, served, kept=kept))
    if ending.alarm == SUPPLIER_GONE and order.broken_off_free:
        # at nobody's rates: who rates the event again leaves it out
        charged, unpaid, tier = 0, "", ""
    return order.draft._replace(
        served_tier=served,
        charged_tier="" if unpaid == UNPRICED else tier,
        promise="" if kept is None else KEPT if kept else BROKEN,
        card=terms.source,
        status=Status.UNRATED if unpaid == UNPRICED else status,
        ended=ending.at,
        first_token=ending.first_token,
        counts=usage.counts,
        charge=charged,
        cost=cost,
        cost_card=cost_card,
        # the gravest first: what could not be charged, how the answer ended, how it was counted, what it cost
        alarm=unpaid or ending.alarm or alarm or ("" if cost_card else UNCOSTED),
    )


def so_far(order: Order, tap: Tap, costs: Card) -> UsageEvent:
    """Return the draft of a request on its way: the counts by now, and what they cost to make. Nothing is charged."""
    # guessed, as this is done for every live stream over and over
    usage, _, _ = _usage(order, tap, by_bytes)
    cost, cost_card = _cost(usage, costs, order, tap)
    return order.draft._replace(counts=_with_fee(usage, order.terms).counts, cost=cost, cost_card=cost_card)


def failed(draft: UsageEvent, alarm: str, at: int) -> UsageEvent:
    """Return the event of a request whose hold is released: nothing was delivered, nothing is charged."""
    return draft._replace(status=Status.FAILED, ended=at, alarm=alarm)


def _usage(order: Order, tap: Tap, count: Count) -> tuple[Usage, Status, str]:
    if tap.usage is None:
        return _estimate(order, tap, count), Status.ESTIMATED, NO_USAGE
    try:
        return read_usage(order.model, order.bridge.api, tap.usage), Status.OK, ""
    except UsageError as error:
        return _estimate(order, tap, count), Status.ESTIMATED, error.code


def _estimate(order: Order, tap: Tap, count: Count) -> Usage:
    asked = Asked(order.ask, order.model, order.draft.at, count)
    return estimate(asked, order.bridge.api, tap.delivered, tap.prompt_usage)


def _charge(usage: Usage, order: Order, tier: str) -> tuple[int, str, Terms, str]:
    """Return nano-units, what is wrong with them, and whose rates they are at: the tier that was asked for, or a lower one where that is less.

    A supplier that reports more than the recorded bounds allow breaks an assumption: what it counted is charged, so that counts and charge
    never part, the ledger takes the excess as an overdraft, and the alarm says so.
    """
    asked = order.ask.tier
    try:
        amount, terms = charge(usage, order.terms).nano, order.terms
    except PriceError:
        return 0, UNPRICED, order.terms, asked
    if tier != asked and (lower := _at_lower(usage, order, tier)) and lower[0] < amount:
        amount, terms, asked = *lower, tier
    return amount, OVER_HOLD if amount > order.amount + order.excess else "", terms, asked


def _at_lower(usage: Usage, order: Order, tier: str) -> tuple[int, Terms] | None:
    """Return the charge at a tier's rates, None where the card has none for it."""
    try:
        terms = order.card.terms(order.ask.product, tier, order.draft.at) if order.card else order.terms
        return charge(usage, terms).nano, terms
    except PriceError:
        return None


def _promise(order: Order, usage: Usage, ending: Ending) -> bool | None:
    """Whether the tier's promise was kept; a client that left has not seen whether it would have been."""
    tier = order.tier
    if ending.alarm == CLIENT_GONE or not (tier.first_token or tier.tokens_per_second):
        return None
    pace = Pace(ending.first_token, ending.at - order.draft.at, usage.output_tokens, stream=order.ask.stream)
    return was_kept(Promise(tier.first_token, tier.tokens_per_second), pace)


def _cost(usage: Usage, costs: Card, order: Order, tap: Tap) -> tuple[int, str]:
    """Return nano-units of the currency and the source of the rates, empty where there are none."""
    try:
        terms = costs.terms(order.model.id, _tier(order, tap), order.draft.at)
        return charge(_with_fee(usage, terms), terms).nano, terms.source
    except PriceError:
        return 0, ""


def _with_fee(usage: Usage, terms: Terms) -> Usage:
    """Count the request itself where it has a rate; sellers and suppliers need not agree on that."""
    return Usage({**usage.counts, "request": 1}) if "request" in terms.steps[0].rates else usage


def served_tier(order: Order, tap: Tap) -> str:
    """Return the tier that the supplier says it served, in our words; empty where it serves none but one, or does not say."""
    said = SAID.get(tap.served_tier, tap.served_tier)
    return said if said in RANKS and order.ask.tier in order.model.tiers else ""


def charged_tier(order: Order, served: str, *, kept: bool | None) -> str:
    """Return at whose rates to charge: of the tier that was asked for, a lower one that was served, and the one for broken promises, the least."""
    may = [order.ask.tier, *([served] if served else []), *([order.tier.broken] if kept is False and order.tier.broken else [])]
    return min(may, key=RANKS.__getitem__)


def _tier(order: Order, tap: Tap) -> str:
    """Return the tier that the supplier served, where tiers are passed on to it: it may be another than was asked for."""
    return tap.served_tier if tap.served_tier in order.model.tiers else DEFAULT_TIER
