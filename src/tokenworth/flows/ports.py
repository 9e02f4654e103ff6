"""What the use-cases need from outside, as Protocols: stores, suppliers and feeds implement them, wiring joins them."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tokenworth.capture.commands import Command, Result
from tokenworth.capture.events import UsageEvent
from tokenworth.price.card import Terms


class Ledger(Protocol):
    """The durable ledger, awaited: a result means that its commit is on disk."""

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        """Apply commands in order, each on its own: a refusal changes nothing and stops nothing. One durable commit for all."""
        ...


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a key belongs to."""

    customer: str
    plan: str
    api_key: str
    """The key's id, not the secret."""
    project: str = ""
    """What the customer uses the key for; empty where it was not said."""
    tier: str = ""
    """Service tier of requests that name none; empty for the default one."""


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """A key of the operator's own: `scope` is `ingest` or `metrics`."""

    id: str
    scope: str
    name: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer with the plan it is on now, and its keys, revoked ones too, each with its project."""

    customer: str
    plan: str
    keys: Mapping[str, str]


class Operators(Protocol):
    """The operator's own keys, and whom usage from elsewhere may name."""

    def find_operator(self, secret: str) -> OperatorKey | None:
        """Return which of the operator's keys a secret is; None where it is unknown or revoked."""
        ...

    def find_buyer(self, customer: str) -> Buyer | None:
        """Return a customer; None where there is none."""
        ...


class Directory(Operators, Protocol):
    """Customers and their keys, and the operator's own."""

    def find_key(self, secret: str) -> Principal | None:
        """Return whom an API key belongs to; None where it is unknown or revoked."""
        ...


class Events(Protocol):
    """Stored usage events, oldest first."""

    def read(self, *, since: int | None = None, until: int | None = None) -> Iterator[UsageEvent]:
        """Yield events with since <= at < until."""
        ...


class PriceList(Protocol):
    """Suppliers' list prices."""

    def terms(self, provider: str, model: str, at: int, context: Mapping[str, str] | None = None) -> Terms:
        """Return list prices (USD) in force at an instant; PriceError names an unknown provider, model or context."""
        ...


@dataclass(frozen=True, slots=True)
class SupplierRequest:
    """A request on the supplier's wire format, already addressed to its model."""

    path: str
    """Such as `/chat/completions`."""
    body: Mapping[str, Any]
    stream: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the client's, those that the supplier is to see."""


@dataclass(frozen=True, slots=True)
class SupplierResponse:
    """A supplier's answer: `body` yields bytes as they come (whole SSE events are not guaranteed per chunk)."""

    status: int
    headers: Mapping[str, str]
    body: AsyncGenerator[bytes, None]


class Supplier(Protocol):
    """Who makes the tokens. Raises SupplierError (code supplier_timeout or supplier_unreachable) where no answer comes."""

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        """Send a request; returns once the status line and headers are known. Closing `body` cancels the request upstream."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
