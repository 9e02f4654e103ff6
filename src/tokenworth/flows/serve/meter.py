"""What an answer costs: metered from the supplier's own usage, else estimated; rated at the instant of the hold.

`charge` and `cost` go through the same function of `price` as the hold did, so a charge within the recorded bounds is at most the hold.
"""

from dataclasses import dataclass

from tokenworth.book.model import Model
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.errors import PriceError, UsageError
from tokenworth.flows.serve.order import Order
from tokenworth.flows.serve.wire.ask import bounds
from tokenworth.flows.serve.wire.tap import Tap
from tokenworth.flows.serve.wire.text import Count, Said, by_bytes
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.dialects import find, meter
from tokenworth.price.card import DEFAULT_TIER, Card, Terms
from tokenworth.price.rate import charge

OWNERS = {"chat": "openai"}
"""Whose wire format it is; where a supplier's own usage objects differ from it, the model's list price names whose they are."""

NO_USAGE = "no_usage"
OVER_HOLD = "over_hold"
UNPRICED = "unpriced"
UNCOSTED = "uncosted"
CLIENT_GONE = "client_gone"
SUPPLIER_GONE = "supplier_gone"
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
    charged, unpaid = _charge(usage, order)
    if ending.alarm == SUPPLIER_GONE and order.broken_off_free:
        charged = 0
    return order.draft._replace(
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
        return meter(_provider(order.model, order.bridge.api), order.bridge.api, tap.usage).usage, Status.OK, ""
    except UsageError as error:
        return _estimate(order, tap, count), Status.ESTIMATED, error.code


def _provider(model: Model, api: str) -> str:
    provider = model.list_price.partition("/")[0]
    return provider if find(provider, api) else OWNERS[api]


def _estimate(order: Order, tap: Tap, count: Count) -> Usage:
    """Count tokens of text, within what the hold was placed for: an estimate is no ground to take what was not authorised."""
    most = bounds(order.ask, order.model)
    into, out = Said(order.ask.prompt).tokens(count), tap.delivered.tokens(count)
    counts = {"input": min(into, most.input_tokens), "output": min(out, most.output_tokens)}
    return Usage({name: count for name, count in counts.items() if count})


def _charge(usage: Usage, order: Order) -> tuple[int, str]:
    """Return nano-units, and what is wrong with them.

    A supplier that reports more than the recorded bounds allow breaks an assumption: what it counted is charged, so that counts and charge
    never part, the ledger takes the excess as an overdraft, and the alarm says so.
    """
    try:
        amount = charge(usage, order.terms).nano
    except PriceError:
        return 0, UNPRICED
    return amount, OVER_HOLD if amount > order.amount + order.excess else ""


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


def _tier(order: Order, tap: Tap) -> str:
    """Return the tier that the supplier served, where tiers are passed on to it: it may be another than was asked for."""
    return tap.served_tier if tap.served_tier in order.model.tiers else DEFAULT_TIER
