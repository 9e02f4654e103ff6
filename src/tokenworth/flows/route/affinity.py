"""Session affinity: requests of one conversation go to one member of a mix, whose cache holds their prefix.

Members are ranked by weighted rendezvous hashing (Thaler and Ravishankar 1998; weights as in Schindelhauer and Schomaker 2005): a member's
score depends on the key and on its own weight only, so a change of one weight moves no key between two others, and no more keys than it must.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from math import inf, log
from typing import Any

from tokenworth.flows.exact_json import encode

SPAN = 2**64
PREFIX = ("system", "instructions", "tools")
"""Fields of a body that come before the conversation in the prompt."""
SYSTEM = frozenset({"system", "developer"})


def ranked(key: bytes, weights: Mapping[str, int]) -> list[str]:
    """Return members by preference for a key. First place falls to each in proportion to its weight; those of weight 0 come last."""
    if len(weights) == 1:
        return list(weights)
    return sorted(weights, key=lambda name: (-_score(key, name, weights[name]), _draw(key, name)))


def _score(key: bytes, name: str, weight: int) -> float:
    return weight / -log((_draw(key, name) + 0.5) / SPAN) if weight else -inf


def _draw(key: bytes, name: str) -> int:
    return int.from_bytes(blake2b(key, digest_size=8, key=name.encode()[:64]).digest())


def affinity(body: Mapping[str, Any], *, customer: str, session: str = "") -> bytes:
    """Return the key of a request: what its caller names (`session` from a header, or a field), else the beginning of its conversation.

    The beginning is what stands before the first answer: instructions, tools, and messages up to the first of the user. A conversation
    that goes on keeps it.
    """
    named = session or _named(body)
    hashed = blake2b(customer.encode(), digest_size=16)
    hashed.update(encode(["named", named] if named else ["begins", *_beginning(body)]))
    return hashed.digest()


def _named(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    candidates = (body.get("prompt_cache_key"), told.get("session_id"), body.get("user"), told.get("user_id"))
    return next((value for value in candidates if isinstance(value, str) and value), "")


def _beginning(body: Mapping[str, Any]) -> Iterable[Any]:
    yield from (body.get(name) for name in PREFIX)
    said = body.get("messages", body.get("input"))
    if not isinstance(said, list):
        yield said
        return
    for message in said:
        yield message
        if not isinstance(message, dict) or message.get("role") not in SYSTEM:
            return
