"""Customers and keys: secrets are not stored, and a revocation takes effect in another connection."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokenworth.capture.policy import AS_PLAN, Budget, Own
from tokenworth.core.errors import InputError
from tokenworth.core.periods import Window
from tokenworth.flows.ports import Buyer, OperatorKey, Principal
from tokenworth.store.postgres.directory import FRESH_SECONDS, PostgresRegistry
from tokenworth.store.sqlite.books import apply_book, get, latest
from tokenworth.store.sqlite.directory import Registry
from tokenworth.wiring.ledgers import Where, open_directory


@pytest.fixture
def registry(where: Where) -> Iterator[Registry]:
    counter = iter(range(1, 100))

    def clock() -> int:
        return next(counter)

    def entropy(size: int) -> bytes:
        return bytes([next(counter)] * size)

    made = Registry(where, clock=clock, entropy=entropy) if isinstance(where, Path) else PostgresRegistry(where, clock=clock, entropy=entropy)
    made.add_customer("ada", "pro")
    yield made
    made.close()


def test_a_key_finds_its_customer_until_it_is_revoked(where: Where, registry: Registry) -> None:
    directory = open_directory(where)
    key, secret = registry.add_key("ada")
    assert directory.find_key(secret) == Principal("ada", "pro", key.id)
    assert directory.find_key(secret + "x") is None
    other, second = registry.add_key("ada")
    assert registry.revoke_key(key.id).revoked
    time.sleep(FRESH_SECONDS)
    assert directory.find_key(secret) is None
    assert directory.find_key(second) == Principal("ada", "pro", other.id)
    assert [(k.id, bool(k.revoked)) for k in registry.keys("ada")] == [(key.id, True), (other.id, False)]
    directory.close()


def test_a_key_may_have_a_service_tier(where: Where, registry: Registry) -> None:
    key, secret = registry.add_key("ada", "search", "flex")
    plain, _ = registry.add_key("ada")
    directory = open_directory(where)
    assert directory.find_key(secret) == Principal("ada", "pro", key.id, "search", "flex")
    assert [each.tier for each in registry.keys("ada")] == ["flex", ""]
    assert (registry.revoke_key(key.id).tier, plain.tier) == ("flex", "")
    directory.close()


def test_the_secret_is_not_in_the_file(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "l.db", clock=lambda: 1, entropy=bytes)
    registry.add_customer("ada", "pro")
    _, secret = registry.add_key("ada")
    registry.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in stored
    assert secret.removeprefix("tw_").encode() not in stored


def test_the_operators_own_keys_are_of_another_kind(where: Where, registry: Registry) -> None:
    directory = open_directory(where)
    key, secret = registry.add_machine_key("ingest", "eu gateway")
    assert directory.find_operator(secret) == OperatorKey(key.id, "ingest", "eu gateway")
    assert directory.find_key(secret) is None
    assert directory.find_operator(registry.add_key("ada")[1]) is None
    assert registry.revoke_machine_key(key.id) == registry.revoke_machine_key(key.id)
    time.sleep(FRESH_SECONDS)
    assert directory.find_operator(secret) is None
    assert [(each.id, bool(each.revoked)) for each in registry.machine_keys()] == [(key.id, True)]
    with pytest.raises(InputError, match="no scope 'root'"):
        registry.add_machine_key("root", "")
    with pytest.raises(InputError, match="no key op_x"):
        registry.revoke_machine_key("op_x")
    directory.close()


def test_a_buyer_is_on_the_plan_of_now_and_has_all_its_keys(where: Where, registry: Registry) -> None:
    directory = open_directory(where)
    assert directory.find_buyer("bob") is None
    assert directory.find_buyer("ada") == Buyer("ada", "pro", {})
    key, _ = registry.add_key("ada", "app")
    registry.revoke_key(key.id)
    registry.move_customer("ada", "payg")
    time.sleep(FRESH_SECONDS)
    assert directory.find_buyer("ada") == Buyer("ada", "payg", {key.id: "app"})
    directory.close()


def test_revoking_twice_keeps_the_first_instant(registry: Registry) -> None:
    key, _ = registry.add_key("ada")
    first = registry.revoke_key(key.id)
    assert registry.revoke_key(key.id) == first


def test_adding_twice_is_once_but_another_plan_is_refused(registry: Registry) -> None:
    first = registry.add_customer("ada", "pro")
    assert registry.add_customer("ada", "pro") == first
    with pytest.raises(InputError, match="plan pro"):
        registry.add_customer("ada", "payg")


def test_own_terms_are_kept_with_the_customer(registry: Registry) -> None:
    own = Own(credit_line=5, zone="Asia/Kolkata", budgets=(Budget("key:*", Window.DAY, 7),))
    assert registry.customer("ada").own == AS_PLAN
    assert registry.put_terms("ada", own).own == own
    assert registry.move_customer("ada", "payg").own == own
    assert [customer.own for customer in registry.customers()] == [own]
    assert registry.put_terms("ada", AS_PLAN) == registry.customer("ada")


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
    db = registry.db
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
    assert tuple(db.execute("SELECT count(*) FROM book").fetchone()) == (3,)
