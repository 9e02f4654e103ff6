"""Rate limits of a key: requests and tokens a minute, streams at once. They protect capacity, not credits, which budgets of the ledger do.

Both rates are token buckets (RFC 2697's committed burst): full at a minute's worth, refilled evenly, so that a client may spend a minute at
once, and never more than two minutes' worth in any one. Tokens are taken in advance, as many as the request was held for, and what it did not use is
given back at its end, as OpenAI and Anthropic count theirs. All counts are whole: a bucket keeps micro-minutes of its unit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tokenworth.book.model import Rates

MINUTE = 60_000_000
"""Microseconds; also how finely a bucket counts one request or token."""


class Bucket:
    """What is left of so many a minute."""

    __slots__ = ("_at", "_level", "limit")

    def __init__(self, limit: int, at: int) -> None:
        """Begin full."""
        self.limit = limit
        self._level = limit * MINUTE
        self._at = at

    def left(self, at: int) -> int:
        """Return how many are left at an instant; less than none after requests that used more than they took."""
        self._refill(at)
        return self._level // MINUTE

    def wait(self, number: int, at: int) -> int:
        """Return the microseconds until `number` can be taken: 0 for now. More than the limit can be taken from a full bucket."""
        self._refill(at)
        lacking = min(number, self.limit) * MINUTE - self._level
        return max(-(-lacking // self.limit), 0)

    def take(self, number: int) -> None:
        """Take; less than none gives back."""
        self._level = min(self._level - number * MINUTE, self.limit * MINUTE)

    def full_in(self, at: int) -> int:
        """Return the microseconds until the bucket is full."""
        self._refill(at)
        return -(-(self.limit * MINUTE - self._level) // self.limit)

    def _refill(self, at: int) -> None:
        if at > self._at:
            self._level = min(self._level + (at - self._at) * self.limit, self.limit * MINUTE)
            self._at = at


@dataclass(slots=True)
class _Key:
    """What one key has used. Buckets are made anew where the limit became another."""

    buckets: dict[str, Bucket] = field(default_factory=dict)
    streams: int = 0

    def idle(self, at: int) -> bool:
        """Whether nothing is under way and nothing is used up, so that the key may be forgotten."""
        return not self.streams and not any(bucket.full_in(at) for bucket in self.buckets.values())

    def bucket(self, kind: str, limit: int, at: int) -> Bucket:
        found = self.buckets.get(kind)
        if found is None or found.limit != limit:
            found = self.buckets[kind] = Bucket(limit, at)
        return found


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit as its key stands to it: what is left, and the microseconds until all of it is."""

    kind: str
    limit: int
    left: int
    full_in: int


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A request that must wait: for which limit, and how many microseconds (of streams: until one ends, which nobody knows: 0)."""

    kind: str
    limit: int
    wait: int
    standings: tuple[Standing, ...]


@dataclass(slots=True)
class Admitted:
    """A request within its limits. `end` must be called, once; more calls do nothing."""

    standings: tuple[Standing, ...]
    _end: Callable[[int | None], None]
    _open: bool = True

    def end(self, used: int | None = None) -> None:
        """Give back what was taken of the tokens but not used; None: nothing is known, and what was taken stays taken."""
        if self._open:
            self._open = False
            self._end(used)


class Limiter:
    """The rate limits of all keys of one process."""

    def __init__(self) -> None:
        """Nothing was used yet."""
        self._keys: dict[str, _Key] = {}
        self._swept = 0

    def admit(self, key: str, rates: Rates, *, tokens: int, stream: bool, at: int) -> Admitted | Exceeded:
        """Take a request of at most `tokens` at an instant; what must wait takes nothing."""
        self._sweep(at)
        state = self._keys.setdefault(key, _Key())
        wanted: Mapping[str, tuple[Bucket, int]] = {
            kind: (state.bucket(kind, limit, at), number)
            for kind, limit, number in (("requests", rates.requests, 1), ("tokens", rates.tokens, tokens))
            if limit
        }
        waits = {kind: bucket.wait(number, at) for kind, (bucket, number) in wanted.items()}
        if stream and rates.streams and state.streams >= rates.streams:
            return Exceeded("streams", rates.streams, 0, _standings(wanted, at))
        if any(waits.values()):
            kind = max(waits, key=lambda name: waits[name])
            return Exceeded(kind, wanted[kind][0].limit, waits[kind], _standings(wanted, at))
        for bucket, number in wanted.values():
            bucket.take(number)
        state.streams += stream
        counted = wanted.get("tokens")

        def end(used: int | None) -> None:
            state.streams -= stream
            if counted and used is not None:
                counted[0].take(used - counted[1])

        return Admitted(_standings(wanted, at), end)

    def _sweep(self, at: int) -> None:
        """Forget idle keys, once a minute: there may be many, and most come back."""
        if at - self._swept < MINUTE:
            return
        self._swept = at
        self._keys = {name: key for name, key in self._keys.items() if not key.idle(at)}


def _standings(wanted: Mapping[str, tuple[Bucket, int]], at: int) -> tuple[Standing, ...]:
    return tuple(Standing(kind, bucket.limit, max(bucket.left(at), 0), bucket.full_in(at)) for kind, (bucket, _) in wanted.items())
