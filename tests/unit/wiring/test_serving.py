"""A service opens on a database that its book can serve, or not at all."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.events import open_ledger
from tests.support.shop import book, simulated
from tokenworth.book.model import Book
from tokenworth.core.errors import InputError
from tokenworth.wiring.serving import open_backend

BOOK = book({"sim": simulated()})


async def opened(made: Book, database: Path) -> bool:
    async with open_backend(made, database, {}):
        return True


@pytest.mark.parametrize("other", [{"unit": "USD"}, {"currency": "EUR"}])
def test_a_book_does_not_open_on_accounts_of_another_unit(tmp_path: Path, other: dict[str, str]) -> None:
    database = tmp_path / "ledger.db"
    open_ledger(database, ada=100).close()
    assert asyncio.run(opened(BOOK, database))
    with pytest.raises(InputError) as caught:
        asyncio.run(opened(replace(BOOK, **other), database))  # type: ignore[arg-type]
    assert caught.value.code == "account_unit_differs"
    assert "ada" in caught.value.what
