"""The rules of the ledger, pure: what a command does to an account, as new values, postings and an answer; or a refusal.

The caller looks up what a command names (the account, a hold, what was done before under the same id) and hands it in; a store makes the
changes durable. Nothing here reads a clock or changes a value in place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tokenworth.capture.commands import Done, Grant, Hold, OpenAccount, Reason, Refused
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.capture.postings import DEFERRED, PAYMENTS, REVENUE, USED, Posting, debt, issued, wallet
from tokenworth.capture.state import Account, HoldRow, HoldState, Lot
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.money import share


@dataclass(frozen=True, slots=True)
class Change:
    """What a command does: the account and hold afterwards, lots that changed, postings in order, the event to store."""

    done: Done
    account: Account | None = None
    hold: HoldRow | None = None
    lots: tuple[Lot, ...] = ()
    postings: tuple[Posting, ...] = ()
    event: UsageEvent | None = None


def open_account(command: OpenAccount, existing: Account | None) -> Change | Refused:
    """Open an account, or find it open with the same unit and currency."""
    if existing is None:
        return Change(Done(), Account(command.customer, command.unit, command.currency))
    if (existing.unit, existing.currency) != (command.unit, command.currency):
        why = f"{command.customer} has an account in {existing.unit} and {existing.currency}"
        return Refused(Reason.CONFLICT, why, existing.available)
    return Change(Done(existing.available, repeated=True))


def grant(command: Grant, account: Account | None, existing: Lot | None) -> Change | Refused:
    """Add a lot behind the others; credits first repay debt."""
    if account is None:
        return _unknown(command.customer)
    lot = Lot(command.id, command.customer, command.source, command.amount, command.paid, command.at)
    if existing is not None:
        if replace(existing, used=0, held=0) != lot:
            return Refused(Reason.CONFLICT, f"grant {command.id} exists with other contents", account.available)
        return Change(Done(account.available, repeated=True))
    if command.amount <= 0 or command.paid < 0 or max(account.balance + command.amount, command.paid) > INT64_MAX:
        return Refused(Reason.BAD_AMOUNT, f"a grant of {command.amount} nano-units for {command.paid} cannot be booked", account.available)
    after = account.balance + command.amount
    postings = [Posting(account.unit, issued(command.source), wallet(account.customer), command.amount, lot.id, account.balance, after)]
    if command.paid:
        postings.append(Posting(account.currency, PAYMENTS, DEFERRED, command.paid, lot.id))
    granted = replace(account, balance=after, lots=(*account.lots, lot))
    return _finish(_Work(granted, {lot.id: lot}, postings))


def place(command: Hold, account: Account | None, same_id: HoldRow | None, same_key: HoldRow | None) -> Change | Refused:
    """Bind credits in burn-down order, unless the idempotency key or the hold is known already."""
    draft = command.draft
    if account is None:
        return _unknown(draft.customer)
    if same_id is not None or same_key is not None:
        return _known(command, account, same_id, same_key)
    if not _same_units(draft, account):
        return _other_units(draft, account)
    if command.amount < 0 or command.amount > max(account.available, 0):
        why = f"{command.amount} nano-units are needed, {account.available} are available"
        return Refused(Reason.INSUFFICIENT_CREDITS, why, account.available, command.amount)
    bound = tuple(_take(account.lots, command.amount))
    held = {lot.id: lot.move(held=n) for lot, n in bound}
    after = account.move(held=command.amount, version=1, lots=held)
    names = tuple((lot.id, n) for lot, n in bound)
    row = HoldRow(draft.id, draft.customer, command.amount, names, command.deadline, command.key, command.body, draft)
    return Change(Done(after.available), after, row, tuple(held.values()))


def _known(command: Hold, account: Account, same_id: HoldRow | None, same_key: HoldRow | None) -> Change | Refused:
    """Answer a hold that was placed before, or whose idempotency key was used before."""
    draft = command.draft
    if same_id is not None:
        if (same_id.customer, same_id.amount, same_id.body) != (draft.customer, command.amount, command.body):
            return Refused(Reason.CONFLICT, f"hold {draft.id} exists with other contents", account.available, event=same_id.id)
        return Change(Done(account.available, repeated=True))
    first = same_key.id if same_key else ""
    if same_key is None or same_key.body != command.body:
        return Refused(Reason.KEY_REUSED, "the idempotency key was used with another body", account.available, event=first)
    if same_key.state is HoldState.OPEN:
        return Refused(Reason.IN_PROGRESS, "the request was made before and is not over", account.available, event=first)
    return Refused(Reason.DUPLICATE, "the request was made before", account.available, event=first)


def settle(event: UsageEvent, account: Account | None, hold: HoldRow | None, stored: UsageEvent | None) -> Change | Refused:
    """Charge an open hold: its bound lots first, then what is free, then debt; free the rest."""
    if account is None or hold is None:
        return _no_hold(event)
    if hold.state is HoldState.SETTLED:
        return Change(Done(account.available, stored, repeated=True))
    if hold.state is HoldState.RELEASED:
        return _closed(hold, account)
    if not _same_units(event, account):
        return _other_units(event, account)
    if not 0 <= event.charge <= INT64_MAX - account.debt:
        return Refused(Reason.BAD_AMOUNT, f"a charge of {event.charge} nano-units cannot be booked", account.available)
    work = _unbind(account, hold)
    rest = event.charge - _spend(work, hold.bound, event.charge)
    rest -= _spend(work, [(lot.id, n) for lot, n in _take(work.account.lots, rest)], rest)
    if rest:
        work.postings.append(Posting(account.unit, debt(account.customer), USED, rest))
        work.account = work.account.move(debt=rest)
    final = event if event.revenue == work.revenue else replace(event, revenue=work.revenue)
    return _finish(work, _close(hold, HoldState.SETTLED), final)


def release(event: UsageEvent, account: Account | None, hold: HoldRow | None, stored: UsageEvent | None) -> Change | Refused:
    """Free an open hold; `event` says why and charges nothing."""
    if account is None or hold is None:
        return _no_hold(event)
    if hold.state is HoldState.RELEASED:
        return Change(Done(account.available, stored, repeated=True))
    if hold.state is HoldState.SETTLED:
        return _closed(hold, account)
    return _finish(_unbind(account, hold), _close(hold, HoldState.RELEASED), replace(event, charge=0, revenue=0))


def extend(hold: HoldRow, deadline: int, draft: UsageEvent | None = None) -> HoldRow:
    """Move an open hold's deadline, which never moves back, and take over its draft so far; one of another event or customer is passed over."""
    mine = draft is not None and (draft.id, draft.customer) == (hold.id, hold.customer)
    return replace(hold, deadline=max(hold.deadline, deadline), draft=draft if mine else hold.draft)


def expire(account: Account, hold: HoldRow, at: int) -> Change | Refused:
    """Release a hold whose deadline has passed after its request went to the supplier: the request is lost, and that is an alarm.

    Counts and cost are those of its draft: what is known to have been used, and is not charged.
    """
    if hold.draft is None:
        return _closed(hold, account)
    event = replace(hold.draft, status=Status.LOST, ended=at, alarm="hold expired before it was settled")
    return release(event, account, hold, None)


@dataclass(slots=True)
class _Work:
    """An account on its way through one command."""

    account: Account
    lots: dict[str, Lot]
    postings: list[Posting]
    revenue: int = 0
    """Recognised so far, in nano-units of the currency."""

    def consume(self, lot_id: str, amount: int, into: str) -> None:
        """Move `amount` of a lot's free credits to an account, and recognise what was paid for them."""
        account = self.account
        lot = next(lot for lot in account.lots if lot.id == lot_id)
        used = lot.move(used=amount)
        after = account.balance - amount
        self.postings.append(Posting(account.unit, wallet(account.customer), into, amount, lot.id, account.balance, after))
        revenue = share(lot.paid, used.used, lot.amount) - share(lot.paid, lot.used, lot.amount)
        if revenue:
            self.postings.append(Posting(account.currency, DEFERRED, REVENUE, revenue, lot.id))
        self.lots[lot.id] = used
        self.revenue += revenue
        self.account = account.move(balance=-amount, lots={lot.id: used})


def _take(lots: Iterable[Lot], amount: int) -> Iterable[tuple[Lot, int]]:
    """Yield free credits in burn-down order until `amount` is reached or nothing is left."""
    for lot in lots:
        if amount <= 0:
            return
        part = min(lot.free, amount)
        if part:
            amount -= part
            yield lot, part


def _unbind(account: Account, hold: HoldRow) -> _Work:
    """Give the hold's credits back to their lots."""
    parts = dict(hold.bound)
    freed = {lot.id: lot.move(held=-parts[lot.id]) for lot in account.lots if lot.id in parts}
    return _Work(account.move(held=-hold.amount, lots=freed), freed, [])


def _spend(work: _Work, parts: Iterable[tuple[str, int]], most: int) -> int:
    """Use up to `most` of the given parts of lots, in order; return how much it was."""
    rest = most
    for lot, n in parts:
        part = min(n, rest)
        if part:
            work.consume(lot, part, USED)
            rest -= part
    return most - rest


def _repay(work: _Work) -> None:
    for lot, part in list(_take(work.account.lots, work.account.debt)):
        work.consume(lot.id, part, debt(work.account.customer))
        work.account = work.account.move(debt=-part)


def _finish(work: _Work, hold: HoldRow | None = None, event: UsageEvent | None = None) -> Change:
    """Repay debt from what is free now, count the entry, and answer."""
    if work.account.debt:
        _repay(work)
    account = work.account.move(version=1)
    done = Done(account.available, event)
    return Change(done, account, hold, tuple(work.lots.values()), tuple(work.postings), event)


def _close(hold: HoldRow, state: HoldState) -> HoldRow:
    return HoldRow(hold.id, hold.customer, hold.amount, hold.bound, hold.deadline, hold.key, hold.body, None, state)


def _unknown(customer: str) -> Refused:
    return Refused(Reason.UNKNOWN_CUSTOMER, f"{customer} has no account")


def _same_units(event: UsageEvent, account: Account) -> bool:
    return (event.unit, event.currency) == (account.unit, account.currency)


def _other_units(event: UsageEvent, account: Account) -> Refused:
    """Refuse an amount of another unit: an account would spend it one for one."""
    why = f"event {event.id} is in {event.unit} and {event.currency}, the account of {account.customer} in {account.unit} and {account.currency}"
    return Refused(Reason.CONFLICT, why, account.available)


def _no_hold(event: UsageEvent) -> Refused:
    return Refused(Reason.UNKNOWN_HOLD, f"there is no hold {event.id} of {event.customer}", event=event.id)


def _closed(hold: HoldRow, account: Account) -> Refused:
    return Refused(Reason.HOLD_CLOSED, f"hold {hold.id} is {hold.state.name.lower()} already", account.available, event=hold.id)
