"""Two-phase spending: hold, settle, release, expire; and usage from elsewhere, in one step.

Pure: the caller looks up what a command names, a store makes the change durable.
"""

from collections.abc import Mapping, Sequence

from tokenworth.capture import limits
from tokenworth.capture.change import Change, Work, exchanged, finish, take, unknown_customer
from tokenworth.capture.commands import Done, Hold, Reason, Record, Refused
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.capture.lots import Lot
from tokenworth.capture.policy import Beyond, Policy
from tokenworth.capture.postings import COST, PROMOTIONAL, USED, WAIVED, Kind, Posting
from tokenworth.capture.state import Account, Counter, HoldRow, HoldState
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.money import share


def place(command: Hold, account: Account | None, same_id: HoldRow | None, same_key: HoldRow | None) -> Change | Refused:
    """Bind credits in burn-down order, then the credit line, unless the idempotency key or the hold is known already."""
    draft, amount = command.draft, command.amount
    if account is None:
        return unknown_customer(draft.customer)
    if same_id is not None or same_key is not None:
        return _known(command, account, same_id, same_key)
    if (draft.unit, draft.currency) != (account.unit, account.currency):
        return _other_units(draft, account)
    parts = list(take(account.lots, amount, draft.at, product=draft.product, tier=draft.tier))
    rest = amount - sum([n for _, n in parts])
    if amount < 0 or rest > account.line:
        # less than nothing on the line is debt beyond it, for which what is free may still do
        available = _available(draft, account)
        if not 0 <= amount <= max(available, 0):
            why = f"{amount} nano-units are needed, {available} are available for {draft.product} at tier {draft.tier}"
            return Refused(Reason.INSUFFICIENT_CREDITS, why, available, amount)
    counted: tuple[Counter, ...] = ()
    if account.policy.budgets:
        if refused := limits.check(account, draft, amount):
            return refused
        # two budgets may limit one subject, which is counted once
        counted = tuple(dict.fromkeys(counter for _, counter, _ in limits.counters(account.policy, draft)))
    return _reserve(command, account, parts, counted)


def _reserve(command: Hold, account: Account, parts: Sequence[tuple[Lot, int]], counted: tuple[Counter, ...]) -> Change:
    """Place a hold on parts of lots, and on the credit line for the rest; a postpaid account's is of nothing, and without a key there is none."""
    draft, amount = command.draft, command.amount
    if account.policy.postpaid and amount:
        if not command.key:
            return Change(Done(account.available(draft.at)))
        amount, parts = 0, ()
    rest = amount - sum([n for _, n in parts])
    bound = tuple([(lot.grant.id, n) for lot, n in parts])
    if rest:
        bound = (*bound, ("", rest))
    after, held = _bound(account, parts, rest, counted)
    row = HoldRow(draft.id, draft.customer, amount, bound, command.deadline, command.key, command.body, draft, HoldState.OPEN, counted)
    return Change(Done(after.available(draft.at)), after, row, tuple(held.values()))


def _bound(account: Account, parts: Sequence[tuple[Lot, int]], lent: int, counted: tuple[Counter, ...]) -> tuple[Account, Mapping[str, Lot]]:
    """Return an account that holds parts of its lots and of its credit line, and those lots."""
    held = {lot.grant.id: Lot(lot.grant, lot.state, lot.used, lot.held + n, lot.gone) for lot, n in parts}
    amount = sum([n for _, n in parts])
    # each of a request's steps makes an account: spelled out, as `_replace` takes four times as long
    after = Account(
        account.customer,
        account.unit,
        account.currency,
        account.policy,
        account.balance,
        account.held + amount,
        account.lent + lent,
        account.debt,
        account.version + 1,
        tuple(exchanged(account.lots, held)),
        limits.count(account.limits, counted, held=amount + lent),
    )
    return after, held


def settle(event: UsageEvent, account: Account | None, hold: HoldRow | None, stored: UsageEvent | None) -> Change | Refused:
    """Charge an open hold: what it bound first; beyond it, as the account's policy says; free the rest. A postpaid account need have no hold."""
    if hold is None:
        unheld = _unheld(event, account)
        return unheld if isinstance(unheld, Refused) else settle(event, unheld.account, unheld.hold, None)
    if account is None or hold is None or hold.customer != account.customer:
        return _no_hold(event)
    if hold.state is not HoldState.OPEN:
        return _again(HoldState.SETTLED, hold, account, stored=stored, at=event.ended)
    if (event.unit, event.currency) != (account.unit, account.currency):
        return _other_units(event, account)
    if not 0 <= event.charge <= INT64_MAX - account.debt:
        return _too_much(event, account)
    work = Work(account)
    work.unbind(hold)
    return _settled(work, event, hold, _charge(work, event, hold))


def record(command: Record, account: Account | None, same_id: HoldRow | None, stored: UsageEvent | None) -> Change | Refused:
    """Charge usage that happened elsewhere: a hold of nothing, closed at once; again with the same contents gives the first result.

    Nobody asked before it was used, so nothing is beyond what was authorised: free credits and the credit line pay it under any policy. Debt past
    the line is as the policy says of charges beyond their holds.
    """
    event = command.event
    if account is None:
        return unknown_customer(event.customer)
    if same_id is not None and same_id.body != command.body:
        why = f"event {event.id} was recorded with other contents"
        return Refused(Reason.KEY_REUSED, why, account.available(event.ended), event=event.id)
    if same_id is not None:
        return Change(Done(account.available(event.ended), stored, repeated=True))
    if not 0 <= event.charge <= INT64_MAX - account.debt:
        return _too_much(event, account)
    placed = place(Hold(event, 0, event.ended, command.key, command.body), account, None, None)
    if isinstance(placed, Refused) or placed.account is None or placed.hold is None:
        return placed
    return _at_once(event, placed.account, placed.hold)


def _at_once(event: UsageEvent, account: Account, hold: HoldRow) -> Change | Refused:
    if event.status is Status.FAILED:
        return release(event, account, hold, None)
    work = Work(account)
    return _settled(work, event, hold, _collect(work, event, event.charge, most=_most(account.policy)))


def _settled(work: Work, event: UsageEvent, hold: HoldRow, waived: int) -> Change:
    """Close a hold with what was collected; what given credits paid for costs promotion."""
    account = work.account
    if work.given and event.cost:
        given = share(event.cost, work.given, event.charge)
        if given:
            work.postings.append(Posting(Kind.PROMOTION, account.currency, PROMOTIONAL, COST, given))
    final = event.booked(charge=event.charge - waived, waived=waived, revenue=work.revenue)
    return _finish(work, hold, HoldState.SETTLED, final)


def _charge(work: Work, event: UsageEvent, hold: HoldRow) -> int:
    """Collect a charge; return what is waived of it."""
    account = work.account
    rest = min(event.charge, hold.amount)
    beyond = event.charge - rest
    for lot, n in hold.bound:
        part = min(n, rest)
        if part and lot:
            work.use(lot, part)
        elif part:
            work.owe(part)
        rest -= part
    if not beyond:
        return 0
    if account.policy.postpaid or account.policy.beyond is Beyond.OVERDRAFT:
        return _collect(work, event, beyond, most=_most(account.policy))
    return _waive(work, beyond)


def _most(policy: Policy) -> int:
    """Return the most debt that charges make for which nothing was held."""
    return policy.credit_line + (policy.overdraft if policy.beyond is Beyond.OVERDRAFT else 0)


def _collect(work: Work, event: UsageEvent, amount: int, *, most: int) -> int:
    """Collect what no hold is there for, of free credits, then as debt while all of it and what holds took of the line is at most `most`.

    Returns what is waived of it.
    """
    for found, part in list(take(work.lots(), amount, event.at, product=event.product, tier=event.tier)):
        work.use(found.grant.id, part)
        amount -= part
    room = most - work.debt - work.lent
    if amount and room > 0:
        work.owe(min(amount, room))
        amount -= min(amount, room)
    return _waive(work, amount)


def _waive(work: Work, amount: int) -> int:
    """Book what is not charged; return it."""
    if amount:
        work.postings.append(Posting(Kind.WAIVE, work.account.unit, WAIVED, USED, amount))
    return amount


def release(event: UsageEvent, account: Account | None, hold: HoldRow | None, stored: UsageEvent | None) -> Change | Refused:
    """Free an open hold; `event` says why and charges nothing."""
    if hold is None:
        unheld = _unheld(event, account)
        return unheld if isinstance(unheld, Refused) else release(event, unheld.account, unheld.hold, None)
    if account is None or hold is None or hold.customer != account.customer:
        return _no_hold(event)
    if hold.state is not HoldState.OPEN:
        return _again(HoldState.RELEASED, hold, account, stored=stored, at=event.ended)
    work = Work(account)
    work.unbind(hold)
    return _finish(work, hold, HoldState.RELEASED, event.booked(charge=0, waived=0, revenue=0))


def extend(hold: HoldRow, deadline: int, draft: UsageEvent | None = None) -> HoldRow:
    """Move an open hold's deadline, which never moves back, and take over its draft so far; one of another event or customer is passed over."""
    mine = draft is not None and (draft.id, draft.customer) == (hold.id, hold.customer)
    return hold._replace(deadline=max(hold.deadline, deadline), draft=draft if mine else hold.draft)


def expire(account: Account, hold: HoldRow, at: int) -> Change | Refused:
    """Release a hold whose deadline has passed after its request went to the supplier: the request is lost, and that is an alarm.

    Counts and cost are those of its draft: what is known to have been used, and is not charged.
    """
    if hold.draft is None:
        return _closed(hold, account, at)
    event = hold.draft._replace(status=Status.LOST, ended=at, alarm="hold expired before it was settled")
    return release(event, account, hold, None)


def _finish(work: Work, hold: HoldRow, state: HoldState, event: UsageEvent) -> Change:
    """Close the hold and count what was spent."""
    counted = limits.count(work.account.limits, hold.counted, held=-hold.amount, used=event.charge)
    closed = HoldRow(hold.id, hold.customer, hold.amount, hold.bound, hold.deadline, hold.key, hold.body, None, state, hold.counted)
    return finish(work, event.ended, hold=closed, event=event, limits=counted)


def _unheld(event: UsageEvent, account: Account | None) -> Change | Refused:
    """Place a hold of nothing for a postpaid account's request, which had none until its end."""
    if account is None or not account.policy.postpaid or event.customer != account.customer:
        return _no_hold(event)
    return place(Hold(event, 0, event.ended), account, None, None)


def _known(command: Hold, account: Account, same_id: HoldRow | None, same_key: HoldRow | None) -> Change | Refused:
    """Answer a hold that was placed before, or whose idempotency key was used before."""
    draft, available = command.draft, account.available(command.draft.at)
    if same_id is not None:
        amount = 0 if account.policy.postpaid else command.amount
        if (same_id.customer, same_id.amount, same_id.body) != (draft.customer, amount, command.body):
            return Refused(Reason.CONFLICT, f"hold {draft.id} exists with other contents", available, event=same_id.id)
        return Change(Done(available, repeated=True))
    first = same_key.id if same_key else ""
    if same_key is None or same_key.body != command.body:
        return Refused(Reason.KEY_REUSED, "the idempotency key was used with another body", available, event=first)
    if same_key.state is HoldState.OPEN:
        return Refused(Reason.IN_PROGRESS, "the request was made before and is not over", available, event=first)
    return Refused(Reason.DUPLICATE, "the request was made before", available, event=first)


def _available(draft: UsageEvent, account: Account) -> int:
    free = [lot.free for lot in account.lots if lot.open_at(draft.at) and lot.buys(draft.product, draft.tier)]
    return sum(free) + account.line


def _other_units(event: UsageEvent, account: Account) -> Refused:
    """Refuse an amount of another unit: an account would spend it one for one."""
    why = f"event {event.id} is in {event.unit} and {event.currency}, the account of {account.customer} in {account.unit} and {account.currency}"
    return Refused(Reason.CONFLICT, why, account.available(event.at))


def _too_much(event: UsageEvent, account: Account) -> Refused:
    return Refused(Reason.BAD_AMOUNT, f"a charge of {event.charge} nano-units cannot be booked", account.available(event.ended))


def _no_hold(event: UsageEvent) -> Refused:
    return Refused(Reason.UNKNOWN_HOLD, f"there is no hold {event.id} of {event.customer}", event=event.id)


def _again(wanted: HoldState, hold: HoldRow, account: Account, *, stored: UsageEvent | None, at: int) -> Change | Refused:
    """Answer for a hold that is closed: with its event if it was closed as is wanted now."""
    if hold.state is wanted:
        return Change(Done(account.available(at), stored, repeated=True))
    return _closed(hold, account, at)


def _closed(hold: HoldRow, account: Account, at: int) -> Refused:
    return Refused(Reason.HOLD_CLOSED, f"hold {hold.id} is {hold.state.name.lower()} already", account.available(at), event=hold.id)
