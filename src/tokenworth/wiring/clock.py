"""The clock and the randomness of a running process; everything below takes them as arguments."""

import secrets
import time


def now() -> int:
    """Return the instant: microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def entropy(size: int) -> bytes:
    """Return `size` bytes that nobody can guess."""
    return secrets.token_bytes(size)
