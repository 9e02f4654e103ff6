"""What usage from elsewhere is worth: product and model by the book, charge and cost at its own time."""

import re
from collections.abc import Iterator

from tokenworth.book.model import Book, Model, Product
from tokenworth.book.suggest import did_you_mean
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.errors import InputError, PriceError
from tokenworth.flows.elsewhere.reported import Reported
from tokenworth.flows.ports import Buyer
from tokenworth.flows.serve.order import Shop
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import DEFAULT_TIER, Card, Terms
from tokenworth.price.rate import charge, with_request

VERSION = re.compile(r"[-@][0-9]{4}-?[0-9]{2}-?[0-9]{2}$")
"""What a dated version's name has after its model's."""
ESTIMATED = "estimated_elsewhere"
FAILED = "failed_elsewhere"
UNCOSTED = "uncosted"
FROM_CACHE = "answered from a cache"
"""Instead of a cost card, where no supplier was asked."""


class Unrated(InputError):  # noqa: N818 - what is said instead of an event
    """Why a use cannot be rated; `field` is what of it says so."""

    def __init__(self, code: str, what: str, mend: str, field: str) -> None:
        """Say why, the mend, and the field."""
        super().__init__(what, mend=mend, code=code)
        self.field = field


def rate(shop: Shop, buyer: Buyer, reported: Reported) -> UsageEvent:
    """Return the event of a use: rated with the terms in force at its own time on the plan that its customer has now. Unrated says why not."""
    book = shop.book
    plan = book.plans.get(buyer.plan)
    if plan is None:
        raise Unrated("unknown_plan", f"{buyer.customer} is on plan {buyer.plan}, which the book does not have", "move the customer", "customer")
    product = _product(book, reported)
    model = _model(book, product, reported)
    usage, terms = Usage(reported.counts), _terms(book.cards[plan.card], product.id, reported)
    cost, cost_card = _cost(usage, shop.costs, model, reported)
    status, alarm = _status(reported, cost_card)
    sold = usage if reported.failed else with_request(usage, terms)
    return UsageEvent(
        id=reported.event,
        customer=buyer.customer,
        plan=plan.id,
        api_key=reported.api_key,
        product=product.id,
        tier=reported.tier,
        supplier=model.supplier,
        model=model.id,
        api=reported.feed,
        at=reported.at,
        unit=book.unit,
        currency=book.currency,
        card=terms.source,
        cost_card=cost_card,
        book=book.id,
        status=status,
        ended=reported.ended,
        counts=sold.counts,
        cost=cost,
        first_token=reported.first_token,
        alarm=alarm,
        project=_project(buyer, reported),
        charge=_charge(sold, terms),
    )


def models_of(book: Book, product: Product) -> list[Model]:
    """Return the models that may serve a product."""
    return [book.models[id_] for id_ in product.weights]


def _product(book: Book, reported: Reported) -> Product:
    if reported.product:
        if reported.product in book.products:
            return book.products[reported.product]
        mend = did_you_mean(reported.product, book.products)
        raise Unrated("unknown_product", f"the book has no product {reported.product}", mend, "product")
    for name in reported.asked:
        if name in book.products:
            return book.products[name]
    for name in (*reported.served, *reported.asked):
        models = {model.id for model in _named(book, name)}
        found = [each for each in book.products.values() if models & {model.id for model in models_of(book, each)}]
        if len(found) > 1:
            listed = " and ".join(each.id for each in found)
            raise Unrated("ambiguous_product", f"{name} serves {listed}: which of them was sold is not told", "name the product", "product")
        if found:
            return found[0]
    names = ", ".join(dict.fromkeys((*reported.asked, *reported.served))) or "nothing"
    mend = "name the product, or add the model to a product of the book"
    raise Unrated("unknown_product", f"it names {names}, and no product of the book is or is served by that", mend, "product")


def _model(book: Book, product: Product, reported: Reported) -> Model:
    """Return the model whose cost it is: the one named, or the only one of its product."""
    for name in reported.served:
        found = list(_named(book, name))
        mine = [model for model in found if model in models_of(book, product)]
        if len(mine or found) == 1:
            return (mine or found)[0]
    if reported.served:
        names = ", ".join(reported.served)
        raise Unrated("unknown_model", f"no model of the book is {names}, so its cost is not known", "add the model to the book", "model")
    possible = models_of(book, product)
    if len(possible) > 1:
        names = ", ".join(model.id for model in possible)
        raise Unrated("unknown_model", f"{product.id} is served by {names}: which of them it was is not told", "name the model", "model")
    return possible[0]


def _named(book: Book, name: str) -> Iterator[Model]:
    """Yield the models that a name means: their id, the supplier's name with or without the provider, or a dated version of it."""
    for each in dict.fromkeys((name, VERSION.sub("", name))):
        found = [model for model in book.models.values() if each in (model.id, model.name, model.list_price, f"{model.supplier}/{model.name}")]
        yield from found
        if found:
            return


def _terms(card: Card, product: str, reported: Reported) -> Terms:
    """Return what is asked for the product at the use's own time."""
    try:
        return card.terms(product, reported.tier, reported.at)
    except PriceError as error:
        field = "time" if error.code == "not_yet_priced" else "tier"
        raise Unrated(error.code, error.what, error.mend or "add rates to the card", field) from None


def _charge(usage: Usage, terms: Terms) -> int:
    try:
        return charge(usage, terms).nano
    except PriceError as error:
        raise Unrated("unpriced", error.what, error.mend, "counts") from None


def _status(reported: Reported, cost_card: str) -> tuple[Status, str]:
    """Return the event's status and alarm: the gravest of what is to be said."""
    if reported.failed:
        return Status.FAILED, FAILED
    if reported.estimated:
        return Status.ESTIMATED, ESTIMATED
    return Status.OK, "" if cost_card else UNCOSTED


def _cost(usage: Usage, costs: Card, model: Model, reported: Reported) -> tuple[int, str]:
    """Return nano-units of the currency and what was cited for them: nothing where no rate is known."""
    if reported.from_cache:
        return 0, FROM_CACHE
    tier = reported.tier if reported.tier in model.tiers else DEFAULT_TIER
    try:
        terms = costs.terms(model.id, tier, reported.at)
        return charge(usage if reported.failed else with_request(usage, terms), terms).nano, terms.source
    except PriceError:
        return 0, ""


def _project(buyer: Buyer, reported: Reported) -> str:
    if not reported.api_key:
        return reported.project
    if reported.api_key not in buyer.keys:
        mend = "name a key's id as `tokenworth keys list` shows it, or none"
        raise Unrated("unknown_key", f"{buyer.customer} has no key {reported.api_key}", mend, "api_key")
    return reported.project or buyer.keys[reported.api_key]
