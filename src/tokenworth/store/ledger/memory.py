"""What a writer knows: accounts and open holds between batches, and, during a batch, its changes on top of the facts asked for."""

from collections.abc import Iterable, Iterator, KeysView
from dataclasses import dataclass, field
from typing import NamedTuple

from tokenworth.capture.change import Change, Correction
from tokenworth.capture.commands import Notice
from tokenworth.capture.correcting import Payment
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.limits import Stretch, forget, stretches, uncounted
from tokenworth.capture.lots import Lot
from tokenworth.capture.state import Account, HoldRow, HoldState
from tokenworth.store.ledger.codec import Row
from tokenworth.store.ledger.facts import Facts, Needs

REQUESTS = frozenset({"hold", "settle", "release", "record", "expire"})
"""Kinds of entries that only take of lots: one that is over stays so, and none changes its state."""
MOST_ACCOUNTS = 200_000
"""Accounts kept; past it the memory is dropped between batches and fills anew."""


class Entry(NamedTuple):
    """What the postings of one command have in common: `at` is when it happened, `recorded` when it was written."""

    id: str
    kind: str
    at: int
    recorded: int


@dataclass(slots=True)
class Rows:
    """What a batch changes, each row once, as it is at the end."""

    new_accounts: dict[str, Account] = field(default_factory=dict)
    """Accounts made, or with another policy."""
    accounts: dict[str, Account] = field(default_factory=dict)
    new_lots: dict[str, Lot] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    turned: set[str] = field(default_factory=set)
    """Lots of which other things than amounts may have changed: their state, or whether they are live."""
    new_holds: dict[str, HoldRow] = field(default_factory=dict)
    holds: dict[str, HoldRow] = field(default_factory=dict)
    postings: list[Row] = field(default_factory=list)
    events: dict[str, UsageEvent] = field(default_factory=dict)
    corrections: list[tuple[Correction, int]] = field(default_factory=list)
    """Each with when it was recorded, as the notices."""
    notices: list[tuple[Notice, int]] = field(default_factory=list)


class Memory:
    """Between batches it equals the database, as far as it goes; during a batch it runs ahead by `rows`."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._accounts: dict[str, Account] = {}
        self._holds: dict[str, HoldRow] = {}
        self._facts = Facts()
        self._keys: dict[tuple[str, str], str] = {}
        self.rows = Rows()
        self.seen: dict[str, Account | None] = {}
        """Accounts that the batch looked at, as they were when it did."""
        self._held: dict[str, HoldRow | None] = {}
        """Holds that the batch changed, as they were before, if they were known."""

    def forget(self) -> None:
        """Drop everything: another writer has written, or a commit failed."""
        self._accounts.clear()
        self._holds.clear()
        self._begin()

    def _begin(self) -> None:
        self._facts = Facts()
        self._keys.clear()
        self.rows = Rows()
        self.seen = {}
        self._held = {}

    def roll_back(self) -> None:
        """Be as before the batch, of which nothing was written."""
        for name, account in self.seen.items():
            if account is not None:
                self._accounts[name] = account
            else:
                self._accounts.pop(name, None)
        for id_, hold in self._held.items():
            if hold is not None:
                self._holds[id_] = hold
            else:
                self._holds.pop(id_, None)
        self._begin()

    def written(self) -> None:
        """Forget the rows, and windows that are past: the database has them, committed or about to be."""
        for name, account in (self.rows.accounts | self.rows.new_accounts).items():
            if account.limits.spends:
                self._accounts[name] = account._replace(limits=forget(account.limits))
        self._begin()

    def committed(self) -> None:
        """Keep no more accounts than there is room for."""
        if len(self._accounts) > MOST_ACCOUNTS:
            self.forget()

    def missing(self, needs: Needs, *, anew: bool = False) -> Needs:
        """Return needs without what is known already; `anew` if accounts may be read again for all that."""
        needs.stretches = {stretch for event in needs.counted for stretch in self._uncounted(event, anew=anew)}
        needs.customers -= self._accounts.keys()
        needs.holds -= self._holds.keys()
        return needs

    def _uncounted(self, event: UsageEvent, *, anew: bool) -> Iterable[Stretch]:
        account, hold = self._accounts.get(event.customer), self._holds.get(event.id)
        # counters of what is held come with every account
        if hold is not None and hold.amount:
            return ()
        return stretches(event) if account is None or anew else uncounted(account, event)

    @property
    def customers(self) -> KeysView[str]:
        """Whose accounts are known."""
        return self._accounts.keys()

    def learn(self, facts: Facts) -> None:
        """Take over what the database says."""
        self._facts = facts
        self._accounts.update(facts.accounts)
        for name, spends in facts.spends.items():
            if (account := self._accounts.get(name)) is not None:
                limits = account.limits
                self._accounts[name] = account._replace(limits=limits._replace(spends={**spends, **limits.spends}))
        for id_, hold in facts.holds.items():
            if hold.state is HoldState.OPEN:
                self._holds[id_] = hold
            else:
                self._holds.pop(id_, None)

    def versions(self, customers: Iterable[str]) -> dict[str, int]:
        """Return the versions of those accounts that are known."""
        return {name: account.version for name in customers if (account := self._accounts.get(name)) is not None}

    def account(self, customer: str) -> Account | None:
        """Return an account with its live lots."""
        account = self._accounts.get(customer)
        self.seen.setdefault(customer, account)
        return account

    def lot(self, id_: str) -> Lot | None:
        """Return a lot that the batch names, over or not."""
        rows = self.rows
        return rows.lots.get(id_) or rows.new_lots.get(id_) or self._facts.lots.get(id_)

    def hold(self, id_: str) -> HoldRow | None:
        """Return a hold that the batch names, open or closed."""
        rows = self.rows
        return self._holds.get(id_) or rows.holds.get(id_) or rows.new_holds.get(id_) or self._facts.holds.get(id_)

    def hold_of_key(self, customer: str, key: str) -> HoldRow | None:
        """Return the hold, not released, that has a customer's idempotency key."""
        if not key:
            return None
        id_ = self._keys.get((customer, key)) or self._facts.keys.get((customer, key))
        known = self.hold(id_) if id_ else None
        return known if known is not None and known.state is not HoldState.RELEASED else None

    def late(self, at: int) -> Iterator[HoldRow]:
        """Yield open holds whose deadline has passed, as the database and this batch have them."""
        for id_ in sorted({*self._facts.late, *self.rows.new_holds}):
            hold = self.hold(id_)
            if hold is not None and hold.state is HoldState.OPEN and hold.deadline < at:
                yield hold

    def due(self) -> list[str]:
        """Return customers with lots whose expiry has come, and those whom this batch touches."""
        return sorted({*self._facts.due, *self.rows.accounts, *self.rows.new_accounts})

    def event(self, id_: str) -> UsageEvent | None:
        """Return the event of a closed hold that the batch names."""
        return self.rows.events.get(id_) or self._facts.events.get(id_)

    def correction(self, id_: str) -> Correction | None:
        """Return a correction that the batch names."""
        mine = next((each for each, _ in self.rows.corrections if each.id == id_), None)
        return mine or self._facts.corrections.get(id_)

    def payment(self, event: str) -> Payment:
        """Return how an event's charge was paid, as the database had it before this batch."""
        return self._facts.payments.get(event, Payment())

    def put_hold(self, hold: HoldRow, *, new: bool = False) -> None:
        """Take over a hold as it is now."""
        rows = self.rows
        self._held.setdefault(hold.id, self._holds.get(hold.id))
        self.seen.setdefault(hold.customer, self._accounts.get(hold.customer))
        fresh = new or hold.id in rows.new_holds
        (rows.new_holds if fresh else rows.holds)[hold.id] = hold
        if new and hold.key:
            self._keys[hold.customer, hold.key] = hold.id
        if hold.state is HoldState.OPEN:
            self._holds[hold.id] = hold
        else:
            self._holds.pop(hold.id, None)

    def apply(self, change: Change, entry: Entry) -> None:
        """Take over what a command did."""
        rows, account = self.rows, change.account
        if account is not None:
            self._put_account(account)
            version = account.version
            for line, p in enumerate(change.postings):
                money = (p.unit, p.debit, p.credit, p.amount, p.lot, p.before, p.after)
                rows.postings.append((entry.id, line, p.kind, *money, version, p.at or entry.at, entry.recorded))
        for lot in change.made:
            rows.new_lots[lot.grant.id] = lot
        for lot in change.lots:
            self._put_lot(lot, steady=entry.kind in REQUESTS and lot.live)
        if change.hold is not None:
            # usage from elsewhere, and a postpaid account's, gets its row as it ends
            self.put_hold(change.hold, new=entry.kind in ("hold", "record") or self.hold(change.hold.id) is None)
        if change.event is not None:
            rows.events[change.event.id] = change.event
        if change.correction is not None:
            rows.corrections.append((change.correction, entry.recorded))
        rows.notices.extend([(notice, entry.recorded) for notice in change.notices])

    def _put_account(self, account: Account) -> None:
        name, rows = account.customer, self.rows
        before = self._accounts.get(name)
        self._accounts[name] = account
        if before is None or name in rows.new_accounts or before.policy is not account.policy:
            rows.new_accounts[name] = account
        else:
            rows.accounts[name] = account

    def _put_lot(self, lot: Lot, *, steady: bool) -> None:
        rows, id_ = self.rows, lot.grant.id
        if not steady:
            rows.turned.add(id_)
        (rows.new_lots if id_ in rows.new_lots else rows.lots)[id_] = lot
