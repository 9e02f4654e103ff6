"""From a request and its caller to an order: which product, model and terms, and what must be held for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tokenworth.book.model import ANY, ORDERLY, RANKS, STANDARD_TIERS, UNLIMITED, Asking, Book, Model, Plan, Rates, Tier
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import PriceError
from tokenworth.core.instants import SECOND
from tokenworth.flows.ports import Principal
from tokenworth.flows.serve.makers import Maker, Place, lone_maker, makers
from tokenworth.flows.serve.refusal import Refusal, bad_request, unknown_product
from tokenworth.flows.serve.wire.ask import Ask, bounds
from tokenworth.flows.serve.wire.format import Bridge
from tokenworth.flows.serve.wire.tap import Asked, Tap
from tokenworth.flows.serve.wire.text import Count
from tokenworth.flows.sizes import Sizes
from tokenworth.price.card import DEFAULT_TIER, Card, Terms
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
    """A request that can be served, once `amount` (nano-units) is held, by `maker` or one of `others`. `terms` also settle it."""

    ask: Ask
    maker: Maker
    terms: Terms
    amount: int
    draft: UsageEvent
    others: tuple[Maker, ...] = ()
    excess: int = 0
    """What the dearest outcome that the request allows costs beyond `amount`, where the book holds for the usual answer only."""
    rates: Rates = UNLIMITED
    """What the caller's key may ask for."""
    broken_off_free: bool = False
    card: Card | None = None
    """Where the rates of lower tiers are; None where there are none."""
    tier: Tier = STANDARD_TIERS[DEFAULT_TIER]
    asking: Asking = ORDERLY

    @property
    def model(self) -> Model:
        """The model that serves it."""
        return self.maker.model

    @property
    def bridge(self) -> Bridge:
        """The bridge to the model's supplier."""
        return self.maker.bridge

    @property
    def body(self) -> Mapping[str, Any]:
        """What the supplier gets."""
        return self.maker.body

    @property
    def count(self) -> Count:
        """What counts tokens that the supplier did not."""
        return self.maker.count

    def tap(self) -> Tap:
        """Return a new reader of its answer."""
        return self.bridge.tap(Asked(self.ask, self.model, self.draft.at, self.count))

    def by(self, maker: Maker) -> "Order":
        """Return the order as another model serves it: the same to the customer."""
        if maker is self.maker:
            return self
        return replace(self, maker=maker, draft=self.draft._replace(model=maker.model.id, supplier=maker.model.supplier))


def order(shop: Shop, principal: Principal, ask: Ask, *, event: str, at: int) -> Order:
    """Return the order of a request, else Refusal: 404 for the product, 400 for the tier, the bounds or the format, 403 for the plan."""
    book = shop.book
    product = book.products.get(ask.product)
    if product is None:
        raise unknown_product(ask.product)
    plan = _plan(book, principal)
    card = book.cards[plan.card]
    if (product.id, principal.tier) in card.cells:
        ask = _at_tier(ask, principal.tier)
    terms = _terms(card, ask, at)
    if product.mix or product.rules is not ANY:
        first, *others = makers(Place(book, shop.costs, shop.counts), product, ask, at)
    else:
        first, others = lone_maker(book, shop.counts, product, ask), []
    draft = UsageEvent(
        id=event,
        customer=principal.customer,
        plan=principal.plan,
        api_key=principal.api_key,
        product=product.id,
        tier=ask.tier,
        supplier=first.model.supplier,
        model=first.model.id,
        api=ask.api,
        at=at,
        unit=book.unit,
        currency=book.currency,
        card=terms.source,
        cost_card="",
        book=book.id,
        project=principal.project,
        streamed=int(ask.stream),
    )
    length = shop.sizes.quantile(product.id, product.hold_percentile) if product.hold_percentile else None
    amount, most = _amounts(terms, ask, (first, *others), length)
    return Order(
        ask,
        first,
        terms,
        amount,
        draft,
        others=tuple(others),
        excess=most - amount,
        rates=plan.rates,
        broken_off_free=product.broken_off_free,
        card=card,
        tier=book.tiers[ask.tier],
        asking=product.asking,
    )


def _at_tier(ask: Ask, tier: str) -> Ask:
    """Return a request that names no tier as one at its key's."""
    if ask.body.get("service_tier") not in (None, "auto"):
        return ask
    return replace(ask, tier=tier, body={**ask.body, "service_tier": tier})


def _amounts(terms: Terms, ask: Ask, candidates: Iterable[Maker], length: int | None) -> tuple[int, int]:
    """Return what to hold, and what the dearest outcome costs: each the most over all who may serve, whose contexts and limits differ."""
    most = [bounds(ask, maker.model) for maker in candidates]
    if length is None and len(most) == 1:
        amount = worst(terms, most[0]).nano
        return amount, amount
    likely = [_likely(each, ask, length) for each in most]
    amount = max(worst(terms, each).nano for each in likely)
    return amount, amount if likely == most else max(worst(terms, each).nano for each in most)


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
        tiers = sorted((tier for product, tier in card.cells if product == ask.product), key=RANKS.__getitem__)
        if tiers and error.code == "unknown_cell":
            why = f"`{ask.product}` is sold at the service tiers {', '.join(tiers)}, not at `{ask.tier}`."
            raise bad_request(why, "service_tier") from None
        raise unknown_product(ask.product) from None
