"""Lots: the credits of one grant, when and for what they may be used, and the order in which they burn down. Frozen; amounts in nano-units."""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, NamedTuple

from tokenworth.capture.commands import Grant, Source
from tokenworth.capture.policy import Order
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.money import share

GIVEN = frozenset({Source.PROMOTIONAL, Source.GOODWILL})
"""Sources of credits that nobody pays for."""

RANK = {Source.PROMOTIONAL: 0, Source.GOODWILL: 1, Source.INCLUDED: 2, Source.PAID: 3}


class LotState(IntEnum):
    """Where a lot is in its life."""

    ACTIVE = 0
    PENDING = 1
    """Not confirmed: no credits yet."""
    CANCELLED = 2
    """Ended without ever being confirmed."""
    VOID = 3
    """Taken back: what becomes free goes back too."""


class Lot(NamedTuple):
    """Credits of one grant. `used`, `held` and `gone` (expired, or taken back) are parts of its amount."""

    grant: Grant
    state: LotState = LotState.ACTIVE
    used: int = 0
    held: int = 0
    gone: int = 0

    @property
    def id(self) -> str:
        """The grant's id."""
        return self.grant.id

    @property
    def free(self) -> int:
        """What is neither used nor held nor gone."""
        return self.grant.amount - self.used - self.held - self.gone

    @property
    def left(self) -> int:
        """What is neither used nor gone; held credits are left."""
        return self.grant.amount - self.used - self.gone

    @property
    def live(self) -> bool:
        """Whether it is part of the customer's balance."""
        return self.state in (LotState.ACTIVE, LotState.VOID) and self.used + self.gone != self.grant.amount

    def recognised(self) -> int:
        """Return how much of what was paid is no longer deferred."""
        return share(self.grant.paid, self.used + self.gone, self.grant.amount)

    def open_at(self, at: int) -> bool:
        """Whether it is effective, and neither expired nor taken back, at an instant."""
        grant = self.grant
        return self.state is LotState.ACTIVE and grant.effective <= at and (not grant.expiry or at < grant.expiry)

    def over_at(self, at: int) -> bool:
        """Whether what is free of it must go, at an instant."""
        return self.state is LotState.VOID or 0 < self.grant.expiry <= at

    def buys(self, product: str, tier: str) -> bool:
        """Whether its scope has a product and a tier."""
        grant = self.grant
        return (not grant.products or product in grant.products) and (not grant.tiers or tier in grant.tiers)

    @property
    def scoped(self) -> bool:
        """Whether it buys only some things."""
        return bool(self.grant.products or self.grant.tiers)


KEYS: dict[Order, Callable[[Lot], Any]] = {
    Order.PRIORITY: lambda lot: lot.grant.priority,
    Order.EXPIRY: lambda lot: lot.grant.expiry or INT64_MAX,
    Order.SOURCE: lambda lot: RANK[lot.grant.source],
    Order.PAID_FIRST: lambda lot: -RANK[lot.grant.source],
    Order.OLDEST: lambda lot: lot.grant.effective or lot.grant.at,
    Order.NEWEST: lambda lot: -(lot.grant.effective or lot.grant.at),
}


def burn_down(lots: Iterable[Lot], order: tuple[Order, ...]) -> tuple[Lot, ...]:
    """Return live lots in the order in which they are used; where no key tells two apart, the id does."""
    keys = [KEYS[key] for key in order]
    return tuple(sorted((lot for lot in lots if lot.live), key=lambda lot: (*(key(lot) for key in keys), lot.grant.at, lot.grant.id)))
