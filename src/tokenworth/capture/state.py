"""The state that commands act on: accounts, holds, what limits have counted. Frozen; amounts in nano-units."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from tokenworth.capture.events import UsageEvent
from tokenworth.capture.lots import Lot, LotState
from tokenworth.capture.policy import STANDARD, Policy

Counter = tuple[str, str, int]
"""What a budget counts: subject, window, first instant of the window."""


class Spend(NamedTuple):
    """What was spent and what is held in one window of one subject."""

    used: int = 0
    held: int = 0


class Limits(NamedTuple):
    """What budgets have counted, which thresholds are passed, and how often a top-up was asked for, with the one that is pending."""

    spends: Mapping[Counter, Spend] = MappingProxyType({})
    passed: frozenset[int] = frozenset()
    top_ups: int = 0
    pending: str = ""


NO_LIMITS = Limits()


class Account(NamedTuple):
    """A customer's account. `lots` are the live ones in burn-down order; `balance` is what they have left together.

    `held` is what open holds bind of the lots, `lent` what they bind of the credit line. There is debt only while nothing is free that buys
    everything: what becomes free repays it first.
    """

    customer: str
    unit: str
    currency: str
    policy: Policy = STANDARD
    balance: int = 0
    held: int = 0
    lent: int = 0
    debt: int = 0
    version: int = 0
    lots: tuple[Lot, ...] = ()
    limits: Limits = NO_LIMITS

    @property
    def line(self) -> int:
        """What holds may still take of the credit line; less than zero where debt is beyond it."""
        return self.policy.credit_line - self.debt - self.lent

    def available(self, at: int) -> int:
        """What a hold of any product may take at an instant: free credits that buy everything, and the credit line, less debt."""
        # spelled out, as each answer tells it: with thousands of lots, three calls a lot are felt
        active = LotState.ACTIVE
        return self.line + sum(
            [
                g.amount - used - held - gone
                for g, state, used, held, gone in self.lots
                if g.effective <= at and (not g.expiry or at < g.expiry) and not g.products and not g.tiers and state is active
            ]
        )

    def left(self, at: int) -> int:
        """What can be used at an instant, held or not, less debt: what low-balance thresholds look at."""
        return sum([lot.left for lot in self.lots if lot.open_at(at)]) - self.debt


class HoldState(IntEnum):
    """Where a hold is in its life."""

    OPEN = 0
    SETTLED = 1
    RELEASED = 2


class HoldRow(NamedTuple):
    """A durable hold. `bound` are (lot, nano-units) in the order of burn-down, the credit line's part under no name; they sum to `amount`.

    `counted` are the budget counters that include it.
    """

    id: str
    customer: str
    amount: int
    bound: tuple[tuple[str, int], ...]
    deadline: int
    key: str
    body: str
    draft: UsageEvent | None
    state: HoldState = HoldState.OPEN
    counted: tuple[Counter, ...] = ()
