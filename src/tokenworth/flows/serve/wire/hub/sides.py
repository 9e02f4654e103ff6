"""What a format gives to be a client's or a supplier's: pure functions, and for streams a reader and a writer that remember one answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tokenworth.book.model import Model
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.format import Format
from tokenworth.flows.serve.wire.hub.answer import Answer, Event, Head
from tokenworth.flows.serve.wire.hub.conversation import Conversation
from tokenworth.measure.usage.counts import Usage


class Reader(Protocol):
    """Reads the objects of a supplier's stream. SupplierError where they are no answer."""

    usage: Mapping[str, Any] | None
    """The usage object, once it is known."""
    prompt_usage: Mapping[str, Any] | None
    """The usage object of the prompt, where it is known before."""
    tier: str
    """The tier that the supplier says it served."""
    stopped: bool
    """Whether the last part has ended."""
    ended: bool
    """Whether nothing more comes."""

    def read(self, content: Mapping[str, Any]) -> Iterable[Event]:
        """Return what an object says."""
        ...


class Writer(Protocol):
    """Writes a stream for a client."""

    def write(self, event: Event) -> bytes:
        """Return what the client gets at an event."""
        ...

    def finish(self, usage: Usage, tier: str) -> bytes:
        """Return what tells the client that the answer is whole."""
        ...


@dataclass(frozen=True, slots=True)
class ClientSide:
    """A format that clients speak."""

    format: Format
    read_request: Callable[[Ask], Conversation]
    """Refusal (400) where something is asked for that no other format could say."""
    write_answer: Callable[[Answer, Usage, Head], Mapping[str, Any]]
    make_writer: Callable[[Head], Writer]


@dataclass(frozen=True, slots=True)
class SupplierSide:
    """A format that suppliers speak."""

    api: str
    path: str
    write_request: Callable[[Conversation, Ask, Model], Mapping[str, Any]]
    """Refusal (400) where the conversation has something that this format cannot say."""
    field: str
    """The list that every whole answer has."""
    read_answer: Callable[[Mapping[str, Any]], Answer]
    make_reader: Callable[[], Reader]
    served_tier: Callable[[Mapping[str, Any]], str]
    """The tier that a whole answer says was served."""
