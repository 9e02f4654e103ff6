"""Tokens counted here, for answers that came without a usable usage object: the text inside requests and answers, and how many tokens it has.

It is charged at most at the hold, and the event says that it is estimated.
"""

from collections.abc import Callable
from typing import Any

Count = Callable[[str], int]
"""Returns the tokens of a text."""
BYTES_PER_TOKEN = 4
"""Of English in the vocabularies of the large vendors; other languages have more tokens a byte, so a count of bytes is a guess and no bound."""
KEPT_BYTES = 32 * 1024
"""Of a text whose tokens may have to be counted: a stream that is open for hours must not grow with what it sent."""

NOT_TEXT = frozenset(
    {
        *("role", "id", "type", "index", "object", "finish_reason", "logprobs"),
        *("image_url", "input_audio", "audio", "file", "file_data", "file_url"),
        *("signature", "encrypted_content", "cache_control", "call_id", "tool_use_id", "media_type", "status"),
    }
)
"""Fields of messages and of answers that hold no text of the model, or media."""
OPAQUE = frozenset({"base64", "url", "redacted_thinking"})
"""Types of objects inside messages that are not text."""


class Said:
    """All texts of requests or answers: the first KEPT_BYTES of UTF-8 as they are, and how many bytes there were."""

    __slots__ = ("_kept", "size")

    def __init__(self, value: Any = None) -> None:
        """Begin with the texts inside a value, or with none."""
        self._kept = bytearray()
        self.size = 0
        if value is not None:
            self.add(value)

    def add(self, value: Any) -> None:
        """Add the texts inside messages, tools, choices or deltas."""
        waiting = [value]
        # a stack of our own: a request may nest deeper than Python recurses
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                self._add(one.encode("utf-8", "surrogatepass"))
            elif isinstance(one, dict):
                kind = one.get("type")
                if not (isinstance(kind, str) and kind in OPAQUE):
                    waiting.extend(inner for name, inner in one.items() if name not in NOT_TEXT)
            elif isinstance(one, list):
                waiting.extend(one)

    def tokens(self, count: Count) -> int:
        """Return how many tokens there are, rounded up: what is kept is counted, the rest has as many a byte."""
        if not self.size:
            return 0
        return -(-count(self._kept.decode("utf-8", "replace")) * self.size // len(self._kept))

    def _add(self, text: bytes) -> None:
        self.size += len(text)
        if (room := KEPT_BYTES - len(self._kept)) > 0:
            self._kept += text[:room]


def by_bytes(text: str) -> int:
    """Return the tokens of a text guessed from its length in UTF-8, rounded up."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)
