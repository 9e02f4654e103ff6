"""What a shop knows besides its book: how tokens are counted that no supplier counted, and how long answers are."""

from tokenworth.book.model import Book
from tokenworth.flows.serve.wire.text import Count
from tokenworth.flows.sizes import GENERATION, Sizes
from tokenworth.suppliers.tokens import counter
from tokenworth.wiring.ledgers import Where, open_reader

RECENT = 2 * GENERATION
"""Answers of the ledger that are read at the start: as many as are remembered of a book's only product."""


def counts_of(book: Book) -> dict[str, Count]:
    """Return what counts tokens, by model id; InputError where a tokenizer is named that is not installed."""
    return {model.id: counter(model.tokenizer) for model in book.models.values()}


def sizes_of(book: Book, database: Where) -> Sizes:
    """Return what a ledger tells of the lengths of answers, where a product of the book holds by them."""
    if not any(product.hold_percentile for product in book.products.values()):
        return Sizes()
    with open_reader(database) as reader:
        return Sizes(reader.lengths(RECENT))
