"""Customers and their API keys. A secret is shown once, when it is made; the file has its SHA-256 only."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tokenworth.capture.policy import AS_PLAN, Own
from tokenworth.core.errors import InputError
from tokenworth.core.ids import digest
from tokenworth.store.ledger.codec import Row, own_text, own_value
from tokenworth.store.lookups import Lookups
from tokenworth.store.sqlite.connect import connect, connect_readonly

PREFIX = "tw_"
SCOPES = ("ingest", "metrics")
"""What a key of the operator's own may do: post usage of any customer, or read the gateway's metrics."""
MACHINE = "op_"
"""How the ids of the operator's own keys begin."""
SECRET_BYTES = 32
ID_DIGITS = 12
FRESH_SECONDS = 0.02
"""How long a revocation may take to be heard of: where every request writes the file, to look into it costs as much as to parse a request."""
PROJECT_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer: on which plan, since when, on which terms of its own."""

    id: str
    plan: str
    created: int
    own: Own = AS_PLAN


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; `revoked` is 0 while it is in use."""

    id: str
    customer: str
    created: int
    revoked: int
    project: str = ""
    tier: str = ""
    """Service tier of requests that name none; empty for the default one."""


@dataclass(frozen=True, slots=True)
class MachineKey:
    """A key of the operator's own, without its secret: what it may do, and what for it was made."""

    id: str
    scope: str
    name: str
    created: int
    revoked: int


class SqliteDirectory(Lookups):
    """Looks up on a file. A revocation takes effect at once: each look-up reads a counter of changes."""

    def __init__(self, path: Path) -> None:
        """Open the file for reading."""
        super().__init__(connect_readonly(path))
        self._asked = float("-inf")

    def _refresh(self) -> None:
        if time.monotonic() - self._asked > FRESH_SECONDS:
            self._asked = time.monotonic()
            self._ask_version()


CUSTOMERS = "SELECT id, plan, created, own FROM customer"


def _customer(row: Row) -> Customer:
    id_, plan, created, own = row
    return Customer(id_, plan, created, own_value(own))


class Registry:
    """Adds customers and keys; works while a gateway serves the same file."""

    def __init__(self, path: Path, *, clock: Callable[[], int], entropy: Callable[[int], bytes]) -> None:
        """Open the file for writing, made if it is new."""
        self.db: Any = connect(path)
        self._clock = clock
        self._entropy = entropy

    def add_customer(self, id_: str, plan: str) -> Customer:
        """Add a customer; again on the same plan changes nothing, on another plan is refused."""
        if not id_ or not all(c.isalnum() or c in "-_." for c in id_):
            raise InputError(f"customer id {id_!r} is not usable", mend="use letters, digits, hyphen, underscore and dot")
        row = self.db.execute(f"{CUSTOMERS} WHERE id = ?", (id_,)).fetchone()
        if row is not None:
            if row[1] != plan:
                mend = f"move it: tokenworth customers move {id_} --plan {plan}; or choose another id"
                raise InputError(f"customer {id_} exists on plan {row[1]}", mend=mend)
            return _customer(row)
        made = Customer(id_, plan, self._clock())
        self.db.execute("INSERT INTO customer (id, plan, created) VALUES (?, ?, ?)", (made.id, made.plan, made.created))
        return made

    def customers(self) -> Iterator[Customer]:
        """Yield customers by id."""
        yield from map(_customer, self.db.execute(f"{CUSTOMERS} ORDER BY id"))

    def customer(self, id_: str) -> Customer:
        """Return a customer, else InputError."""
        row = self.db.execute(f"{CUSTOMERS} WHERE id = ?", (id_,)).fetchone()
        if row is None:
            raise InputError(f"there is no customer {id_}", mend=f"add it: tokenworth customers add {id_} --plan PLAN")
        return _customer(row)

    def move_customer(self, id_: str, plan: str) -> Customer:
        """Put a customer on another plan from now on."""
        known = self.customer(id_)
        self.db.execute("UPDATE customer SET plan = ? WHERE id = ?", (plan, id_))
        return replace(known, plan=plan)

    def put_terms(self, id_: str, own: Own) -> Customer:
        """Give a customer terms of its own, in place of those that it had."""
        known = self.customer(id_)
        self.db.execute("UPDATE customer SET own = ? WHERE id = ?", (own_text(own), id_))
        return replace(known, own=own)

    def add_key(self, customer: str, project: str = "", tier: str = "") -> tuple[ApiKey, str]:
        """Make a key, for a project and with a service tier of its own if they are named; return it and its secret, which is not kept."""
        self.customer(customer)
        if not set(project) <= PROJECT_CHARACTERS:
            raise InputError(f"{project!r} is not usable as a project", mend="use letters, digits, hyphen, underscore and dot", code="bad_id")
        secret, hashed = self._secret()
        made = ApiKey(f"key_{hashed[:ID_DIGITS]}", customer, self._clock(), 0, project, tier)
        row = (made.id, made.customer, hashed, made.created, made.project, made.tier)
        self.db.execute("INSERT INTO api_key (id, customer, digest, created, project, tier) VALUES (?, ?, ?, ?, ?, ?)", row)
        return made, secret

    def keys(self, customer: str | None = None) -> Iterator[ApiKey]:
        """Yield keys, revoked ones too, of one customer or of all."""
        for row in self.db.execute("SELECT id, customer, created, revoked, project, tier FROM api_key ORDER BY customer, created, id"):
            if customer in (None, row[1]):
                yield ApiKey(*row)

    def revoke_key(self, id_: str) -> ApiKey:
        """Revoke a key from now on; again changes nothing."""
        self.db.execute("UPDATE api_key SET revoked = ? WHERE id = ? AND revoked = 0", (self._clock(), id_))
        row = self.db.execute("SELECT id, customer, created, revoked, project, tier FROM api_key WHERE id = ?", (id_,)).fetchone()
        if row is None:
            raise InputError(f"there is no key {id_}", mend="see `tokenworth keys list`")
        return ApiKey(*row)

    def add_machine_key(self, scope: str, name: str) -> tuple[MachineKey, str]:
        """Make a key of the operator's own, for one of SCOPES; return it and its secret, which is not kept."""
        if scope not in SCOPES:
            raise InputError(f"there is no scope {scope!r}", mend=f"use one of {', '.join(SCOPES)}", code="bad_scope")
        secret, hashed = self._secret()
        made = MachineKey(f"{MACHINE}{hashed[:ID_DIGITS]}", scope, name, self._clock(), 0)
        row = (made.id, made.scope, made.name, hashed, made.created)
        self.db.execute("INSERT INTO operator_key (id, scope, name, digest, created) VALUES (?, ?, ?, ?, ?)", row)
        return made, secret

    def machine_keys(self) -> Iterator[MachineKey]:
        """Yield the operator's own keys, revoked ones too."""
        for row in self.db.execute("SELECT id, scope, name, created, revoked FROM operator_key ORDER BY created, id"):
            yield MachineKey(*row)

    def revoke_machine_key(self, id_: str) -> MachineKey:
        """Revoke a key of the operator's own from now on; again changes nothing."""
        self.db.execute("UPDATE operator_key SET revoked = ? WHERE id = ? AND revoked = 0", (self._clock(), id_))
        row = self.db.execute("SELECT id, scope, name, created, revoked FROM operator_key WHERE id = ?", (id_,)).fetchone()
        if row is None:
            raise InputError(f"there is no key {id_}", mend="see `tokenworth keys list`")
        return MachineKey(*row)

    def _secret(self) -> tuple[str, str]:
        secret = PREFIX + urlsafe_b64encode(self._entropy(SECRET_BYTES)).decode().rstrip("=")
        return secret, digest(secret.encode())

    def close(self) -> None:
        """Close the file."""
        self.db.close()
