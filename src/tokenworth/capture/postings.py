"""Double-entry accounts and postings.

    in the account's unit                                   in the currency
    issued:SOURCE -> wallet:CUSTOMER   grant                payments -> deferred   what was paid for a grant
    wallet:CUSTOMER -> used            settlement, per lot  deferred -> revenue    what a lot's use recognises
    debt:CUSTOMER -> used              beyond all credits
    wallet:CUSTOMER -> debt:CUSTOMER   repayment

The arrow goes from the account that is debited to the one that is credited. Each posting has both sides, so every unit sums to zero by construction.
"""

from dataclasses import dataclass

USED = "used"
PAYMENTS = "payments"
DEFERRED = "deferred"
REVENUE = "revenue"


def wallet(customer: str) -> str:
    """Name the account of a customer's credits."""
    return f"wallet:{customer}"


def debt(customer: str) -> str:
    """Name the account of what a customer used beyond all credits."""
    return f"debt:{customer}"


def issued(source: str) -> str:
    """Name the account that credits of a source come from."""
    return f"issued:{source}"


@dataclass(frozen=True, slots=True)
class Posting:
    """`amount` nano-units of `unit` from the debited to the credited account.

    Postings that touch a wallet name the lot, and carry the wallet's balance before and after: rows audit themselves.
    """

    unit: str
    debit: str
    credit: str
    amount: int
    lot: str = ""
    before: int | None = None
    after: int | None = None
