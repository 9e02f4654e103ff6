"""Sums of postings, by lot and by account, and what they must equal. Memory grows with accounts and lots, not with history."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tokenworth.capture.limits import TOP_UP
from tokenworth.capture.lots import LotState
from tokenworth.capture.postings import ADJUSTED, BREAKAGE, COST, DEFERRED, EXPIRED, PAYMENTS, PROMOTIONAL, REVENUE, USED, WAIVED, Kind
from tokenworth.core.money import share
from tokenworth.store.ledger.codec import Row
from tokenworth.store.ledger.proof.queries import joined
from tokenworth.store.ledger.proof.report import Findings

MONEY = "currency"
CREDITS = "unit"
SHAPES: dict[tuple[str, str, str], str] = {
    (Kind.GRANT, "issued", "wallet"): CREDITS,
    (Kind.GRANT, PAYMENTS, DEFERRED): MONEY,
    (Kind.USE, "wallet", USED): CREDITS,
    (Kind.USE, DEFERRED, REVENUE): MONEY,
    (Kind.OWE, "debt", USED): CREDITS,
    (Kind.WAIVE, WAIVED, USED): CREDITS,
    (Kind.REPAY, "wallet", "debt"): CREDITS,
    (Kind.REPAY, DEFERRED, REVENUE): MONEY,
    (Kind.EXPIRE, "wallet", EXPIRED): CREDITS,
    (Kind.EXPIRE, DEFERRED, BREAKAGE): MONEY,
    (Kind.VOID, "wallet", "issued"): CREDITS,
    (Kind.VOID, DEFERRED, PAYMENTS): MONEY,
    (Kind.ADJUST, "wallet", ADJUSTED): CREDITS,
    (Kind.ADJUST, DEFERRED, REVENUE): MONEY,
    (Kind.REFUND, USED, "wallet"): CREDITS,
    (Kind.REFUND, "debt", "wallet"): CREDITS,
    (Kind.REFUND, USED, "debt"): CREDITS,
    (Kind.REFUND, REVENUE, DEFERRED): MONEY,
    (Kind.PROMOTION, PROMOTIONAL, COST): MONEY,
}
"""Every posting that there is, by kind and sides (a customer's and a source's accounts by their first word), and what it moves."""

WITHOUT_LOT = frozenset({(Kind.OWE, "debt", USED), (Kind.WAIVE, WAIVED, USED), (Kind.REFUND, USED, "debt"), (Kind.PROMOTION, PROMOTIONAL, COST)})
REAL = frozenset({LotState.ACTIVE, LotState.VOID})


@dataclass(slots=True)
class LotSums:
    """A stored lot, and what its postings say."""

    customer: str
    source: str
    amount: int
    paid: int
    state: int
    used: int
    held: int
    gone: int
    granted: int = 0
    paid_for: int = 0
    out: int = 0
    lost: int = 0
    recognised: int = 0
    returned: bool = False
    """Whether some of it was taken back."""


@dataclass(slots=True)
class AccountSums:
    """A stored account, and what its postings, lots and holds say."""

    unit: str
    currency: str
    balance: int
    held: int
    lent: int
    debt: int
    version: int
    posted: int = 0
    owed: int = 0
    left: int = 0
    bound: int = 0
    line: int = 0
    latest: int = 0
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A row of SUMS: postings of one kind, unit and lot, between two accounts. `give` and `take` are their first words, `owner` whose they are."""

    kind: str
    unit: str
    lot: str
    debit: str
    credit: str
    give: str
    take: str
    owner: str
    source: str
    count: int
    amount: int
    version: int
    odd: bool
    """Whether an amount is not positive, or a wallet's balance stands where no wallet is, or is missing."""

    @property
    def shape(self) -> tuple[str, str, str]:
        """What kind of posting from where to where."""
        return self.kind, self.give, self.take

    def into(self, account: str) -> int:
        """Return what the postings add to accounts of a first word."""
        return self.amount * ((self.take == account) - (self.give == account))

    def __str__(self) -> str:
        """Say which postings."""
        return f"postings of kind {self.kind} from {self.debit} to {self.credit} of lot {self.lot or 'none'}"


def group(row: Row) -> Group:
    """Return a row of SUMS."""
    lot, kind, unit, debit, credit, count, befores, least, high, low, version = row
    (give, _, giver), (take, _, taker) = debit.partition(":"), credit.partition(":")
    sides = {give: giver, take: taker}
    odd = least <= 0 or befores != ("wallet" in sides) * count
    names = sides.get("wallet") or sides.get("debt", ""), sides.get("issued", "")
    return Group(kind, unit, lot, debit, credit, give, take, *names, count, joined(high, low), version, odd)


class Sums:
    """Accounts and lots as they are stored, and their postings."""

    def __init__(self, accounts: dict[str, AccountSums], lots: dict[str, LotSums], findings: Findings) -> None:
        """Begin without postings."""
        self.accounts, self.lots, self.findings = accounts, lots, findings
        self.balances: dict[tuple[str, str], int] = defaultdict(int)
        self.kinds: set[str] = set()
        self.postings = 0

    def changed(self, customer: str, times: int, by: str) -> None:
        """Count what changed an account's version."""
        account = self.accounts.get(customer)
        if account is None:
            self.findings.say(f"{by} of {customer}, who has no account")
        else:
            account.changes += times

    def add(self, each: Group) -> None:
        """Take a group of postings into the account's and the lot's sums."""
        self.postings += each.count
        self.kinds.add(each.kind)
        self.balances[each.unit, each.debit] -= each.amount
        self.balances[each.unit, each.credit] += each.amount
        if each.shape not in SHAPES or (each.shape in WITHOUT_LOT) != (each.lot == ""):
            self.findings.say(f"{each}: there are no such postings")
            return
        if each.odd:
            self.findings.say(f"{each}: an amount is not positive, or a wallet's balance is at the wrong place")
        lot = self.lots.get(each.lot)
        if each.lot and lot is None:
            self.findings.say(f"{each}, which does not exist")
        self._account(each, lot)
        if lot is not None:
            self._lot(each, lot)

    def _account(self, each: Group, lot: LotSums | None) -> None:
        customer = each.owner or (lot.customer if lot else "")
        if not customer:
            # neither lot nor customer: compared with its event
            return
        if lot and lot.customer != customer:
            self.findings.say(f"{each}, which is {lot.customer}'s")
        account = self.accounts.get(customer)
        if account is None:
            self.findings.say(f"postings of {customer}, who has no account")
            return
        account.posted += each.into("wallet")
        account.owed -= each.into("debt")
        account.latest = max(account.latest, each.version)
        unit = account.unit if SHAPES[each.shape] == CREDITS else account.currency
        if each.unit != unit:
            self.findings.say(f"{each} in {each.unit}: the account of {customer} is in {account.unit} and {account.currency}")

    def _lot(self, each: Group, lot: LotSums) -> None:
        out, deferred = -each.into("wallet"), -each.into(DEFERRED)
        if each.source and each.source != lot.source:
            self.findings.say(f"lot {each.lot}: source is {lot.source}, the postings say {each.source}")
        if each.kind == Kind.GRANT:
            lot.granted -= out
            lot.paid_for -= deferred
        elif each.kind in (Kind.EXPIRE, Kind.VOID):
            lot.lost += out
            lot.recognised += deferred
            lot.returned |= each.kind == Kind.VOID
        else:
            lot.out += out
            lot.recognised += deferred

    def compare(self, bound: Mapping[str, int]) -> None:
        """Compare every lot and account with its postings, and with what open holds bind of lots, by lot."""
        for name, lot in self.lots.items():
            self._compare_lot(name, lot, bound.get(name, 0))
            asked = lot.state == LotState.PENDING and name.startswith(TOP_UP)
            # a top-up is asked for as part of something else
            self.changed(lot.customer, not asked, f"lot {name}")
            if account := self.accounts.get(lot.customer):
                account.bound += lot.held
                account.left += lot.amount - lot.used - lot.gone if lot.state in REAL else 0
        for name in bound.keys() - self.lots.keys() - {""}:
            self.findings.say(f"open holds bind lot {name}, which does not exist")
        for customer, account in self.accounts.items():
            self._compare_account(customer, account)

    def _compare_lot(self, name: str, lot: LotSums, bound: int) -> None:
        same, real = self.findings.same, lot.state in REAL
        same(f"lot {name}: amount", lot.amount if real else 0, postings=lot.granted)
        same(f"lot {name}: paid", lot.paid if real else 0, postings=lot.paid_for)
        same(f"lot {name}: used", lot.used, postings=lot.out)
        same(f"lot {name}: gone", lot.gone, postings=lot.lost)
        same(f"lot {name}: held", lot.held, holds=bound)
        same(f"lot {name}: recognised", share(lot.paid, lot.used + lot.gone, lot.amount) if lot.amount > 0 else 0, postings=lot.recognised)
        if lot.returned and lot.state != LotState.VOID:
            self.findings.say(f"lot {name}: the postings say that it is void, its state does not")
        if lot.state == LotState.VOID and lot.amount != lot.used + lot.held + lot.gone:
            self.findings.say(f"lot {name}: void, but some of it is free")
        if min(lot.used, lot.held, lot.gone, lot.amount - lot.used - lot.held - lot.gone) < 0:
            self.findings.say(f"lot {name}: more than it has is used, held or gone, or less than nothing")

    def _compare_account(self, customer: str, account: AccountSums) -> None:
        same = self.findings.same
        same(f"account {customer}: balance", account.balance, postings=account.posted, lots=account.left)
        same(f"account {customer}: debt", account.debt, postings=account.owed)
        same(f"account {customer}: held", account.held, lots=account.bound)
        same(f"account {customer}: lent", account.lent, holds=account.line)
        for source, least in {"postings": account.latest, "holds, lots and corrections": account.changes}.items():
            if account.version < least:
                self.findings.say(f"account {customer}: version {account.version} is behind {least} of its {source}")
