"""From a request and its caller to an order: which product, model and terms, and what must be held for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tokenworth.book.model import UNLIMITED, Book, Model, Plan, Rates
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import PriceError
from tokenworth.core.instants import SECOND
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.refusal import Refusal, bad_request, unknown_product
from tokenworth.flows.serve.wire.ask import Ask, bounds
from tokenworth.flows.serve.wire.find import find_bridge
from tokenworth.flows.serve.wire.format import Bridge
from tokenworth.flows.serve.wire.text import Count, by_bytes
from tokenworth.flows.sizes import Sizes
from tokenworth.price.card import Card, Terms
from tokenworth.price.worst import Bounds, worst


@dataclass(frozen=True, slots=True)
class Shop:
    """What is sold, and what it costs to make: a book and the cost card by (model id, supplier's tier)."""

    book: Book
    costs: Card
    counts: Mapping[str, Count] = field(default_factory=dict)
    """What counts tokens that no supplier counted, by model id; by their bytes where a model is absent."""
    sizes: Sizes = field(default_factory=Sizes)
    """What is known of the lengths of answers, for products that hold by them."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request that can be served, once `amount` (nano-units) is held. `terms` also settle it."""

    ask: Ask
    model: Model
    bridge: Bridge
    body: Mapping[str, Any]
    """What the supplier gets."""
    terms: Terms
    amount: int
    draft: UsageEvent
    excess: int = 0
    """What the dearest outcome that the request allows costs beyond `amount`, where the book holds for the usual answer only."""
    count: Count = by_bytes
    rates: Rates = UNLIMITED
    """What the caller's key may ask for."""
    broken_off_free: bool = False


def order(shop: Shop, principal: Principal, ask: Ask, *, event: str, at: int) -> Order:
    """Return the order of a request, else Refusal: 404 for the product, 400 for the tier, the bounds or the format, 403 for the plan."""
    book = shop.book
    product = book.products.get(ask.product)
    if product is None:
        raise unknown_product(ask.product)
    plan = _plan(book, principal)
    model = book.models[product.model]
    terms = _terms(book.cards[plan.card], ask, at)
    draft = UsageEvent(
        id=event,
        customer=principal.customer,
        plan=principal.plan,
        api_key=principal.api_key,
        product=product.id,
        tier=ask.tier,
        supplier=model.supplier,
        model=model.id,
        api=ask.api,
        at=at,
        unit=book.unit,
        currency=book.currency,
        card=terms.source,
        cost_card="",
        book=book.id,
        project=principal.project,
    )
    bridge = find_bridge(ask.api, book.suppliers[model.supplier])
    most = bounds(ask, model)
    likely = _likely(most, ask, shop.sizes.quantile(product.id, product.hold_percentile) if product.hold_percentile else None)
    amount = worst(terms, likely).nano
    return Order(
        ask,
        model,
        bridge,
        bridge.request(ask, model),
        terms,
        amount,
        draft,
        excess=worst(terms, most).nano - amount if likely is not most else 0,
        count=shop.counts.get(model.id, by_bytes),
        rates=plan.rates,
        broken_off_free=product.broken_off_free,
    )


def _likely(most: Bounds, ask: Ask, length: int | None) -> Bounds:
    """Return the bounds of an answer of the usual length, where one is known and the request allows more."""
    if length is None or length * ask.choices >= most.output_tokens:
        return most
    return replace(most, output_tokens=length * ask.choices)


def sold(shop: Shop, principal: Principal, at: int) -> list[Mapping[str, Any]]:
    """Return the products of the caller's plan that have a price now, as OpenAI lists models. `created` is in seconds."""
    card = shop.book.cards[_plan(shop.book, principal).card]
    listed: list[Mapping[str, Any]] = []
    for product in shop.book.products.values():
        since = [dated[0].since for (name, _), dated in card.cells.items() if name == product.id and dated[0].since <= at]
        if since:
            listed.append({"id": product.id, "object": "model", "created": min(since) // SECOND, "owned_by": shop.book.name})
    return listed


def _plan(book: Book, principal: Principal) -> Plan:
    plan = book.plans.get(principal.plan)
    if plan is None:
        raise Refusal(403, "unknown_plan", f"Your plan `{principal.plan}` is no longer offered. Ask the operator to move you to another.")
    return plan


def _terms(card: Card, ask: Ask, at: int) -> Terms:
    try:
        return card.terms(ask.product, ask.tier, at)
    except PriceError as error:
        tiers = sorted(tier for product, tier in card.cells if product == ask.product)
        if tiers and error.code == "unknown_cell":
            why = f"`{ask.product}` is sold at the service tiers {', '.join(tiers)}, not at `{ask.tier}`."
            raise bad_request(why, "service_tier") from None
        raise unknown_product(ask.product) from None
