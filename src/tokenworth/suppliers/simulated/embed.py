"""Simulated embeddings: the vector of a text is made from its digest, so the same text has the same one; a token is a word, as in answers."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.core.ids import digest
from tokenworth.suppliers.body import encode

DIMENSIONS = 8
LEVELS = 255


def embeddings(body: Mapping[str, Any], model: str) -> bytes:
    """Return one embedding for each input, on OpenAI's wire format."""
    given = body.get("input")
    inputs = given if isinstance(given, list) and not all(isinstance(one, int) for one in given) else [given]
    tokens = sum(len(one) if isinstance(one, list) else len(str(one).split()) for one in inputs)
    data = [{"object": "embedding", "index": at, "embedding": _vector(one)} for at, one in enumerate(inputs)]
    return orjson.dumps({"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})


def _vector(one: Any) -> list[float]:
    levels = bytes.fromhex(digest(encode(one))[: 2 * DIMENSIONS])
    return [level / LEVELS for level in levels]
