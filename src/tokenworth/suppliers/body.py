"""A request's body as the bytes that a supplier gets."""

import json
from typing import Any

import orjson


def encode(content: Any) -> bytes:
    """Return JSON in which every number is what it was."""
    try:
        return orjson.dumps(content)
    except TypeError:
        # integers beyond 64 bits, which the standard library writes as they are
        return json.dumps(content, separators=(",", ":")).encode()
