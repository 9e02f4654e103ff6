"""Tokens guessed from bytes, for answers that came without a usable usage object.

A token of English is about four bytes of UTF-8 in the vocabularies of the large vendors; other languages have more tokens a byte, so
the guess is not a bound. It is charged at most at the hold, and the event says that it is estimated.
"""

from collections.abc import Mapping
from typing import Any

BYTES_PER_TOKEN = 4

NOT_TEXT = frozenset({"role", "id", "type", "index", "object", "image_url", "input_audio", "audio", "file", "logprobs", "finish_reason"})
"""Fields of messages and of answers that hold no text of the model, or media."""


def text_bytes(value: Any) -> int:
    """Return the UTF-8 bytes of all texts inside messages, tools, choices or deltas."""
    total = 0
    waiting = [value]
    # a stack of our own: a request may nest deeper than Python recurses
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            total += len(one) if one.isascii() else len(one.encode("utf-8", "surrogatepass"))
        elif isinstance(one, Mapping):
            waiting.extend(inner for name, inner in one.items() if name not in NOT_TEXT)
        elif isinstance(one, list):
            waiting.extend(one)
    return total


def guess_tokens(size: int) -> int:
    """Return the guess for `size` bytes of text, rounded up."""
    return -(-size // BYTES_PER_TOKEN)
