"""What a book's models cost: the suppliers' list prices, overridden by the costs that the book states."""

import dataclasses
from collections.abc import Iterator, Mapping

from tokenworth.book.model import Book, Model
from tokenworth.book.places import Places
from tokenworth.core.errors import BookError, InputError, PriceError, Problem
from tokenworth.feeds import list_prices
from tokenworth.price.card import DEFAULT_TIER, Card, Terms

Cells = Mapping[tuple[str, str], tuple[Terms, ...]]


def cost_card(book: Book) -> Card:
    """Return the cost card of a book by (model id, supplier's tier), in the book's currency; where the book states a cost, it alone holds.

    Raises BookError with every model whose cost cannot be known: it is not in the list, its price changes by the time of day, or the book's
    currency is not the list's.
    """
    cells: dict[tuple[str, str], tuple[Terms, ...]] = {}
    problems = []
    for model in book.models.values():
        if model.list_price and any((model.id, tier) not in book.costs.cells for tier in (DEFAULT_TIER, *model.tiers)):
            found = _listed(model, book.currency)
            if isinstance(found, Problem):
                problems.append(dataclasses.replace(found, file=model.id))
            else:
                cells.update(found)
    if problems:
        raise BookError(list(_placed(book, problems)))
    return Card("costs", book.currency, cells | dict(book.costs.cells))


def list_price_problem(model: Model, currency: str) -> Problem | None:
    """Return what keeps the list from saying what a model costs in a currency; its place is the caller's to say."""
    found = _listed(model, currency)
    return found if isinstance(found, Problem) else None


def _listed(model: Model, currency: str) -> Cells | Problem:
    """Return a model's list prices, or what stands in the way."""
    cost = f"state what it costs in [[models.{model.id}.cost]]"
    if currency != list_prices.CURRENCY:
        what = f"list prices are in {list_prices.CURRENCY}, and the book is in {currency}"
        return Problem("list_price_currency", what, f"{cost}, in {currency}, and remove list_price", field="list_price")
    try:
        return list_prices.cost_card([model]).cells
    except (PriceError, InputError) as error:
        code = error.code if isinstance(error, InputError) else "unknown_list_price"
        return Problem(code, error.what, error.mend or cost, field="list_price")


def _placed(book: Book, problems: list[Problem]) -> Iterator[Problem]:
    places = Places(book)
    for problem in problems:
        yield places.section("models", problem.file, dataclasses.replace(problem, file=""))
