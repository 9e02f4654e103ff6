"""A service follows the book in force of its ledger, on both engines: what is new is served, what is bad is passed over."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing

import pytest

from tokenworth.book.build import digest_files
from tokenworth.book.load import load_files
from tokenworth.book.starter import starter_files
from tokenworth.store.sqlite.books import apply_book
from tokenworth.wiring.clock import now
from tokenworth.wiring.editions import following
from tokenworth.wiring.ledgers import Where, open_registry
from tokenworth.wiring.serving import open_backend, serving
from tokenworth.wiring.shop import shop_of
from tokenworth.wiring.suppliers import make_suppliers

FILES = starter_files()
OTHER = FILES | {"more.toml": "# another book\n"}
MOVED = FILES | {"suppliers.toml": FILES["suppliers.toml"].replace("speed = 20", "speed = 21").replace("# timeout", "# a timeout")}
DEAR = FILES | {
    "suppliers.toml": FILES["suppliers.toml"] + '\n[[models.kimi.cost]]\nfrom = 2026-01-01\ninput = "900"\ncache_read = "900"\noutput = "900"\n'
}
NO_KEY = FILES | {
    "suppliers.toml": FILES["suppliers.toml"] + '\n[suppliers.real]\nkind = "openai"\nbase_url = "http://x/v1"\napi_key_env = "NO_SUCH"\n'
}


def put(where: Where, files: dict[str, str]) -> str:
    with closing(open_registry(where)) as registry:
        return apply_book(registry.db, digest_files(files), files, now()).id


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.02)


async def test_a_service_follows_the_book_in_force(where: Where, caplog: pytest.LogCaptureFixture) -> None:
    shop, _ = shop_of(load_files(FILES))
    async with (
        open_backend(shop.book, where, {}) as backend,
        serving(shop, backend) as service,
        following(service, where, lambda book: make_suppliers(book, {}, now), every=0.05),
    ):
        first = service.edition
        with caplog.at_level(logging.ERROR):
            for files, code in ((NO_KEY, "missing_key"), (DEAR, "below_cost")):
                bad = put(where, files)
                await until(lambda bad=bad: bad[:12] in caplog.text)  # type: ignore[misc]
                assert "ALARM" in caplog.text
                assert service.edition is first, code
        put(where, OTHER)
        await until(lambda: service.edition is not first)
        assert service.edition.suppliers["sim"] is first.suppliers["sim"], "a supplier that stays keeps its connections"
        assert service.edition.shop.sizes is first.shop.sizes, "what was learned is kept"
        second = service.edition
        put(where, MOVED)
        await until(lambda: service.edition is not second)
        assert service.edition.suppliers["sim"] is not first.suppliers["sim"]
        # the book of the beginning may come back
        put(where, FILES)
        await until(lambda: service.edition.shop.book.id == digest_files(FILES))
