"""A running gateway follows the book in force: `tokenworth apply` stores a version, and requests that come after it are served by it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace

from tokenworth.book.load import load_files
from tokenworth.book.model import Book
from tokenworth.core.errors import BookError, TokenworthError
from tokenworth.flows.ports import Supplier
from tokenworth.flows.serve.edition import Edition
from tokenworth.flows.serve.order import Shop
from tokenworth.flows.serve.service import Service
from tokenworth.store.sqlite.books import BookVersion, latest, latest_number
from tokenworth.wiring.ledgers import Where, open_connection
from tokenworth.wiring.shop import shop_of

POLL_SECONDS = 1.0
Make = Callable[[Book], Mapping[str, Supplier]]
log = logging.getLogger(__name__)


@asynccontextmanager
async def following(service: Service, database: Where, make: Make, *, every: float = POLL_SECONDS) -> AsyncGenerator[None, None]:
    """Follow the book in force until the block ends; `make` makes a book's suppliers."""
    task = asyncio.create_task(_follow(service, database, make, every=every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(service: Service, database: Where, make: Make, *, every: float) -> None:
    with closing(await asyncio.to_thread(open_connection, database)) as db:
        seen = -1
        while True:
            try:
                number = await asyncio.to_thread(latest_number, db)
                if number != seen and (version := await asyncio.to_thread(latest, db)) is not None:
                    seen = number
                    await _take(service, version, make)
            except TokenworthError as error:
                # a database that cannot be asked for a while is for the ledger to complain of
                log.warning("whether there is a new book is not known: %s", error)
            await asyncio.sleep(every)


async def _take(service: Service, version: BookVersion, make: Make) -> None:
    """Serve a version from now on; where it cannot be served, go on with the one before."""
    if version.id == service.edition.shop.book.id:
        return
    try:
        shop = await asyncio.to_thread(_open, version)
        made = make(shop.book)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a new version must not stop the old one
        # what we know of needs no traceback
        say = log.error if isinstance(error, TokenworthError) else log.exception
        say("ALARM: book %s cannot be served, %s goes on: %s", version.id[:12], service.edition.shop.book.id[:12], error)
        return
    before = service.edition
    shop = replace(shop, sizes=before.shop.sizes)
    service.change(Edition(shop, {id_: _same(id_, shop.book, before) or supplier for id_, supplier in made.items()}))
    log.info("book %s is served instead of %s", version.id[:12], before.shop.book.id[:12])


def _open(version: BookVersion) -> Shop:
    shop, problems = shop_of(load_files(version.files))
    if problems:
        raise BookError(problems)
    return shop


def _same(id_: str, book: Book, before: Edition) -> Supplier | None:
    """Return a supplier that is in both editions as it is: with its connections."""
    old = before.shop.book
    return before.suppliers[id_] if id_ in old.suppliers and _declared(id_, old) == _declared(id_, book) else None


def _declared(id_: str, book: Book) -> object:
    """Return all that a supplier is made of."""
    return book.suppliers[id_], [model for model in book.models.values() if model.supplier == id_]
