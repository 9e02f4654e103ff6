"""Suppliers' list prices, from the package genai-prices and its own snapshot; nothing is fetched.

Its prices become terms of a card, billed as it bills them: a unit takes the price of the most specific listed unit whose dimensions it has, and a
long-context tier holds for the whole request. A unit that no listed price covers gets no rate, so using it is an error, never zero.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Any

from genai_prices import types as genai
from genai_prices.data_snapshot import get_snapshot
from genai_prices.data_units import unit_data

from tokenworth.book.model import Model
from tokenworth.core.errors import InputError, PriceError
from tokenworth.core.instants import from_datetime, to_datetime
from tokenworth.core.money import round_rate
from tokenworth.core.units import UNITS
from tokenworth.price.card import DEFAULT_TIER, Card, Terms, compile_terms

CURRENCY = "USD"
Constraint = genai.StartDateConstraint | genai.TimeOfDateConstraint
FREE = ":free"
"""How OpenRouter names variants that cost nothing; the package lists no price for them."""
WORDS = {"cache": {"read": "cache_read", "write": "cache_write"}, "origin": {"tool": "tool"}, "kind": {}}
"""Our dimensions that the package files under `token_type`, and its word for each value where it is another."""


@dataclass(slots=True)
class ListPrices:
    """The list, with terms kept once made, by their source: it names the model, the context, and every date and hour that chose the price."""

    _terms: dict[str, Terms] = field(default_factory=dict)

    def terms(self, provider: str, model: str, at: int, context: Mapping[str, str] | None = None) -> Terms:
        """Return list prices (USD) in force at an instant; PriceError names an unknown provider, model or context."""
        owner, info = find(provider, model)
        moment, asked = to_datetime(at), dict(context or {})
        _check_context(owner, info, moment, asked)
        source = _source(owner, info, moment, asked)
        if source not in self._terms:
            price = info.get_prices(moment, asked)
            free = owner.id == "openrouter" and info.id.endswith(FREE) and not price.__dict__
            self._terms[source] = _free(source) if free else _compile(price, since=_since(info, moment, asked), source=source)
        return self._terms[source]


def find(provider: str, model: str) -> tuple[genai.Provider, genai.ModelInfo]:
    """Return the package's provider and model for names as people and payloads write them, else PriceError."""
    try:
        owner = get_snapshot().find_provider(None, provider, None)
    except LookupError:
        raise PriceError(
            f"provider {provider!r} is not in the price list", mend="state `cost` in the book, or check the name", code="unknown_provider"
        ) from None
    try:
        return get_snapshot().find_provider_model(model, owner, None, None)
    except LookupError:
        raise PriceError(
            f"model {model!r} of {owner.id} is not in the price list",
            mend="state `cost` in the book, or check the name",
            code="unknown_model",
        ) from None


def cost_card(models: Iterable[Model]) -> Card:
    """Return the dated cost card of models that name a list price, by (model id, tier).

    Tiers are the default, and those that the model passes on. Raises PriceError for unknown models and InputError for prices that change
    by the time of day, which a dated card cannot hold.
    """
    prices = ListPrices()
    cells: dict[tuple[str, str], tuple[Terms, ...]] = {}
    for model in models:
        if not model.list_price:
            continue
        provider, _, name = model.list_price.partition("/")
        _, info = find(provider, name)
        starts = sorted(_starts(model, info))
        for tier in (DEFAULT_TIER, *model.tiers):
            context = {} if tier == DEFAULT_TIER else {"service_tier": tier}
            dated = list(_dated(prices, (provider, name), starts, context))
            if not dated:
                # refused with the reason
                prices.terms(provider, name, starts[-1], context)
            cells[model.id, tier] = tuple(dated)
    return Card("list", CURRENCY, cells)


def _dated(prices: ListPrices, name: tuple[str, str], starts: list[int], context: Mapping[str, str]) -> Iterator[Terms]:
    for start in starts:
        try:
            terms = prices.terms(*name, start, context)
        except PriceError:
            # a tier that is listed from a later date on
            continue
        yield replace(terms, since=start)


def _starts(model: Model, info: genai.ModelInfo) -> set[int]:
    """Return the instants at which a model's price changes, 0 for the oldest known."""
    conditions = info.prices if isinstance(info.prices, list) else []
    starts = {0}
    for condition in [*conditions, *(info.price_variants or ())]:
        if isinstance(condition.constraint, genai.TimeOfDateConstraint):
            raise InputError(
                f"the list price of {model.list_price} changes by the time of day",
                mend=f"state its price in the book: [[models.{model.id}.cost]]",
                code="time_of_day_price",
            )
        if condition.constraint is not None:
            starts.add(_midnight(condition.constraint))
    return starts


def _midnight(constraint: genai.StartDateConstraint) -> int:
    return from_datetime(datetime.combine(constraint.start_date, time(), UTC))


def _check_context(owner: genai.Provider, info: genai.ModelInfo, moment: datetime, context: Mapping[str, str]) -> None:
    """Refuse what is not listed: no variant, none yet, two contexts of which nobody says what they cost together, another provider's model."""
    if not context:
        return
    named = f"{owner.id}/{info.id} has no list price for {' with '.join(f'{key} {value!r}' for key, value in context.items())}"
    mend = "state `cost` in the book"
    listed = [v for v in info.price_variants or () if _own(owner, info) and v.when == context]
    if not listed:
        raise PriceError(named, mend=mend, code="unknown_context")
    if not any(v.constraint is None or v.constraint.active(moment) for v in listed):
        raise PriceError(f"{named} on {moment:%Y-%m-%d}", mend=mend, code="unknown_context")


def _active(info: genai.ModelInfo, moment: datetime, context: Mapping[str, str]) -> Iterator[Constraint]:
    """Yield the constraints that hold at a moment, of the model's prices and of the variants of a context."""
    conditions = info.prices if isinstance(info.prices, list) else []
    variants = [v for v in info.price_variants or () if v.when.items() <= context.items()]
    for constraint in [*(c.constraint for c in conditions), *(v.constraint for v in variants)]:
        if constraint is not None and constraint.active(moment):
            yield constraint


def _since(info: genai.ModelInfo, moment: datetime, context: Mapping[str, str]) -> int:
    """Return the start of the price in force: the latest start date that has come, 0 where none is listed."""
    dates = [_midnight(each) for each in _active(info, moment, context) if isinstance(each, genai.StartDateConstraint)]
    return max(dates, default=0)


def _source(owner: genai.Provider, info: genai.ModelInfo, moment: datetime, context: Mapping[str, str]) -> str:
    since = _since(info, moment, context)
    dated = f" from {to_datetime(since):%Y-%m-%d}" if since else ""
    hours = [each for each in _active(info, moment, context) if isinstance(each, genai.TimeOfDateConstraint)]
    daily = "".join(f" {each.start_time:%H:%M}-{each.end_time:%H:%M}" for each in hours)
    special = "".join(f" {key}={value}" for key, value in sorted(context.items()))
    lent = "" if _own(owner, info) else " (another provider's price)"
    return f"{_package()} {owner.id}/{info.id}{lent}{dated}{daily}{special}"


def _own(owner: genai.Provider, info: genai.ModelInfo) -> bool:
    """Whether a provider lists a model itself; for some, the package falls back on those whose models they serve."""
    return any(info is each for each in owner.models)


@cache
def _package() -> str:
    return f"genai-prices {version('genai-prices')}"


def _compile(price: genai.ModelPrice, *, since: int, source: str) -> Terms:
    """Turn a price object into terms; rates of more than six decimals are rounded half-even, and the source says so."""
    listed = {key: value for key, value in price.__dict__.items() if value is not None}
    starts = {0} | {tier.start for value in listed.values() if isinstance(value, genai.TieredPrices) for tier in value.tiers}
    if not listed:
        raise PriceError(f"{source} lists no price at all", mend="state `cost` in the book", code="unknown_model")
    steps: dict[int, dict[str, int]] = {}
    rounded = False
    for start in sorted(starts):
        steps[start] = {}
        for name in UNITS:
            key = _price_key(name, frozenset(listed))
            if key:
                per = unit_data_by_price()[key]["per"]
                steps[start][name], inexact = round_rate(_at(listed[key], start), per)
                rounded = rounded or inexact
    return compile_terms(currency=CURRENCY, since=since, source=source + (" (rounded to six decimals)" if rounded else ""), steps=steps)


def _free(source: str) -> Terms:
    zero = {name: 0 for name, unit in UNITS.items() if unit.direction}
    return compile_terms(currency=CURRENCY, since=0, source=f"{source} (free)", steps={0: zero})


def _at(value: "Decimal | genai.TieredPrices", start: int) -> Decimal:
    """Return the price of a request whose input is just above `start`."""
    if isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if tier.start <= start and start]
    return reached[-1] if reached else value.base


@cache
def unit_data_by_price() -> Mapping[str, Mapping[str, Any]]:
    """Return the package's units by the key of their price."""
    return {unit["price_key"]: unit for unit in unit_data.values()}


@cache
def _price_key(name: str, listed: frozenset[str]) -> str:
    """Return the listed price that bills one of our units: the most specific whose dimensions it has, empty where there is none or two."""
    ours = _translated(name)
    units = unit_data_by_price()
    fitting = [key for key in listed if key in units and units[key]["dimensions"].items() <= ours.items()]
    most = max((len(units[key]["dimensions"]) for key in fitting), default=0)
    best = [key for key in fitting if len(units[key]["dimensions"]) == most]
    return best[0] if len(best) == 1 else ""


@cache
def _translated(name: str) -> Mapping[str, str]:
    """Return a unit's dimensions in the package's words."""
    unit = UNITS[name]
    dimensions = dict(unit.dimensions)
    out = {"modality": unit.modality} if unit.modality else {}
    for key, value in dimensions.items():
        if key in WORDS:
            out["token_type"] = WORDS[key].get(value, value)
        elif key == "ttl":
            out["cache_ttl"] = value
        elif key == "tool":
            out["tool_type"] = value
        else:
            out[key] = value
    return out
