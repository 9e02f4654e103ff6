"""Customers and their API keys: the registry is the same as on SQLite; look-ups ask the server only now and then whether a key changed."""

import time
from collections.abc import Callable

from tokenworth.store.lookups import Lookups
from tokenworth.store.postgres.session import Session
from tokenworth.store.sqlite.directory import Registry

FRESH_SECONDS = 0.2
"""How long a revocation may take to be heard of: a request does not wait for the server to say that nothing changed."""


class PostgresDirectory(Lookups):
    """Looks up on a server, which is asked every FRESH_SECONDS whether any process changed a key."""

    def __init__(self, where: str) -> None:
        """Connect to an existing ledger."""
        super().__init__(Session(where))
        self._asked = float("-inf")

    def _refresh(self) -> None:
        if time.monotonic() - self._asked < FRESH_SECONDS:
            return
        asked = time.monotonic()
        self._ask_version()
        self._asked = asked


class PostgresRegistry(Registry):
    """Adds customers and keys; works while gateways serve."""

    def __init__(self, where: str, *, clock: Callable[[], int], entropy: Callable[[int], bytes]) -> None:
        """Connect, and make the tables if there are none."""
        self.db = Session(where, create=True)
        self._clock = clock
        self._entropy = entropy
