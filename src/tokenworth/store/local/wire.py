"""Commands of a running gateway, and their results, as JSON lists. Operators' commands open the ledger themselves.

    hold ["H", draft, amount, deadline, key, body]    settle ["S", event]    release ["R", event]
    record ["C", event, key, body]    extend ["X", holds, deadline, drafts]    expire ["E", at]
    done [available, repeated, event, lost]           refused [reason, detail, available, needed, event, again]

Events are rows as the tables have them. Of an event that was sent just now, only what the ledger fills in comes back.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from tokenworth.capture.commands import Command, Done, Expire, Extend, Hold, Reason, Record, Refused, Release, Result, Settle
from tokenworth.capture.events import UsageEvent
from tokenworth.core.errors import InputError, LedgerError
from tokenworth.store.ledger.codec import event_row, event_value
from tokenworth.store.ledger.texts import check_texts

OF_DONE = 4
"""Parts of a result that is no refusal."""


def encode_commands(commands: Sequence[Command]) -> bytes:
    """Return one caller's commands; InputError where a text cannot be stored, LedgerError where a command is none of a gateway's."""
    try:
        return orjson.dumps([_command(command) for command in commands])
    except orjson.JSONEncodeError:
        check_texts(commands)
        raise


def decode_commands(message: bytes) -> list[list[Command]]:
    """Return the commands of each caller of a message."""
    return [[_decoded(plain) for plain in each] for each in orjson.loads(message)]


def encode_outcome(commands: Sequence[Command], outcome: Sequence[Result] | Exception) -> Any:
    """Return one caller's results, or what went wrong, ready for orjson."""
    if isinstance(outcome, InputError | LedgerError):
        return {"kind": "input" if isinstance(outcome, InputError) else "ledger", "what": outcome.what, "mend": outcome.mend, "code": outcome.code}
    if isinstance(outcome, Exception):
        return {"kind": "ledger", "what": f"the ledger failed: {outcome!r}", "mend": "", "code": LedgerError.code}
    return [_result(command, result) for command, result in zip(commands, outcome, strict=True)]


def decode_outcome(commands: Sequence[Command], plain: Any) -> list[Result] | Exception:
    """Return one caller's results, or the error that it is to raise."""
    if isinstance(plain, dict):
        kind = InputError if plain["kind"] == "input" else LedgerError
        return kind(plain["what"], mend=plain["mend"], code=plain["code"])
    return [_result_of(command, each) for command, each in zip(commands, plain, strict=True)]


def _command(command: Command) -> list[Any]:
    if isinstance(command, Hold):
        return ["H", event_row(command.draft), command.amount, command.deadline, command.key, command.body]
    if isinstance(command, Settle):
        return ["S", event_row(command.event)]
    if isinstance(command, Release):
        return ["R", event_row(command.event)]
    if isinstance(command, Record):
        return ["C", event_row(command.event), command.key, command.body]
    if isinstance(command, Extend):
        return ["X", command.holds, command.deadline, [event_row(draft) for draft in command.drafts]]
    if isinstance(command, Expire):
        return ["E", command.at]
    raise LedgerError(f"{type(command).__name__} is no command of a gateway", mend="open the ledger itself")


def _decoded(plain: list[Any]) -> Command:
    kind, *rest = plain
    if kind == "H":
        draft, amount, deadline, key, body = rest
        return Hold(event_value(draft), amount, deadline, key, body)
    if kind == "S":
        return Settle(event_value(rest[0]))
    if kind == "R":
        return Release(event_value(rest[0]))
    if kind == "C":
        event, key, body = rest
        return Record(event_value(event), key, body)
    if kind == "X":
        holds, deadline, drafts = rest
        return Extend(tuple(holds), deadline, tuple(map(event_value, drafts)))
    return Expire(*rest)


def _result(command: Command, result: Result) -> list[Any]:
    if isinstance(result, Refused):
        return [result.reason, result.detail, result.available, result.needed, result.event, result.again]
    event: Any = None
    if result.event is not None:
        sent = isinstance(command, Settle | Release | Record) and not result.repeated
        event = (result.event.charge, result.event.waived, result.event.revenue) if sent else event_row(result.event)
    return [result.available, result.repeated, event, [event_row(lost) for lost in result.lost]]


def _result_of(command: Command, plain: list[Any]) -> Result:
    if len(plain) != OF_DONE:
        reason, *rest = plain
        return Refused(Reason(reason), *rest)
    available, repeated, event, lost = plain
    return Done(available, _event(command, event), tuple(map(event_value, lost)), repeated)


def _event(command: Command, plain: list[Any] | None) -> UsageEvent | None:
    if plain is None:
        return None
    if isinstance(command, Settle | Release | Record) and len(plain) == 3:
        charge, waived, revenue = plain
        return command.event.booked(charge=charge, waived=waived, revenue=revenue)
    return event_value(plain)
