"""What a supplier takes at once: slots (requests under way) and tokens a minute, each with shares that are reserved for tiers.

All of it with one process; with several each has a slice, which `resize` changes while requests are under way. Everything is whole numbers:
a bucket's level is in tokens times MINUTE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tokenworth.core.instants import SECOND

MINUTE = 60 * SECOND
BURST = 10 * SECOND
"""How much of a minute's tokens may be spent at once after a pause, so that no minute has more than 7/6 of them."""
COMMON = ""
"""The bucket of what is reserved for no tier."""


@dataclass(slots=True)
class Bucket:
    """Tokens that flow in at `rate` a minute. It lends: a request may take more than there is, and the next one waits until that is made good."""

    rate: int
    at: int
    level: int = 0

    def __post_init__(self) -> None:
        """Begin full."""
        self.level = self.rate * BURST

    def refill(self, at: int) -> None:
        """Let in what flowed until an instant."""
        if at > self.at:
            self.level = min(self.level + self.rate * (at - self.at), self.rate * BURST)
            self.at = at

    def positive_at(self, at: int) -> int | None:
        """Return when something is in it, None for never."""
        self.refill(at)
        if self.level > 0:
            return at
        return at + -self.level // self.rate + 1 if self.rate else None


@dataclass(slots=True)
class Lease:
    """What a request occupies: a slot, and tokens of a bucket (None where tokens are not counted)."""

    tier: str
    tokens: int
    bucket: Bucket | None


@dataclass(slots=True)
class Capacity:
    """Slots and tokens a minute, 0 for no limit; `reserved` are per cent by tier, of both."""

    slots: int
    tokens: int
    reserved: Mapping[str, int] = field(default_factory=dict)
    at: int = 0
    used: dict[str, int] = field(default_factory=dict)
    """Slots in use by tier."""
    _kept: dict[str, int] = field(default_factory=dict)
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Divide it."""
        self.resize(self.slots, self.tokens, self.reserved, at=self.at)

    def resize(self, slots: int, tokens: int, reserved: Mapping[str, int], *, at: int) -> None:
        """Be larger, smaller or divided otherwise from now on; what is under way stays under way, and levels stay what they are."""
        self.slots, self.tokens, self.reserved = slots, tokens, dict(reserved)
        self._kept = {tier: slots * share // 100 for tier, share in reserved.items()}
        shares = {COMMON: 100 - sum(reserved.values()), **reserved}
        before = self._buckets
        self._buckets = {}
        for tier, share in shares.items() if tokens else ():
            bucket = before.get(tier) or Bucket(tokens * share // 100, at)
            bucket.refill(at)
            bucket.rate = tokens * share // 100
            bucket.level = min(bucket.level, bucket.rate * BURST)
            self._buckets[tier] = bucket

    def usable(self, tier: str) -> int:
        """Slots that a tier can have at most."""
        return self.slots - sum(kept for other, kept in self._kept.items() if other != tier)

    def rate(self, tier: str) -> int:
        """Tokens a minute that a tier can have at most, 0 for no limit."""
        return sum(self._buckets[name].rate for name in {tier, COMMON} & self._buckets.keys())

    def acquire(self, tier: str, tokens: int, at: int) -> Lease | None:
        """Take a slot and tokens for a request of a tier; None where there is no room for it."""
        if self.slots and not self._slot(tier):
            return None
        bucket = None
        if self._buckets and (bucket := self._bucket(tier, at)) is None:
            return None
        if bucket:
            bucket.level -= tokens * MINUTE
        self.used[tier] = self.used.get(tier, 0) + 1
        return Lease(tier, tokens, bucket)

    def release(self, lease: Lease, tokens: int | None = None) -> None:
        """Give back a slot, and set right how many tokens it took, where that is known."""
        self.used[lease.tier] -= 1
        if lease.bucket and tokens is not None:
            lease.bucket.level += (lease.tokens - tokens) * MINUTE

    def room_at(self, tier: str, at: int) -> int | None:
        """Return when time alone makes room for a tier; None where it does not."""
        if self.slots and not self._slot(tier):
            return None
        times = [bucket.positive_at(at) for name in (tier, COMMON) if (bucket := self._buckets.get(name))]
        return min((time for time in times if time is not None), default=None if times else at)

    def _slot(self, tier: str) -> bool:
        """Whether a slot is left for a tier, those included that are kept for it and not those kept for others."""
        others = {other: max(kept, self.used.get(other, 0)) for other, kept in self._kept.items() if other != tier}
        rest = sum(count for other, count in self.used.items() if other != tier and other not in others)
        return self.used.get(tier, 0) + rest + sum(others.values()) < self.slots

    def _bucket(self, tier: str, at: int) -> Bucket | None:
        for name in (tier, COMMON):
            bucket = self._buckets.get(name)
            if bucket:
                bucket.refill(at)
                if bucket.level > 0:
                    return bucket
        return None
