"""One command through the machine: look up what it names, decide, take over the change."""

from functools import singledispatch

from tokenworth.capture import machine
from tokenworth.capture.commands import Command, Done, Expire, Extend, Grant, Hold, OpenAccount, Refused, Release, Result, Settle
from tokenworth.capture.machine import Change
from tokenworth.capture.state import HoldState
from tokenworth.store.sqlite.memory import Entry, Memory


def apply(memory: Memory, command: Command, recorded: int) -> Result:
    """Apply a command to what the writer has in memory and return its result; a refusal changes nothing."""
    return _apply(command, memory, recorded)


@singledispatch
def _apply(command: Command, memory: Memory, recorded: int) -> Result:
    raise NotImplementedError(type(command).__name__)


def _take(memory: Memory, change: Change | Refused, entry: Entry) -> Result:
    if isinstance(change, Refused):
        return change
    if not change.done.repeated:
        memory.apply(change, entry)
    return change.done


@_apply.register
def _open(command: OpenAccount, memory: Memory, recorded: int) -> Result:
    change = machine.open_account(command, memory.account(command.customer))
    return _take(memory, change, Entry(command.customer, "open", command.at, recorded))


@_apply.register
def _grant(command: Grant, memory: Memory, recorded: int) -> Result:
    change = machine.grant(command, memory.account(command.customer), memory.lot(command.id))
    return _take(memory, change, Entry(f"grant:{command.id}", "grant", command.at, recorded))


@_apply.register
def _hold(command: Hold, memory: Memory, recorded: int) -> Result:
    draft = command.draft
    same_key = memory.hold_of_key(draft.customer, command.key)
    change = machine.place(command, memory.account(draft.customer), memory.hold(draft.id), same_key)
    return _take(memory, change, Entry(draft.id, "hold", draft.at, recorded))


@_apply.register
def _settle(command: Settle, memory: Memory, recorded: int) -> Result:
    event = command.event
    hold = memory.hold(event.id)
    stored = memory.event(event.id) if hold is not None and hold.state is not HoldState.OPEN else None
    change = machine.settle(event, memory.account(event.customer), hold, stored)
    return _take(memory, change, Entry(event.id, "settle", event.ended, recorded))


@_apply.register
def _release(command: Release, memory: Memory, recorded: int) -> Result:
    event = command.event
    hold = memory.hold(event.id)
    stored = memory.event(event.id) if hold is not None and hold.state is not HoldState.OPEN else None
    change = machine.release(event, memory.account(event.customer), hold, stored)
    return _take(memory, change, Entry(event.id, "release", event.ended, recorded))


@_apply.register
def _extend(command: Extend, memory: Memory, recorded: int) -> Result:
    del recorded
    drafts = {draft.id: draft for draft in command.drafts}
    for id_ in command.holds:
        hold = memory.hold(id_)
        if hold is not None and hold.state is HoldState.OPEN:
            memory.extend(machine.extend(hold, command.deadline, drafts.get(id_)))
    return Done()


@_apply.register
def _expire(command: Expire, memory: Memory, recorded: int) -> Result:
    lost = []
    for hold in list(memory.late(command.at)):
        account = memory.account(hold.customer)
        if account is None:
            continue
        change = machine.expire(account, hold, command.at)
        if isinstance(change, Change) and change.event is not None:
            _take(memory, change, Entry(hold.id, "expire", command.at, recorded))
            lost.append(change.event)
    return Done(lost=tuple(lost))
