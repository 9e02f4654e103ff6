"""What all readers of answers in one piece share: everything waits for the settlement."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.answer import read_answer, written
from tokenworth.flows.serve.wire.tap import Tap
from tokenworth.flows.serve.wire.text import Said


class WholeTap(Tap):
    """An answer in one piece; what it says, subclasses read. `field` names the list that every answer has."""

    field = ""

    def __init__(self) -> None:
        """Start to collect."""
        super().__init__()
        self._parts: list[bytes] = []
        self._made: Any = None
        self._answer = b""

    @property
    def delivered(self) -> Said:
        """The text of the answer."""
        return Said(self._made if self.complete else None)

    def feed(self, chunk: bytes) -> bytes:
        """Keep everything."""
        self._parts.append(chunk)
        return b""

    def end(self) -> bytes:
        """Parse the answer; SupplierError where it is none, or none that can be passed on."""
        content = read_answer(b"".join(self._parts), self.field)
        self._made, shown = self._read_whole(content)
        self._answer = written(shown)
        self.complete = True
        return b""

    def tail(self, note: Mapping[str, str], refusal: Refusal | None) -> bytes:
        """Return the answer; the note is in its headers."""
        del note, refusal
        return self._answer

    @abstractmethod
    def _read_whole(self, content: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """Return what of an answer the model made, and what the client gets."""
