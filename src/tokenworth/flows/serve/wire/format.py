"""`Format`, what clients speak; `Bridge`, from a client's format to a supplier's and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.tap import Asked, Tap


@dataclass(frozen=True, slots=True)
class Format:
    """What clients speak. `api` is its name in events and in measure's dialects, `path` is below the base URL of clients."""

    api: str
    path: str
    parse: Callable[[bytes], Ask]
    """Reads a body; Refusal (400) names the field at fault."""
    error: Callable[[Refusal], Mapping[str, Any]]
    """The object that says why a request is not served."""
    last_event: Callable[[Refusal], bytes]
    """The same as the event that ends a stream."""


def no_headers(_: Ask) -> Mapping[str, str]:
    """Return nothing, as most formats say all in the body."""
    return {}


@dataclass(frozen=True, slots=True)
class Bridge:
    """From a client's format to a supplier's and back. `api` names the supplier's: its dialect reads the usage. `path` is below its base URL."""

    api: str
    path: str
    request: Callable[[Ask, Model], Mapping[str, Any]]
    """Returns the body that the supplier gets; Refusal (400) where it cannot say what the client asks for."""
    tap: Callable[[Asked], Tap]
    """Makes the reader of the answer."""
    refused: Callable[[int, bytes], bytes]
    """Returns a supplier's refusal of a status as the client reads it, empty where it has not the shape of the supplier's format."""
    headers: Callable[[Ask], Mapping[str, str]] = no_headers
    """Returns what the supplier is told beside the body."""
