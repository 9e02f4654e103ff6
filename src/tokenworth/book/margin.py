"""The margin of every product, tier and unit of every card, at the check date and whenever a rate or a cost changes after it.

A rate is worth what the cheapest plan that uses the card makes of it: the fee over the included units, or the price of a credit. A card that
no plan uses yet is held to the cheapest of all plans. Promotional units bring nothing and do not count. All figures are exact: pico-units of
currency per unit, as integers and fractions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, groupby
from itertools import product as product_of
from math import ceil

from tokenworth.book.model import Book, Model
from tokenworth.core.money import NANO
from tokenworth.core.units import UNITS
from tokenworth.price.card import DEFAULT_TIER, Card, Terms

MIX = ""
"""In place of a model: all that serve a product."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What one unit of a card is worth in currency, and the plan that makes it so cheap."""

    value: Fraction
    plan: str


@dataclass(frozen=True, slots=True)
class Row:
    """One rate against its cost, for requests of more than `above` input tokens, as found at an instant.

    `model` is one of the models that serve the product, or MIX for all of them: then the cost is what they cost by their weights.
    """

    card: str
    product: str
    tier: str
    unit: str
    above: int
    at: int
    rate: int
    """Pico-units of the card's unit."""
    worth: Worth
    cost: int
    """Pico-units of currency per unit."""
    source: str
    step: int
    """`above` of the card's own step that holds."""
    loss_leader: str
    model: str = ""
    alone: bool = True
    """Whether one model alone serves the product."""

    @property
    def price(self) -> Fraction:
        """Pico-units of currency per unit, on the cheapest plan."""
        return self.rate * self.worth.value

    @property
    def below_cost(self) -> bool:
        """Whether the rate brings less than the unit costs."""
        return self.price < self.cost

    @property
    def margin(self) -> Fraction | None:
        """Share of the price that is left after the cost; None where the price is zero."""
        return 1 - Fraction(self.cost) / self.price if self.price else None

    @property
    def rank(self) -> tuple[bool, Fraction]:
        """Sorts by margin; a price of zero for something that costs comes first."""
        return (self.margin is not None or not self.below_cost, self.margin if self.margin is not None else Fraction(1))

    @property
    def enough(self) -> int:
        """The least rate that is not below cost, in pico-units of the card's unit."""
        return ceil(self.cost / self.worth.value)


@dataclass(frozen=True, slots=True)
class Cell:
    """Terms that are sold and terms that are bought, of one product and tier of a card, from an instant on. No `cost`: none is known."""

    card: str
    product: str
    tier: str
    model: Model
    at: int
    sold: Terms
    cost: Terms | None
    weight: int = 1
    alone: bool = True
    """Whether it is the only model that serves the product."""


def worth(book: Book, card: str) -> Worth | None:
    """Return the least that a unit of a card is worth on any plan; None where no plan makes it worth anything."""
    found = []
    for plan in [plan for plan in book.plans.values() if plan.card == card] or book.plans.values():
        if plan.credit_price:
            found.append(Worth(Fraction(plan.credit_price, NANO), plan.id))
        if plan.fee and plan.included:
            found.append(Worth(Fraction(plan.fee, plan.included), plan.id))
    return min(found, key=lambda one: (one.value, one.plan), default=None)


def cells(book: Book, costs: Card, at: int) -> Iterator[Cell]:
    """Yield what is sold and bought at an instant, and again at every later one at which the terms of either change."""
    for card in book.cards.values():
        for (product, tier), dated in card.cells.items():
            weights = book.products[product].weights
            bought = {id_: _bought(book.models[id_], tier, costs) for id_ in weights}
            later = {terms.since for terms in chain(dated, *bought.values()) if terms.since > at}
            for instant, (id_, weight) in product_of(sorted({at, *later}), weights.items()):
                if sold := in_force(dated, instant):
                    cost = in_force(bought[id_], instant)
                    yield Cell(card.id, product, tier, book.models[id_], instant, sold, cost, weight, alone=len(weights) == 1)


def _bought(model: Model, tier: str, costs: Card) -> Sequence[Terms]:
    return costs.cells.get((model.id, tier if tier in model.tiers else DEFAULT_TIER), ())


def in_force(dated: Sequence[Terms], at: int) -> Terms | None:
    """Return the last terms that begin by an instant, if any do."""
    return next((terms for terms in reversed(dated) if terms.since <= at), None)


def rows(found: Sequence[Cell], book: Book) -> Iterator[Row]:
    """Yield each cell's rates with their costs; of later instants only what differs from the row before."""
    before: dict[tuple[str, str, str, str, int, str], tuple[int, int]] = {}
    values = {id_: worth(book, id_) for id_ in book.cards}
    for _, group in groupby(found, key=lambda cell: (cell.card, cell.product, cell.tier, cell.at)):
        cells_ = list(group)
        value = values[cells_[0].card]
        each = [(cell, list(_rows(cell, value, book.loss_leaders))) for cell in cells_] if value else []
        for row in chain(*(made for _, made in each), _mixed(each)):
            key = (row.card, row.product, row.tier, row.unit, row.above, row.model)
            if before.get(key) != (row.rate, row.cost):
                before[key] = (row.rate, row.cost)
                yield row


def _mixed(each: Sequence[tuple[Cell, Sequence[Row]]]) -> Iterator[Row]:
    """Yield what the models of a mix cost together, by their weights, rounded up; of the units and bands that all with a weight have."""
    weighted = [(cell.weight, {(row.unit, row.above): row for row in made}) for cell, made in each if cell.weight]
    if len(each) < 2 or not weighted:
        return
    total = sum(weight for weight, _ in weighted)
    for key, row in weighted[0][1].items():
        if all(key in made for _, made in weighted):
            cost = sum(weight * made[key].cost for weight, made in weighted)
            yield replace(row, model=MIX, cost=-(-cost // total))


def _rows(cell: Cell, value: Worth, loss_leaders: Mapping[str, str]) -> Iterator[Row]:
    """Yield a row per unit and band; a band begins where a step of either side does, and the context ends them."""
    if cell.cost is None:
        return
    for above in sorted({step.above for terms in (cell.sold, cell.cost) for step in terms.steps if step.above < cell.model.context}):
        step, sold = rates_above(cell.sold, above)
        _, cost = rates_above(cell.cost, above)
        for unit in UNITS:
            if unit not in sold or unit not in cost or _same(unit, sold, cost):
                continue
            yield Row(
                card=cell.card,
                product=cell.product,
                tier=cell.tier,
                unit=unit,
                above=above,
                at=cell.at,
                rate=sold[unit],
                worth=value,
                cost=cost[unit],
                source=cell.sold.source,
                step=step,
                loss_leader=loss_leaders.get(cell.sold.source, ""),
                model=cell.model.id,
                alone=cell.alone,
            )


def rates_above(terms: Terms, above: int) -> tuple[int, Mapping[str, int]]:
    """Return the step that holds just above a size: its own `above`, and its rates."""
    step = [step for step in terms.steps if step.above <= above][-1]
    return step.above, step.rates


def _same(unit: str, sold: Mapping[str, int], cost: Mapping[str, int]) -> bool:
    """Whether a unit is bought and sold as another one is, whose row says all."""
    other = UNITS[unit].billed_as
    return other in sold and other in cost and (sold[unit], cost[unit]) == (sold[other], cost[other])
