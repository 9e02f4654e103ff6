"""Double-entry accounts and postings.

    in the account's unit                                       in the currency
    issued:SOURCE -> wallet:CUSTOMER   grant                    payments -> deferred    what was paid for a grant
    wallet:CUSTOMER -> used            settlement, per lot      deferred -> revenue     what a lot's use recognises
    debt:CUSTOMER -> used              beyond all credits
    wallet:CUSTOMER -> debt:CUSTOMER   repayment, per lot       deferred -> revenue
    waived -> used                     rated, but not charged
    wallet:CUSTOMER -> expired         expiry of a lot          deferred -> breakage    what was paid for credits never used
    wallet:CUSTOMER -> issued:SOURCE   void of a grant          deferred -> payments    owed back to the customer
    wallet:CUSTOMER -> adjusted        credits taken            deferred -> revenue
                                                                promotional -> cost     cost of serving what given credits paid for

Refunds run the other way. The arrow goes from the account that is debited to the one that is credited. Each posting has both sides, so
every unit sums to zero by construction.
"""

from enum import StrEnum
from typing import NamedTuple

USED = "used"
WAIVED = "waived"
EXPIRED = "expired"
ADJUSTED = "adjusted"
PAYMENTS = "payments"
DEFERRED = "deferred"
REVENUE = "revenue"
BREAKAGE = "breakage"
COST = "cost"
PROMOTIONAL = "promotional"


def wallet(customer: str) -> str:
    """Name the account of a customer's credits."""
    return f"wallet:{customer}"


def debt(customer: str) -> str:
    """Name the account of what a customer used beyond all credits."""
    return f"debt:{customer}"


def issued(source: str) -> str:
    """Name the account that credits of a source come from."""
    return f"issued:{source}"


class Kind(StrEnum):
    """Why a posting was made; what it moves in the currency has the kind of what it moves in the unit."""

    GRANT = "grant"
    USE = "use"
    OWE = "owe"
    """Used beyond all credits."""
    WAIVE = "waive"
    REPAY = "repay"
    """Debt, from credits that became free."""
    EXPIRE = "expire"
    VOID = "void"
    ADJUST = "adjust"
    REFUND = "refund"
    PROMOTION = "promotion"
    """Cost of serving what given credits paid for."""


class Posting(NamedTuple):
    """`amount` nano-units of `unit` from the debited to the credited account.

    Postings that touch a wallet name the lot, and carry the wallet's balance before and after: rows audit themselves. `at` is when it took
    effect, where that is not when its entry did.
    """

    kind: Kind
    unit: str
    debit: str
    credit: str
    amount: int
    lot: str = ""
    before: int | None = None
    after: int | None = None
    at: int = 0
