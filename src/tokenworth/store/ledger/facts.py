"""What a batch of commands must know of the database before it is decided, so that an engine asks for it in a few set-based queries."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tokenworth.capture.change import Correction
from tokenworth.capture.commands import (
    Adjust,
    Cancel,
    Command,
    Confirm,
    Expire,
    Extend,
    Grant,
    Hold,
    OpenAccount,
    Record,
    Refund,
    Release,
    Settle,
    Void,
)
from tokenworth.capture.correcting import Parts, Payment
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.limits import Stretch
from tokenworth.capture.lots import Lot
from tokenworth.capture.state import Account, Counter, HoldRow, Spend


@dataclass(slots=True)
class Needs:
    """What commands name. Whoever else it turns out to concern (the customer of a hold, a lot, an event) is needed too."""

    customers: set[str] = field(default_factory=set)
    holds: set[str] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)
    lots: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    """Whose payment is asked for."""
    corrections: set[str] = field(default_factory=set)
    counted: list[UsageEvent] = field(default_factory=list)
    """Which budgets may count."""
    stretches: set[Stretch] = field(default_factory=set)
    """Of their counters, those that are not known."""
    late: int | None = None
    """Open holds with an earlier deadline; customers whose lots have expired by then, or of whose lots one that is effective by then repays debt."""


@dataclass(slots=True)
class Facts:
    """What the database says of what was needed; what is not in it does not exist."""

    accounts: dict[str, Account] = field(default_factory=dict)
    """With live lots in burn-down order, and counters of the windows that have holds."""
    spends: dict[str, dict[Counter, Spend]] = field(default_factory=dict)
    """Counters by customer, of accounts that are known too."""
    holds: dict[str, HoldRow] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    """Id of the hold, not released, that has a customer's idempotency key."""
    lots: dict[str, Lot] = field(default_factory=dict)
    events: dict[str, UsageEvent] = field(default_factory=dict)
    """Of holds that are closed."""
    payments: dict[str, Payment] = field(default_factory=dict)
    corrections: dict[str, Correction] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    due: list[str] = field(default_factory=list)
    """Customers."""


def needs_of(commands: Iterable[Command]) -> Needs:
    """Return what commands name."""
    needs = Needs()
    for command in commands:
        NAMES[type(command)](command, needs)
    return needs


def segments(commands: Sequence[Command]) -> Iterator[Sequence[Command]]:
    """Split commands so that each refund begins a part: what was paid is read from the postings, which must be there."""
    start = 0
    for at, command in enumerate(commands):
        if isinstance(command, Refund) and at > start:
            yield commands[start:at]
            start = at
    yield commands[start:]


def _of_account(command: OpenAccount, needs: Needs) -> None:
    needs.customers.add(command.customer)


def _of_grant(command: Grant, needs: Needs) -> None:
    needs.customers.add(command.customer)
    needs.lots.add(command.id)


def _of_end(command: Confirm | Cancel, needs: Needs) -> None:
    needs.lots.add(command.grant)


def _of_void(command: Void, needs: Needs) -> None:
    needs.lots.add(command.grant)
    needs.corrections.add(f"void:{command.grant}")


def _of_refund(command: Refund, needs: Needs) -> None:
    needs.events.add(command.event)
    needs.corrections.add(command.id)


def _of_adjustment(command: Adjust, needs: Needs) -> None:
    needs.customers.add(command.customer)
    needs.corrections.add(command.id)
    needs.lots.add(command.id)


def _of_hold(command: Hold, needs: Needs) -> None:
    needs.customers.add(command.draft.customer)
    needs.holds.add(command.draft.id)
    needs.counted.append(command.draft)
    if command.key:
        needs.keys.add((command.draft.customer, command.key))


def _of_close(command: Settle | Release | Record, needs: Needs) -> None:
    needs.customers.add(command.event.customer)
    needs.holds.add(command.event.id)
    needs.counted.append(command.event)


def _of_extension(command: Extend, needs: Needs) -> None:
    needs.holds.update(command.holds)


def _of_expiry(command: Expire, needs: Needs) -> None:
    needs.late = max(command.at, needs.late or 0)


NAMES: Mapping[type[Command], Callable[[Any, Needs], None]] = {
    OpenAccount: _of_account,
    Grant: _of_grant,
    Confirm: _of_end,
    Cancel: _of_end,
    Void: _of_void,
    Refund: _of_refund,
    Adjust: _of_adjustment,
    Hold: _of_hold,
    Settle: _of_close,
    Release: _of_close,
    Record: _of_close,
    Extend: _of_extension,
    Expire: _of_expiry,
}
"""By type: a dictionary, as this is on every request's path."""


def remaining(parts: Sequence[tuple[str, int]], refunded: int) -> Parts:
    """Return parts in order less what was refunded, which took the last first."""
    left = []
    for name, n in reversed(parts):
        gone = min(n, refunded)
        refunded -= gone
        if n > gone:
            left.append((name, n - gone))
    return tuple(reversed(left))


def repayments(moves: Iterable[tuple[str, int]]) -> Parts:
    """Return what stands of repayments of debt: `moves` are (lot, amount) in order, negative where a refund undid the last ones."""
    stack: list[tuple[str, int]] = []
    for lot, n in moves:
        if n > 0:
            stack.append((lot, n))
            continue
        undone = -n
        while undone and stack:
            name, top = stack.pop()
            part = min(top, undone)
            undone -= part
            if top > part:
                stack.append((name, top - part))
    return tuple(stack)
