"""A shop: a book that can be served, what it costs, how tokens are counted that no supplier counted, and how long answers are."""

from pathlib import Path

from tokenworth.book.guard import check_margins
from tokenworth.book.load import load, place
from tokenworth.book.model import Book
from tokenworth.core.errors import BookError, Problem
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.wire.text import Count
from tokenworth.flows.sizes import GENERATION, Sizes
from tokenworth.suppliers.tokens import counter
from tokenworth.wiring.clock import now
from tokenworth.wiring.costs import cost_card, list_price_problem
from tokenworth.wiring.ledgers import Where, open_reader

RECENT = 2 * GENERATION
"""Answers of the ledger that are read at the start: as many as are remembered of a book's only product."""


def open_shop(folder: Path) -> Shop:
    """Load a book with its costs; BookError where `tokenworth check` would find an error, rates below cost among them."""
    shop, problems = shop_of(load(folder, list_price_problem))
    if problems:
        raise BookError([place(problem, folder) for problem in problems])
    return shop


def shop_of(book: Book) -> tuple[Shop, list[Problem]]:
    """Return the shop of a book, and what must be mended before it is served: margins that are errors."""
    costs = cost_card(book)
    errors = [problem for problem in check_margins(book, costs, now()).problems if problem.severity == "error"]
    return Shop(book, costs, counts_of(book)), errors


def counts_of(book: Book) -> dict[str, Count]:
    """Return what counts tokens, by model id; InputError where a tokenizer is named that is not installed."""
    return {model.id: counter(model.tokenizer) for model in book.models.values()}


def sizes_of(book: Book, database: Where) -> Sizes:
    """Return what a ledger tells of the lengths of answers, where a product of the book holds by them."""
    if not any(product.hold_percentile for product in book.products.values()):
        return Sizes()
    with open_reader(database) as reader:
        return Sizes(reader.lengths(RECENT))
