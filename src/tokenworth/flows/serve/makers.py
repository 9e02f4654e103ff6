"""Who may serve a request: the models behind its product that keep the product's rules and can take what is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.book.model import Book, Model, Product
from tokenworth.book.rules import broken, too_dear
from tokenworth.core.errors import PriceError
from tokenworth.flows.serve.refusal import Refusal, bad_request
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.find import find_bridge
from tokenworth.flows.serve.wire.format import Bridge
from tokenworth.flows.serve.wire.text import Count, by_bytes
from tokenworth.price.card import DEFAULT_TIER, Card

FEWEST_BYTES = 3
"""Bytes a token of prompts that are taken to fit: most text has more, so a prompt that fits by it seldom turns out not to."""
MEDIA = {"image": "image", "audio": "audio", "video": "video"}
"""Modality by a word in the type of a part."""


@dataclass(slots=True)
class Maker:
    """A model that may serve a request, the bridge to its supplier, and what the supplier gets."""

    model: Model
    bridge: Bridge
    body: Mapping[str, Any]
    count: Count = by_bytes
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Place:
    """What of a shop the choice depends on."""

    book: Book
    costs: Card
    counts: Mapping[str, Count]


def lone_maker(book: Book, counts: Mapping[str, Count], product: Product, ask: Ask) -> Maker:
    """Return who serves a request of a product that has one model and no rules."""
    model = book.models[product.model]
    bridge = find_bridge(ask.api, book.suppliers[model.supplier])
    return Maker(model, bridge, bridge.request(ask, model), counts.get(model.id, by_bytes))


def makers(place: Place, product: Product, ask: Ask, at: int) -> tuple[Maker, ...]:
    """Return who may serve a request, else Refusal: 400 where no model can take what it asks for, 503 where the rules leave none."""
    weights = product.weights
    models = {id_: place.book.models[id_] for id_ in weights}
    if len(models) > 1:
        models = _roomy(_able(models, ask), ask)
    models = {id_: model for id_, model in models.items() if not _ruled_out(place, product, model, ask=ask, at=at)}
    if not models:
        raise Refusal(503, "no_model", f"No model may serve `{product.id}` now. Nothing was charged; tell the operator.")
    refusals: list[Refusal] = []
    found = tuple(_made(place, models, weights, ask, refusals=refusals))
    if not found:
        raise refusals[0]
    return found


def _made(place: Place, models: Mapping[str, Model], weights: Mapping[str, int], ask: Ask, *, refusals: list[Refusal]) -> Iterator[Maker]:
    for id_, model in models.items():
        try:
            bridge = find_bridge(ask.api, place.book.suppliers[model.supplier])
            yield Maker(model, bridge, bridge.request(ask, model), place.counts.get(id_, by_bytes), weights[id_])
        except Refusal as refusal:
            refusals.append(refusal)


def _ruled_out(place: Place, product: Product, model: Model, *, ask: Ask, at: int) -> bool:
    if any(broken(product.rules, model)):
        return True
    if not product.rules.max_cost:
        return False
    try:
        cost = place.costs.terms(model.id, ask.tier if ask.tier in model.tiers else DEFAULT_TIER, at)
    except PriceError:
        cost = None
    return bool(too_dear(product.rules, cost))


def _able(models: Mapping[str, Model], ask: Ask) -> dict[str, Model]:
    """Return the models that take what the prompt holds."""
    if ask.text_only or not any(model.modalities for model in models.values()):
        return dict(models)
    asked = media(ask.prompt)
    able = {id_: model for id_, model in models.items() if not model.modalities or asked <= model.modalities}
    if not able:
        raise bad_request(f"`{ask.product}` takes no {' and '.join(sorted(asked))}.", ask.prompt_fields[0])
    return able


def _roomy(models: Mapping[str, Model], ask: Ask) -> dict[str, Model]:
    """Return the models whose context the request fits into; those of the largest, where it fits into none."""
    size = -(-ask.size // FEWEST_BYTES) + (ask.output_limit or 0)
    largest = max(model.context for model in models.values())
    return {id_: model for id_, model in models.items() if model.context >= min(size, largest)}


def media(value: Any) -> set[str]:
    """Return the modalities other than text of the parts inside a prompt."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            kind = one.get("type")
            found.update(name for word, name in MEDIA.items() if isinstance(kind, str) and word in kind)
            waiting.extend(inner for inner in one.values() if isinstance(inner, dict | list))
        elif isinstance(one, list):
            waiting.extend(one)
    return found
