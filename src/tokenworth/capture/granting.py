"""Accounts and grants: open, grant, confirm, cancel, void, and the expiry of lots. Pure: lookups come in, a store makes the change durable."""

from dataclasses import replace

from tokenworth.capture.change import VOID, Change, Correction, Work, bad_id, conclude, unknown_customer
from tokenworth.capture.commands import Cancel, Confirm, Done, Grant, OpenAccount, Reason, Refused, Void
from tokenworth.capture.limits import TOP_UP
from tokenworth.capture.lots import Lot, LotState, burn_down
from tokenworth.capture.policy import STANDARD
from tokenworth.capture.state import Account
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.ids import is_id


def open_account(command: OpenAccount, existing: Account | None) -> Change | Refused:
    """Open an account, or find it open with the same unit and currency; a policy replaces the one it had."""
    if existing is None:
        if not is_id(command.customer):
            return bad_id(command.customer)
        new = Account(command.customer, command.unit, command.currency, command.policy or STANDARD)
        return Change(Done(new.available(command.at)), new)
    available = existing.available(command.at)
    if (existing.unit, existing.currency) != (command.unit, command.currency):
        why = f"{command.customer} has an account in {existing.unit} and {existing.currency}"
        return Refused(Reason.CONFLICT, why, available)
    policy = command.policy
    if policy is None or policy == existing.policy:
        return Change(Done(available, repeated=True))
    after = existing._replace(policy=policy, lots=burn_down(existing.lots, policy.burn_down), version=existing.version + 1)
    return Change(Done(after.available(command.at)), after)


def grant(command: Grant, account: Account | None, existing: Lot | None) -> Change | Refused:
    """Add a lot in its place of the burn-down order; credits first repay debt. A pending one waits for its confirmation."""
    if account is None:
        return unknown_customer(command.customer)
    available = account.available(command.at)
    if existing is not None:
        # once it is confirmed, a lot no longer tells that it was pending
        confirmed = existing.state in (LotState.ACTIVE, LotState.VOID)
        if existing.grant != (replace(command, pending=existing.grant.pending) if confirmed else command):
            return Refused(Reason.CONFLICT, f"grant {command.id} exists with other contents", available)
        return Change(Done(available, repeated=True))
    if refused := _unusable(command, account, available):
        return refused
    if command.pending:
        after = account._replace(version=account.version + 1)
        return Change(Done(available), after, made=(Lot(command, LotState.PENDING),))
    work = Work(account)
    work.add(Lot(command))
    return conclude(work, command.at)


def _unusable(given: Grant, account: Account, available: int) -> Refused | None:
    if not is_id(given.id):
        return bad_id(given.id, available)
    why = _contradiction(given, account)
    return Refused(Reason.BAD_AMOUNT, why, available) if why else None


def _contradiction(given: Grant, account: Account) -> str:
    if given.amount <= 0 or given.paid < 0 or _too_much(given, account):
        return f"a grant of {given.amount} nano-units for {given.paid} cannot be booked"
    if max(map(abs, (given.priority, given.at, given.effective, given.expiry))) > INT64_MAX:
        return f"a priority or an instant of grant {given.id} is out of range"
    if given.expiry and given.expiry <= max(given.effective, given.at):
        return f"grant {given.id} would expire before it could be used"
    if given.id.startswith(TOP_UP):
        return f"ids that begin with {TOP_UP} are the ledger's own"
    return ""


def _too_much(given: Grant, account: Account) -> bool:
    """Whether a balance, or what one charge could recognise of all lots, would pass what a row can hold."""
    return account.balance + given.amount > INT64_MAX or sum(lot.grant.paid for lot in account.lots) + given.paid > INT64_MAX


def confirm(command: Confirm, account: Account | None, lot: Lot | None) -> Change | Refused:
    """Make a pending lot's credits real, once; of a top-up, the next may be asked for."""
    if account is None or lot is None:
        return _unknown(command.grant)
    available = account.available(command.at)
    if lot.state is LotState.ACTIVE:
        return Change(Done(available, repeated=True))
    if lot.state is not LotState.PENDING:
        return _closed(lot, available)
    if _too_much(lot.grant, account):
        return Refused(Reason.BAD_AMOUNT, f"grant {lot.id} is more than the account can hold", available)
    work = Work(_asked(account, lot))
    work.add(Lot(lot.grant), new=False)
    return conclude(work, command.at)


def cancel(command: Cancel, account: Account | None, lot: Lot | None) -> Change | Refused:
    """End a pending lot; a top-up is asked for again when the balance next changes below its threshold."""
    if account is None or lot is None:
        return _unknown(command.grant)
    available = account.available(command.at)
    if lot.state is LotState.CANCELLED:
        return Change(Done(available, repeated=True))
    if lot.state is not LotState.PENDING:
        return _closed(lot, available)
    after = _asked(account, lot)._replace(version=account.version + 1)
    return Change(Done(available), after, lots=(Lot(lot.grant, LotState.CANCELLED),))


def void(command: Void, account: Account | None, lot: Lot | None) -> Change | Refused:
    """Take back what is free of a lot now, and what is held of it when it becomes free."""
    if account is None or lot is None:
        return _unknown(command.grant)
    available = account.available(command.at)
    if lot.state is LotState.VOID:
        return Change(Done(available, repeated=True))
    if lot.state is not LotState.ACTIVE:
        return _closed(lot, available)
    work = Work(account, [lot])
    # what has expired is breakage, whether or not it was swept before
    work.settle_up(command.at)
    now = work.lot(lot.id)
    work.changed[lot.id] = Lot(lot.grant, LotState.VOID, now.used, now.held, now.gone)
    note = Correction(f"{VOID}{lot.id}", "void", account.customer, lot.id, now.left, command.at, command.who, command.why)
    return conclude(work, command.at, correction=note)


def sweep(account: Account, at: int) -> Change | None:
    """Take what is over of an account's lots, and repay debt from those that are effective by now; None where nothing is to be done."""
    work = Work(account)
    work.settle_up(at)
    return conclude(work, at) if work.postings else None


def _asked(account: Account, lot: Lot) -> Account:
    """Forget a top-up that is no longer pending."""
    if account.limits.pending != lot.id:
        return account
    return account._replace(limits=account.limits._replace(pending=""))


def _unknown(grant_id: str) -> Refused:
    return Refused(Reason.UNKNOWN_GRANT, f"there is no grant {grant_id}")


def _closed(lot: Lot, available: int) -> Refused:
    return Refused(Reason.GRANT_CLOSED, f"grant {lot.id} is {lot.state.name.lower()}", available)
