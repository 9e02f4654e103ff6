"""Keys and customers looked up while a gateway serves; what was found is kept until any process commits a change to them."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from tokenworth.core.ids import digest
from tokenworth.flows.ports import Buyer, OperatorKey, Principal
from tokenworth.store.ledger.codec import Row

KEY = (
    "SELECT customer.id, customer.plan, api_key.id, api_key.project, api_key.tier FROM api_key JOIN customer ON customer.id = api_key.customer"
    " WHERE api_key.digest = ? AND api_key.revoked = 0"
)
OPERATOR = "SELECT id, scope, name FROM operator_key WHERE digest = ? AND revoked = 0"
PLAN = "SELECT plan FROM customer WHERE id = ?"
KEYS = "SELECT id, project FROM api_key WHERE customer = ?"
VERSION = "SELECT total FROM key_version"


class Lookups(ABC):
    """What both engines' directories do; they differ in when they ask for the version."""

    def __init__(self, db: Any) -> None:
        """Look up on a connection, which `close` closes."""
        self._db = db
        self._lock = threading.Lock()
        self._keys: dict[str, Principal] = {}
        self._operators: dict[str, OperatorKey] = {}
        self._buyers: dict[str, Buyer] = {}
        self._version = -1

    def find_key(self, secret: str) -> Principal | None:
        """Return whom a secret belongs to, None where it is unknown or revoked."""
        hashed = digest(secret.encode())
        with self._lock:
            self._refresh()
            if hashed not in self._keys:
                row = self._one(KEY, (hashed,))
                if row is None:
                    return None
                self._keys[hashed] = Principal(*row)
            return self._keys[hashed]

    def find_operator(self, secret: str) -> OperatorKey | None:
        """Return which of the operator's keys a secret is, None where it is unknown or revoked."""
        hashed = digest(secret.encode())
        with self._lock:
            self._refresh()
            if hashed not in self._operators:
                row = self._one(OPERATOR, (hashed,))
                if row is None:
                    return None
                self._operators[hashed] = OperatorKey(*row)
            return self._operators[hashed]

    def find_buyer(self, customer: str) -> Buyer | None:
        """Return a customer's plan and keys, revoked ones too, None where there is no such customer."""
        with self._lock:
            self._refresh()
            if customer not in self._buyers:
                row = self._one(PLAN, (customer,))
                if row is None:
                    return None
                keys = dict(map(tuple, self._db.execute(KEYS, (customer,)).fetchall()))
                self._buyers[customer] = Buyer(customer, row[0], keys)
            return self._buyers[customer]

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @abstractmethod
    def _refresh(self) -> None:
        """Forget what was found, if it may have changed."""

    def _ask_version(self) -> None:
        (version,) = self._db.execute(VERSION).fetchone()
        if version != self._version:
            self._keys.clear()
            self._operators.clear()
            self._buyers.clear()
            self._version = version

    def _one(self, query: str, values: Sequence[Any]) -> Row | None:
        found: Row | None = self._db.execute(query, values).fetchone()
        return found
