"""A new, empty ledger of each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import server
from tokenworth.wiring.ledgers import Where


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    """The place of a ledger that nobody has made yet."""
    if request.param == "sqlite":
        yield tmp_path / "l.db"
        return
    url = server().database()
    yield url
    server().drop(url)


@pytest.fixture
def url() -> Iterator[str]:
    """A new database of the shared PostgreSQL server."""
    made = server().database()
    yield made
    server().drop(made)
