"""A tap reads a supplier's answer on its way to the client, whatever the formats.

It takes the supplier's bytes as they come and gives back what may go to the client at once. What must wait for the settlement it keeps:
the whole answer, or a stream's terminator. So both kinds take one path: feed, end, settle, tail.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.book.model import Model
from tokenworth.core.errors import SupplierError
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.ask import Ask
from tokenworth.flows.serve.wire.text import Count, Said, by_bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What is answered: a request, by a model, at an instant (UTC microseconds); `count` is for tokens that no supplier counts."""

    ask: Ask
    model: Model
    at: int = 0
    count: Count = by_bytes


class Tap(ABC):
    """Reads one answer. Its attributes say what is known of it by now."""

    def __init__(self) -> None:
        """Start to read."""
        self.usage: Mapping[str, Any] | None = None
        """The supplier's usage object: the last one of a stream, since those that send several send running totals."""
        self.prompt_usage: Mapping[str, Any] | None = None
        """What the supplier has said by now of the prompt's usage, where it says that before the answer's."""
        self.served_tier = ""
        """The tier that the supplier says it served."""
        self.begun = False
        """Whether the client was sent anything that the model made: text, reasoning, a call, media."""
        self.complete = False
        """Whether the answer came to its end."""
        self.failed: SupplierError | None = None
        """What the supplier did wrong inside a stream; nothing after it counts."""
        self.gone = False
        """Whether the client has left: what comes now is read, but delivered to nobody."""

    @property
    @abstractmethod
    def delivered(self) -> Said:
        """The text that the client was sent."""

    @property
    def finished(self) -> bool:
        """Whether the client has the whole answer, though its usage may be on its way."""
        return False

    @abstractmethod
    def feed(self, chunk: bytes) -> bytes:
        """Take bytes of the supplier; return what may go to the client now."""

    @abstractmethod
    def end(self) -> bytes:
        """Take note that no more bytes come; return what may still go to the client. SupplierError where they are no answer."""

    @abstractmethod
    def tail(self, note: Mapping[str, str], refusal: Refusal | None) -> bytes:
        """Return what the client gets once the settlement is durable; `refusal` where the answer is not whole."""
