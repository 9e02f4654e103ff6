"""Sortable ids and digests. Time and entropy are arguments, so that replays make the same ids."""

import hashlib

from tokenworth.core.errors import InputError

ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:")
"""What the ids that people choose are made of."""
ID_MEND = "use letters, digits and - _ . : only"

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""

PAIRS = tuple(one + other for one in ALPHABET for other in ALPHABET)
"""Ten bits at a time: an id is made for every request."""

ENTROPY_BYTES = 10

IMPORTED = "imp_"
"""How the ids of events from elsewhere begin: after all sortable ids, since their order is not that of time."""


def sortable_id(instant: int, entropy: bytes) -> str:
    """Return a ULID: 26 characters, 48 bits of milliseconds of `instant` (microseconds), then 80 bits of entropy."""
    if len(entropy) != ENTROPY_BYTES:
        raise InputError(f"an id takes {ENTROPY_BYTES} bytes of entropy, not {len(entropy)}")
    value = (instant // 1000 << 80) | int.from_bytes(entropy, "big")
    return "".join([PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])


def imported_id(source: str, id_: str) -> str:
    """Return the id of an event that another system knows as `id_` of `source`: the same for the same, whatever else is said of it."""
    return IMPORTED + digest(f"{len(source)}:{source}{id_}".encode())[:32]


def is_id(text: str) -> bool:
    """Whether a text can be an id that people choose: not empty, and of ID_CHARACTERS."""
    return bool(text) and ID_CHARACTERS.issuperset(text)


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
