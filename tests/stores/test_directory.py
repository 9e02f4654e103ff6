"""Customers and keys: secrets are not stored, and a revocation takes effect at once in another connection."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokenworth.core.errors import InputError
from tokenworth.flows.ports import Principal
from tokenworth.store.sqlite.books import apply_book, get, latest
from tokenworth.store.sqlite.directory import Registry, SqliteDirectory


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "l.db"


@pytest.fixture
def registry(path: Path) -> Iterator[Registry]:
    counter = iter(range(1, 100))
    made = Registry(path, clock=lambda: next(counter), entropy=lambda size: bytes([next(counter)] * size))
    made.add_customer("ada", "pro")
    yield made
    made.close()


def test_a_key_finds_its_customer_until_it_is_revoked(path: Path, registry: Registry) -> None:
    directory = SqliteDirectory(path)
    key, secret = registry.add_key("ada")
    assert directory.find_key(secret) == Principal("ada", "pro", key.id)
    assert directory.find_key(secret + "x") is None
    other, second = registry.add_key("ada")
    assert registry.revoke_key(key.id).revoked
    assert directory.find_key(secret) is None
    assert directory.find_key(second) == Principal("ada", "pro", other.id)
    assert [(k.id, bool(k.revoked)) for k in registry.keys("ada")] == [(key.id, True), (other.id, False)]
    directory.close()


def test_the_secret_is_not_in_the_file(path: Path, registry: Registry) -> None:
    _, secret = registry.add_key("ada")
    registry.close()
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert secret.encode() not in stored
    assert secret.removeprefix("tw_").encode() not in stored


def test_revoking_twice_keeps_the_first_instant(registry: Registry) -> None:
    key, _ = registry.add_key("ada")
    first = registry.revoke_key(key.id)
    assert registry.revoke_key(key.id) == first


def test_adding_twice_is_once_but_another_plan_is_refused(registry: Registry) -> None:
    first = registry.add_customer("ada", "pro")
    assert registry.add_customer("ada", "pro") == first
    with pytest.raises(InputError, match="plan pro"):
        registry.add_customer("ada", "payg")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "wallet:x"])
def test_ids_are_plain(registry: Registry, name: str) -> None:
    with pytest.raises(InputError, match="not usable"):
        registry.add_customer(name, "pro")


def test_what_is_not_there_is_named(registry: Registry) -> None:
    with pytest.raises(InputError, match="no customer bob"):
        registry.add_key("bob")
    with pytest.raises(InputError, match="no key key_x"):
        registry.revoke_key("key_x")


def test_books_are_versions_that_stay(registry: Registry) -> None:
    db: sqlite3.Connection = registry.db
    assert latest(db) is None
    apply_book(db, "one", {"a.toml": "x"}, 1)
    apply_book(db, "one", {"a.toml": "x"}, 2)
    apply_book(db, "two", {"a.toml": "y"}, 3)
    back = apply_book(db, "one", {"a.toml": "x"}, 4)
    assert latest(db) == back
    first = get(db, "one")
    assert first is not None
    assert (first.applied, dict(first.files)) == (1, {"a.toml": "x"})
    assert get(db, "three") is None
    assert db.execute("SELECT count(*) FROM book").fetchone() == (3,)
