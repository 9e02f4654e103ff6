"""JSON whose integers stay what they are, also beyond 64 bits: orjson makes floats of those, and writes none."""

import json
from typing import Any

import orjson

DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
LONG_NUMBER = b"0" * 19
"""Digits of the shortest number that may not fit into 64 bits."""


def decode(raw: bytes) -> Any:
    """Return what JSON says; orjson.JSONDecodeError where it is none."""
    return exact(orjson.loads(raw), raw)


def exact(content: Any, raw: bytes) -> Any:
    """Return what orjson read from `raw`, with the integers that it made floats of."""
    return json.loads(raw) if LONG_NUMBER in raw.translate(DIGITS) else content


def encode(content: Any) -> bytes:
    """Return JSON in which every number is what it was."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content, separators=(",", ":")).encode()
