"""Refunds and adjustments: new entries that name what they correct. Nothing recorded is ever changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tokenworth.capture.change import VOID, Change, Correction, Work, bad_id, conclude, take, unknown_customer
from tokenworth.capture.commands import Adjust, Done, Grant, Reason, Refund, Refused, Source
from tokenworth.capture.limits import TOP_UP
from tokenworth.capture.lots import Lot
from tokenworth.capture.postings import USED, Kind, Posting, debt
from tokenworth.capture.state import Account
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.ids import is_id
from tokenworth.core.money import format_amount

Parts = Sequence[tuple[str, int]]
"""(lot, nano-units); under no name what became debt."""


@dataclass(frozen=True, slots=True)
class Payment:
    """How an event's charge was paid, net of refunds: its parts in the order in which they were taken, and every lot that is named.

    `repaid` are the customer's repayments of debt, net of what refunds undid, oldest first.
    """

    customer: str = ""
    parts: Parts = ()
    repaid: Parts = ()
    lots: Mapping[str, Lot] = field(default_factory=dict)


def refund(command: Refund, account: Account | None, payment: Payment, existing: Correction | None) -> Change | Refused:
    """Give a charge back to the lots that paid it, the last taken first; what was repaid of its debt goes back to the lots that repaid it."""
    if account is None or not payment.customer:
        return Refused(Reason.UNKNOWN_EVENT, f"there is no charged event {command.event}", event=command.event)
    available = account.available(command.at)
    if existing is not None:
        wanted = existing.amount if command.amount is None else command.amount
        return _again(existing, ("refund", account.customer, command.event, wanted), available)
    charged = sum(n for _, n in payment.parts)
    amount = charged if command.amount is None else command.amount
    if not is_id(command.id):
        return bad_id(command.id, available)
    if command.id.startswith(VOID):
        return _reserved(available)
    if not 0 < amount <= min(charged, INT64_MAX - account.balance):
        return Refused(
            Reason.BAD_AMOUNT,
            f"{format_amount(charged)} {account.unit} of event {command.event} can be refunded, not {format_amount(amount)}",
            available,
        )
    work = Work(account, payment.lots.values())
    parts = list(_last(payment.parts, amount))
    # at once, also where a hold's part of the credit line and what went beyond it both became debt
    if owed := sum(part for id_, part in parts if not id_):
        _forgive(work, owed, payment.repaid)
    for id_, part in parts:
        if id_:
            work.give_back(id_, part, USED)
    note = Correction(command.id, "refund", account.customer, command.event, amount, command.at, command.who, command.why)
    return conclude(work, command.at, correction=note)


def _forgive(work: Work, amount: int, repaid: Parts) -> None:
    """Take back debt that an event made; what of it was repaid already goes back to the lots that did, the last first."""
    name = debt(work.account.customer)
    work.postings.append(Posting(Kind.REFUND, work.account.unit, USED, name, amount))
    still = min(amount, work.debt)
    work.debt -= still
    for id_, part in _last(repaid, amount - still):
        work.give_back(id_, part, name)


def adjust(command: Adjust, account: Account | None, existing: Correction | None, same_id: Lot | None) -> Change | Refused:
    """Give credits as a lot of goodwill, or take free ones in burn-down order; more than is free is refused. `same_id` is a lot so named."""
    if account is None:
        return unknown_customer(command.customer)
    available = account.available(command.at)
    if existing is not None:
        return _again(existing, ("adjustment", command.customer, command.corrects, command.amount), available)
    if refused := _not_adjustable(command, account, same_id):
        return refused
    note = Correction(command.id, "adjustment", account.customer, command.corrects, command.amount, command.at, command.who, command.why)
    work = Work(account)
    if command.amount > 0:
        work.add(Lot(Grant(command.id, account.customer, command.amount, Source.GOODWILL, 0, command.at)))
        return conclude(work, command.at, correction=note)
    parts = list(take(account.lots, -command.amount, command.at))
    if sum(n for _, n in parts) != -command.amount:
        return Refused(Reason.INSUFFICIENT_CREDITS, f"{format_amount(-command.amount)} {account.unit} are not free", available, -command.amount)
    for lot, part in parts:
        work.use(lot.id, part, Kind.ADJUST)
    return conclude(work, command.at, correction=note)


def _not_adjustable(command: Adjust, account: Account, same_id: Lot | None) -> Refused | None:
    available = account.available(command.at)
    if same_id is not None:
        return Refused(Reason.CONFLICT, f"there is a grant {command.id}", available)
    if not is_id(command.id):
        return bad_id(command.id, available)
    if command.id.startswith((VOID, TOP_UP)):
        return _reserved(available)
    if not command.amount or account.balance + command.amount > INT64_MAX:
        return Refused(Reason.BAD_AMOUNT, f"{format_amount(command.amount)} {account.unit} are nothing, or more than the account can hold", available)
    return None


def _last(parts: Parts, amount: int) -> Iterable[tuple[str, int]]:
    """Yield the last parts first until `amount` is reached."""
    for id_, n in reversed(parts):
        part = min(n, amount)
        if part > 0:
            amount -= part
            yield id_, part


def _reserved(available: int) -> Refused:
    return Refused(Reason.CONFLICT, f"ids that begin with {VOID} or {TOP_UP} are the ledger's own", available)


def _again(existing: Correction, wanted: tuple[str, str, str, int], available: int) -> Change | Refused:
    if (existing.kind, existing.customer, existing.corrects, existing.amount) != wanted:
        return Refused(Reason.CONFLICT, f"correction {existing.id} exists with other contents", available)
    return Change(Done(available, repeated=True))
