"""The journal as text that beancount reads: assets and expenses positive, liabilities, equity and income negative, as accountants have them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby

from tokenworth.capture.postings import ADJUSTED, BREAKAGE, COST, DEFERRED, EXPIRED, PAYMENTS, PROMOTIONAL, REVENUE, USED, WAIVED
from tokenworth.core.errors import InputError
from tokenworth.core.instants import to_datetime
from tokenworth.core.money import format_amount
from tokenworth.flows.accounting import IN_MONEY, Journal, Moved, TrialBalance

ROOTS = {
    PAYMENTS: "Assets:Payments",
    DEFERRED: "Liabilities:Deferred",
    REVENUE: "Income:Revenue",
    BREAKAGE: "Income:Breakage",
    PROMOTIONAL: "Expenses:Promotional",
    COST: "Expenses:Cost",
    "wallet": "Liabilities:Credits",
    "debt": "Assets:Debt",
    "issued": "Equity:Issued",
    USED: "Income:Used",
    WAIVED: "Expenses:Waived",
    EXPIRED: "Income:Expired",
    ADJUSTED: "Income:Adjusted",
}
"""Names of the ledger's accounts; a customer's or a source's name follows."""
NAMES = {root: name for name, root in ROOTS.items()}
MONEY = re.compile("[A-Z]{3}")
FIRST = date(1970, 1, 1)


def component(name: str) -> str:
    """Return a name as a part of an account: it begins with a capital or a zero and has letters, digits and hyphens; `named` undoes it.

    A name that begins with a small letter gets a capital, any other a zero before it; a byte that is no letter or digit is a hyphen and two
    hexadecimal digits.
    """
    plain = "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"-{byte:02x}" for byte in name.encode())
    return plain[0].upper() + plain[1:] if "a" <= plain[:1] <= "z" else f"0{plain}"


def named(part: str) -> str:
    """Return the name of a part of an account."""
    plain = part[1:] if part.startswith("0") else part[0].lower() + part[1:]
    bytes_ = re.sub(rb"-([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), plain.encode())
    return bytes_.decode()


def account(name: str) -> str:
    """Return the ledger's account as beancount names it."""
    kind, colon, owner = name.partition(":")
    return f"{ROOTS[kind]}:{component(owner)}" if colon else ROOTS[kind]


def ledger_account(name: str) -> str:
    """Return the ledger's name of an account of beancount: the inverse of `account`."""
    if name in NAMES:
        return NAMES[name]
    root, _, owner = name.rpartition(":")
    return f"{NAMES[root]}:{named(owner)}"


def commodity(unit: str, *, money: bool) -> str:
    """Return a unit as beancount names commodities; credits that count a currency's own money are told apart from the money."""
    if money or not MONEY.fullmatch(unit):
        name = re.sub(r"[^A-Z0-9'._-]", "-", unit.upper())
        return name if name[0].isalpha() and name[-1].isalnum() else f"U{name}U"
    return f"CREDITS.{unit}"


def beancount_lines(journal: Journal) -> Iterator[str]:
    """Yield the journal: accounts as they are opened, a transaction for each day and pair of accounts, and what every balance must be at the end."""
    yield from ('option "title" "Tokenworth ledger"', "")
    book = _Book()
    start = journal.opening.until
    day = FIRST if start is None else to_datetime(start).date()
    balances = [(line.unit, line.account, line.closing) for line in journal.opening.lines if line.closing]
    if balances:
        yield from book.open(day, ((unit, name) for unit, name, _ in balances))
        yield f'{day} * "opening balances"'
        yield from (book.post(unit, name, -closing) for unit, name, closing in balances)
        yield ""
    for number, moves in groupby(journal.moves, key=lambda each: each.day):
        day = FIRST + timedelta(days=number)
        for each in moves:
            yield from book.open(day, ((each.unit, each.debit), (each.unit, each.credit)))
            yield f'{day} * "{_words(each)}"'
            yield book.post(each.unit, each.debit, each.amount)
            yield book.post(each.unit, each.credit, -each.amount)
            yield ""
    yield from book.close(day + timedelta(days=1))


def trial_balance_lines(found: TrialBalance) -> Iterator[str]:
    """Yield a trial balance as one transaction and what every balance must be after it."""
    yield from beancount_lines(Journal(found, iter(())))


class _Book:
    """Accounts that are open, and their balances, as beancount names and signs them."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.units: dict[str, tuple[str, bool]] = {}
        self.balances: dict[tuple[str, str], int] = defaultdict(int)

    def open(self, day: date, names: Iterable[tuple[str, str]]) -> Iterator[str]:
        """Yield the opening of accounts that are not open yet."""
        for _, name in names:
            text = account(name)
            if text not in self.opened:
                self.opened.add(text)
                yield f"{day} open {text}"

    def post(self, unit: str, name: str, amount: int) -> str:
        """Return a posting; debits are positive."""
        money = name in IN_MONEY
        kept = commodity(unit, money=money)
        if self.units.setdefault(kept, (unit, money)) != (unit, money):
            raise InputError(f"units {unit} and {self.units[kept][0]} are both {kept} in beancount", mend="export as csv")
        text = account(name)
        self.balances[text, kept] += amount
        return f"  {text}  {format_amount(amount)} {kept}"

    def close(self, day: date) -> Iterator[str]:
        """Yield what every balance must be when a day begins."""
        for (name, unit), amount in sorted(self.balances.items()):
            yield f"{day} balance {name}  {format_amount(amount)} ~ 0 {unit}"


def _words(each: Moved) -> str:
    return f"{each.debit.partition(':')[0]} to {each.credit.partition(':')[0]}, {each.count} posting{'s' * (each.count != 1)}"
