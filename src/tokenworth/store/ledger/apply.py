"""One command through the machine: look up what it names, decide, take over the change."""

from collections.abc import Callable, Mapping
from typing import Any

from tokenworth.capture import correcting, granting, spending
from tokenworth.capture.change import Change
from tokenworth.capture.commands import (
    Adjust,
    Cancel,
    Command,
    Confirm,
    Done,
    Expire,
    Extend,
    Grant,
    Hold,
    OpenAccount,
    Record,
    Refund,
    Refused,
    Release,
    Result,
    Settle,
    Void,
)
from tokenworth.capture.state import HoldState
from tokenworth.store.ledger.memory import Entry, Memory


def apply(memory: Memory, command: Command, recorded: int) -> Result:
    """Apply a command to what the writer has in memory and return its result; a refusal changes nothing."""
    return HANDLERS[type(command)](command, memory, recorded)


def _take(memory: Memory, change: Change | Refused, entry: Entry) -> Result:
    if isinstance(change, Refused):
        return change
    if not change.done.repeated:
        memory.apply(change, entry)
    return change.done


def _open(command: OpenAccount, memory: Memory, recorded: int) -> Result:
    change = granting.open_account(command, memory.account(command.customer))
    return _take(memory, change, Entry(command.customer, "open", command.at, recorded))


def _grant(command: Grant, memory: Memory, recorded: int) -> Result:
    change = granting.grant(command, memory.account(command.customer), memory.lot(command.id))
    return _take(memory, change, Entry(f"grant:{command.id}", "grant", command.at, recorded))


def _confirm(command: Confirm, memory: Memory, recorded: int) -> Result:
    lot = memory.lot(command.grant)
    account = memory.account(lot.grant.customer) if lot else None
    return _take(memory, granting.confirm(command, account, lot), Entry(f"grant:{command.grant}", "grant", command.at, recorded))


def _cancel(command: Cancel, memory: Memory, recorded: int) -> Result:
    lot = memory.lot(command.grant)
    account = memory.account(lot.grant.customer) if lot else None
    return _take(memory, granting.cancel(command, account, lot), Entry(f"cancel:{command.grant}", "cancel", command.at, recorded))


def _void(command: Void, memory: Memory, recorded: int) -> Result:
    lot = memory.lot(command.grant)
    account = memory.account(lot.grant.customer) if lot else None
    return _take(memory, granting.void(command, account, lot), Entry(f"void:{command.grant}", "void", command.at, recorded))


def _refund(command: Refund, memory: Memory, recorded: int) -> Result:
    payment = memory.payment(command.event)
    change = correcting.refund(command, memory.account(payment.customer), payment, memory.correction(command.id))
    return _take(memory, change, Entry(f"refund:{command.id}", "refund", command.at, recorded))


def _adjust(command: Adjust, memory: Memory, recorded: int) -> Result:
    change = correcting.adjust(command, memory.account(command.customer), memory.correction(command.id), memory.lot(command.id))
    return _take(memory, change, Entry(f"adjustment:{command.id}", "adjustment", command.at, recorded))


def _hold(command: Hold, memory: Memory, recorded: int) -> Result:
    draft = command.draft
    same_key = memory.hold_of_key(draft.customer, command.key)
    change = spending.place(command, memory.account(draft.customer), memory.hold(draft.id), same_key)
    return _take(memory, change, Entry(draft.id, "hold", draft.at, recorded))


def _settle(command: Settle, memory: Memory, recorded: int) -> Result:
    event = command.event
    hold = memory.hold(event.id)
    stored = memory.event(event.id) if hold is not None and hold.state is not HoldState.OPEN else None
    change = spending.settle(event, memory.account(event.customer), hold, stored)
    return _take(memory, change, Entry(event.id, "settle", event.ended, recorded))


def _release(command: Release, memory: Memory, recorded: int) -> Result:
    event = command.event
    hold = memory.hold(event.id)
    stored = memory.event(event.id) if hold is not None and hold.state is not HoldState.OPEN else None
    change = spending.release(event, memory.account(event.customer), hold, stored)
    return _take(memory, change, Entry(event.id, "release", event.ended, recorded))


def _record(command: Record, memory: Memory, recorded: int) -> Result:
    event = command.event
    change = spending.record(command, memory.account(event.customer), memory.hold(event.id), memory.event(event.id))
    return _take(memory, change, Entry(event.id, "record", event.ended, recorded))


def _extend(command: Extend, memory: Memory, recorded: int) -> Result:
    del recorded
    drafts = {draft.id: draft for draft in command.drafts}
    for id_ in command.holds:
        hold = memory.hold(id_)
        if hold is not None and hold.state is HoldState.OPEN:
            memory.put_hold(spending.extend(hold, command.deadline, drafts.get(id_)))
    return Done()


def _expire(command: Expire, memory: Memory, recorded: int) -> Result:
    lost = []
    for hold in list(memory.late(command.at)):
        account = memory.account(hold.customer)
        if account is None:
            continue
        change = spending.expire(account, hold, command.at)
        if isinstance(change, Change) and change.event is not None:
            _take(memory, change, Entry(hold.id, "expire", command.at, recorded))
            lost.append(change.event)
    for customer in memory.due():
        account = memory.account(customer)
        swept = granting.sweep(account, command.at) if account else None
        if swept is not None and swept.account is not None:
            _take(memory, swept, Entry(f"expiry:{customer}:{swept.account.version}", "expiry", command.at, recorded))
    return Done(lost=tuple(lost))


HANDLERS: Mapping[type[Command], Callable[[Any, Memory, int], Result]] = {
    OpenAccount: _open,
    Grant: _grant,
    Confirm: _confirm,
    Cancel: _cancel,
    Void: _void,
    Refund: _refund,
    Adjust: _adjust,
    Hold: _hold,
    Settle: _settle,
    Release: _release,
    Record: _record,
    Extend: _extend,
    Expire: _expire,
}
"""By type: a dictionary, as this is on every request's path."""
