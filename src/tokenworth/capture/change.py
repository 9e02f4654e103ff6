"""What a command does, as new values that a store makes durable; and an account on its way through one command."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tokenworth.capture.commands import Done, Notice, Reason, Refused
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.limits import watch
from tokenworth.capture.lots import GIVEN, Lot, LotState, burn_down
from tokenworth.capture.postings import ADJUSTED, BREAKAGE, DEFERRED, EXPIRED, PAYMENTS, REVENUE, USED, Kind, Posting, debt, issued, wallet
from tokenworth.capture.state import Account, HoldRow, Limits
from tokenworth.core.money import share

EARNED = {Kind.USE: REVENUE, Kind.REPAY: REVENUE, Kind.ADJUST: REVENUE, Kind.EXPIRE: BREAKAGE, Kind.VOID: PAYMENTS}
"""Where what was paid for credits goes when they leave a lot."""
VOID = "void:"
"""How the ids of corrections that are voids begin; others may not."""


class Correction(NamedTuple):
    """Who mended what, and why: the entry of a void, a refund or an adjustment. `amount` is in nano-units of the account's unit."""

    id: str
    kind: str
    customer: str
    corrects: str
    amount: int
    at: int
    who: str
    why: str


class Change(NamedTuple):
    """The account and hold afterwards, lots that changed and that were made, postings in order, the event to store, correction, notices."""

    done: Done
    account: Account | None = None
    hold: HoldRow | None = None
    lots: tuple[Lot, ...] = ()
    made: tuple[Lot, ...] = ()
    postings: tuple[Posting, ...] = ()
    event: UsageEvent | None = None
    correction: Correction | None = None
    notices: tuple[Notice, ...] = ()


def unknown_customer(customer: str) -> Refused:
    """Refuse for want of an account."""
    return Refused(Reason.UNKNOWN_CUSTOMER, f"{customer} has no account")


def bad_id(id_: str, available: int = 0) -> Refused:
    """Refuse what cannot be an id; no lot is named like the credit line, which has the empty name."""
    return Refused(Reason.BAD_ID, f"{id_!r} cannot be an id", available)


class Work:
    """An account on its way through one command: plain numbers, changed in place, made one frozen account at the end.

    Lots that are over can take part when `more` brings them.
    """

    __slots__ = ("account", "balance", "changed", "debt", "given", "held", "lent", "made", "more", "postings", "revenue")

    def __init__(self, account: Account, more: Iterable[Lot] = ()) -> None:
        """Begin with the account as it is."""
        self.account = account
        self.balance, self.held, self.lent, self.debt = account.balance, account.held, account.lent, account.debt
        self.more = {lot.grant.id: lot for lot in more}
        self.changed: dict[str, Lot] = {}
        self.made: set[str] = set()
        self.postings: list[Posting] = []
        self.revenue = 0
        """Recognised so far, in nano-units of the currency."""
        self.given = 0
        """Used so far of credits that nobody paid for."""

    def lot(self, id_: str) -> Lot:
        """Return a lot as it is now."""
        found = self.changed.get(id_) or self.more.get(id_)
        return found if found is not None else next(lot for lot in self.account.lots if lot.grant.id == id_)

    def lots(self) -> Sequence[Lot]:
        """Return the account's lots and those brought, as they are now, in burn-down order."""
        account, changed = self.account, self.changed
        if self.more:
            every = {lot.grant.id: lot for lot in account.lots} | self.more | changed
            return burn_down(every.values(), account.policy.burn_down)
        return exchanged(account.lots, changed) if changed else account.lots

    def unbind(self, hold: HoldRow) -> None:
        """Give a hold's credits back to their lots and to the credit line."""
        for id_, n in hold.bound:
            if id_:
                lot = self.lot(id_)
                self.changed[id_] = Lot(lot.grant, lot.state, lot.used, lot.held - n, lot.gone)
                self.held -= n
            else:
                self.lent -= n

    def use(self, id_: str, amount: int, kind: Kind = Kind.USE) -> None:
        """Move `amount` of a lot's free credits where its kind says, and recognise what was paid for them."""
        lot = self.lot(id_)
        after = Lot(lot.grant, lot.state, lot.used + amount, lot.held, lot.gone)
        if lot.grant.source in GIVEN:
            self.given += amount
        self.revenue += self._take(kind, lot, after)

    def give_back(self, id_: str, amount: int, source: str) -> None:
        """Undo a lot's use: `amount` comes back from an account, and its revenue is deferred again."""
        lot = self.lot(id_)
        after = Lot(lot.grant, lot.state, lot.used - amount, lot.held, lot.gone)
        before, self.balance = self.balance, self.balance + amount
        account = self.account
        self.postings.append(Posting(Kind.REFUND, account.unit, source, wallet(account.customer), amount, id_, before, self.balance))
        unearned = _recognised(lot) - _recognised(after)
        if unearned:
            self.postings.append(Posting(Kind.REFUND, account.currency, REVENUE, DEFERRED, unearned, id_))
        self.changed[id_] = after

    def owe(self, amount: int) -> None:
        """Charge what no credits are there for."""
        self.postings.append(Posting(Kind.OWE, self.account.unit, debt(self.account.customer), USED, amount))
        self.debt += amount

    def add(self, lot: Lot, *, new: bool = True) -> None:
        """Take a lot into the balance: a new one, or one that was pending."""
        before, self.balance = self.balance, self.balance + lot.grant.amount
        account, given = self.account, lot.grant
        name = wallet(account.customer)
        self.postings.append(Posting(Kind.GRANT, account.unit, issued(given.source), name, given.amount, lot.id, before, self.balance))
        if given.paid:
            self.postings.append(Posting(Kind.GRANT, account.currency, PAYMENTS, DEFERRED, given.paid, lot.id))
        self.more[lot.id] = self.changed[lot.id] = lot
        if new:
            self.made.add(lot.id)

    def settle_up(self, at: int) -> None:
        """Take what is over of the lots, then repay debt from what is free and buys everything."""
        # `over_at` spelled out, as this is each request's path
        void = LotState.VOID
        over = [lot for lot in self.lots() if (0 < lot.grant.expiry <= at or lot.state is void) and lot.free]
        if over:
            before = {lot.grant.id: lot.free for lot in self.account.lots}
            for lot in over:
                self._lose(lot, before.get(lot.grant.id, 0))
        if self.debt:
            for lot, part in list(take(self.lots(), self.debt, at)):
                self.use(lot.grant.id, part, Kind.REPAY)
                self.debt -= part

    def end(self, limits: Limits) -> Account:
        """Return the account as it is now, one version on."""
        account, lots = self.account, self.lots()
        if [lot for lot in self.changed.values() if not lot.live]:
            lots = [lot for lot in lots if lot.live]
        return Account(
            account.customer,
            account.unit,
            account.currency,
            account.policy,
            self.balance,
            self.held,
            self.lent,
            self.debt,
            account.version + 1,
            tuple(lots),
            limits,
        )

    def _lose(self, lot: Lot, before: int) -> None:
        """Take what is free of a lot that is over: expired credits are income, voided ones go back where they came from.

        What was free `before` the command expired when it was due, whoever notices it; what the command freed expires now.
        """
        free = lot.free
        if lot.state is LotState.VOID:
            self._take(Kind.VOID, lot, lot._replace(gone=lot.gone + free))
            return
        due = min(before, free)
        if due:
            self._take(Kind.EXPIRE, lot, lot._replace(gone=lot.gone + due), at=lot.grant.expiry)
        if free > due:
            lot = self.lot(lot.grant.id)
            self._take(Kind.EXPIRE, lot, lot._replace(gone=lot.gone + free - due))

    def _take(self, kind: Kind, lot: Lot, after: Lot, *, at: int = 0) -> int:
        """Book the difference of two states of a lot; return what was paid for it."""
        account, id_ = self.account, lot.grant.id
        amount = lot.left - after.left
        before, self.balance = self.balance, self.balance - amount
        self.postings.append(Posting(kind, account.unit, wallet(account.customer), self._where(kind, lot), amount, id_, before, self.balance, at))
        earned = _recognised(after) - _recognised(lot)
        if earned:
            self.postings.append(Posting(kind, account.currency, DEFERRED, EARNED[kind], earned, id_, None, None, at))
        self.changed[id_] = after
        return earned

    def _where(self, kind: Kind, lot: Lot) -> str:
        if kind is Kind.USE:
            return USED
        return {Kind.REPAY: debt(self.account.customer), Kind.VOID: issued(lot.grant.source), Kind.EXPIRE: EXPIRED, Kind.ADJUST: ADJUSTED}[kind]


def exchanged(lots: Sequence[Lot], changed: Mapping[str, Lot]) -> list[Lot]:
    """Return lots as they are now, in the order that they have: changes of some, by id."""
    now, left = list(lots), len(changed)
    for at, lot in enumerate(lots):
        if lot.grant.id in changed:
            now[at] = changed[lot.grant.id]
            left -= 1
            if not left:
                break
    return now


def conclude(work: Work, at: int, *, correction: Correction | None = None) -> Change:
    """Take what is over, repay debt, compare with what the policy watches, and answer."""
    return finish(work, at, hold=None, event=None, limits=work.account.limits)._replace(correction=correction)


def finish(work: Work, at: int, *, hold: HoldRow | None, event: UsageEvent | None, limits: Limits) -> Change:
    """Conclude what ends a hold with an event, and has brought the account's limits to these."""
    work.settle_up(at)
    after = work.end(limits)
    made = tuple([lot for id_, lot in work.changed.items() if id_ in work.made]) if work.made else ()
    lots = tuple([lot for id_, lot in work.changed.items() if id_ not in work.made] if made else work.changed.values())
    notices: tuple[Notice, ...] = ()
    if after.policy.watches:
        after, notices, asked = watch(after, at)
        made += asked
    return Change(Done(after.available(at), event), after, hold, lots, made, tuple(work.postings), event, None, notices)


def take(lots: Iterable[Lot], amount: int, at: int, *, product: str = "", tier: str = "") -> Iterator[tuple[Lot, int]]:
    """Yield free credits open at an instant until `amount` is reached; without a product, of lots that buy everything."""
    for lot in lots:
        if amount <= 0:
            return
        fits = lot.buys(product, tier) if product else not lot.scoped
        part = min(lot.free, amount) if fits and lot.open_at(at) else 0
        if part > 0:
            amount -= part
            yield lot, part


def _recognised(lot: Lot) -> int:
    grant = lot.grant
    return share(grant.paid, lot.used + lot.gone, grant.amount) if grant.paid else 0
