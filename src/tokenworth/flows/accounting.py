"""The accountant's reports: trial balance, journal by day, and a customer's history. Amounts are nano-units; credit is positive, debit negative."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from tokenworth.capture.postings import BREAKAGE, COST, DEFERRED, PAYMENTS, PROMOTIONAL, REVENUE

IN_MONEY = (PAYMENTS, DEFERRED, REVENUE, BREAKAGE, PROMOTIONAL, COST)
"""Accounts in the currency; all others are in the unit that the book counts in."""
DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What `count` postings moved together, from the debited to the credited account; `day` counts UTC days since 1970."""

    day: int
    unit: str
    debit: str
    credit: str
    amount: int
    count: int


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One account in one unit: opening + credit - debit = closing."""

    unit: str
    account: str
    opening: int
    debit: int
    credit: int

    @property
    def closing(self) -> int:
        """The balance at the end."""
        return self.opening + self.credit - self.debit


@dataclass(frozen=True, slots=True)
class Standing:
    """What an accountant asks of one currency: of `paid`, what is `deferred` still, was `earned` and was `broken` off unused; they sum to it.

    `promotional` is the cost of serving what given credits paid for.
    """

    currency: str
    paid: int
    deferred: int
    earned: int
    broken: int
    promotional: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Accounts by unit and name, with what moved from `since` (None: the beginning) to `until` (None: now), which is not included.

    `recorded` says that instants are those of writing, not those of taking effect.
    """

    lines: tuple[TrialLine, ...]
    since: int | None
    until: int | None
    recorded: bool

    @property
    def totals(self) -> tuple[TrialLine, ...]:
        """Sums by unit, under no name; what opens and what closes is zero in each."""
        return tuple(_total(unit, lines) for unit, lines in groupby(self.lines, key=lambda line: line.unit))

    @property
    def standings(self) -> tuple[Standing, ...]:
        """The accountant's view, by currency, at the end."""
        closing = {(line.unit, line.account): line.closing for line in self.lines}
        found = []
        for currency in sorted({line.unit for line in self.lines if line.account in IN_MONEY}):
            paid, deferred, earned, broken, given = (
                closing.get((currency, name), 0) for name in (PAYMENTS, DEFERRED, REVENUE, BREAKAGE, PROMOTIONAL)
            )
            found.append(Standing(currency, -paid, deferred, earned, broken, -given))
        return tuple(found)


def _total(unit: str, lines: Iterable[TrialLine]) -> TrialLine:
    opening = debit = credit = 0
    for line in lines:
        opening, debit, credit = opening + line.opening, debit + line.debit, credit + line.credit
    return TrialLine(unit, "", opening, debit, credit)


def trial_balance(before: Iterable[Moved], during: Iterable[Moved], *, since: int | None, until: int | None, recorded: bool) -> TrialBalance:
    """Return the trial balance of what moved before `since` and from then on until `until`."""
    opening: dict[tuple[str, str], int] = defaultdict(int)
    debit: dict[tuple[str, str], int] = defaultdict(int)
    credit: dict[tuple[str, str], int] = defaultdict(int)
    for each in before:
        opening[each.unit, each.debit] -= each.amount
        opening[each.unit, each.credit] += each.amount
    for each in during:
        debit[each.unit, each.debit] += each.amount
        credit[each.unit, each.credit] += each.amount
    names = sorted(opening.keys() | debit.keys() | credit.keys())
    lines = tuple(TrialLine(*name, opening.get(name, 0), debit.get(name, 0), credit.get(name, 0)) for name in names)
    return TrialBalance(lines, since, until, recorded)


@dataclass(frozen=True, slots=True)
class Journal:
    """Balances before `since`, by unit and account, and what moved on each day from then on, day by day."""

    opening: TrialBalance
    moves: Iterator[Moved]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One movement of a customer's credits or debt: when it took effect and was written, and what is there after it.

    `amount` is what the customer gained (negative: spent). `event` is the request's id, if one caused it; `product` and `tier` are its.
    `source` is the lot's; `corrects`, `who` and `why` are those of a correction, or of the grant.
    """

    at: int
    recorded: int
    kind: str
    amount: int
    lot: str
    balance: int
    debt: int
    entry: str
    event: str = ""
    product: str = ""
    tier: str = ""
    source: str = ""
    corrects: str = ""
    who: str = ""
    why: str = ""
