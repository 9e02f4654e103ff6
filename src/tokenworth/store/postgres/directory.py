"""Customers and their API keys: the registry is the same as on SQLite; look-ups ask the server only now and then whether a key changed."""

import threading
import time
from collections.abc import Callable

from tokenworth.core.ids import digest
from tokenworth.flows.ports import Principal
from tokenworth.store.postgres.session import Session
from tokenworth.store.sqlite.directory import FIND, Registry

FRESH_SECONDS = 0.2
"""How long a revocation may take to be heard of: a request does not wait for the server to say that nothing changed."""


class PostgresDirectory:
    """Looks keys up while the gateway serves. What it found is kept until any process changed a key, which it asks about every FRESH_SECONDS."""

    def __init__(self, where: str) -> None:
        """Connect to an existing ledger."""
        self._db = Session(where)
        self._lock = threading.Lock()
        self._known: dict[str, Principal] = {}
        self._version = -1
        self._asked = float("-inf")

    def find_key(self, secret: str) -> Principal | None:
        """Return whom a secret belongs to, None where it is unknown or revoked."""
        hashed = digest(secret.encode())
        with self._lock:
            self._refresh()
            if hashed not in self._known:
                row = self._db.execute(FIND, (hashed,)).fetchone()
                if row is None:
                    return None
                self._known[hashed] = Principal(*row)
            return self._known[hashed]

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _refresh(self) -> None:
        if time.monotonic() - self._asked < FRESH_SECONDS:
            return
        asked = time.monotonic()
        version = self._db.execute("SELECT total FROM key_version").fetchone()[0]
        if version != self._version:
            self._known.clear()
            self._version = version
        self._asked = asked


class PostgresRegistry(Registry):
    """Adds customers and keys; works while gateways serve."""

    def __init__(self, where: str, *, clock: Callable[[], int], entropy: Callable[[int], bytes]) -> None:
        """Connect, and make the tables if there are none."""
        self.db = Session(where, create=True)
        self._clock = clock
        self._entropy = entropy
