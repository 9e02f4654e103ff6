"""From what was read to the ledger: each use on its own, accepted, known before, or refused with the reason."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tokenworth.capture.commands import Reason, Record, Refused, Result
from tokenworth.core.errors import Problem
from tokenworth.core.instants import SECOND, format_instant
from tokenworth.core.money import format_amount
from tokenworth.flows.elsewhere.rating import Unrated, rate
from tokenworth.flows.elsewhere.reported import Read, Reported
from tokenworth.flows.ports import Ledger, Operators
from tokenworth.flows.serve.order import Shop

AHEAD = 300 * SECOND
"""How far another system's clock may be ahead of ours."""
ADD_CUSTOMER = "add it: tokenworth customers add CUSTOMER --plan PLAN"
PIECE = 100
"""Uses that are rated and committed at a stretch: requests that are served meanwhile wait for so many."""

log = logging.getLogger(__name__)


class Fate(StrEnum):
    """What became of a record."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """The same was recorded before; its event and charge are those of then."""
    REFUSED = "refused"
    IGNORED = "ignored"
    """It tells of no use."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A record's fate; of a use that is recorded the event with its charge (nano-units), of one that is refused why."""

    read: Read
    fate: Fate
    event: str = ""
    charge: int = 0
    unit: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Intake:
    """The use-case with what it needs; `shop` gives the book that is in force."""

    shop: Callable[[], Shop]
    operators: Operators
    clock: Callable[[], int]

    async def take(self, ledger: Ledger, reads: Sequence[Read]) -> list[Outcome]:
        """Record what can be recorded; an outcome for each. What the ledger raises is raised: all of it may be sent again."""
        outcomes: list[Outcome] = []
        for start in range(0, len(reads), PIECE):
            piece = [(read, self.prepare(read)) for read in reads[start : start + PIECE]]
            commands = [each for _, each in piece if isinstance(each, Record)]
            results = iter(await ledger.submit(commands) if commands else ())
            outcomes += [self.told(read, each, next(results)) if isinstance(each, Record) else each for read, each in piece]
        return outcomes

    def prepare(self, read: Read) -> Record | Outcome:
        """Return what the ledger is to do for a record, or what became of it already."""
        if read.problems or read.found is None:
            return Outcome(read, Fate.REFUSED if read.problems else Fate.IGNORED, problems=read.problems)
        try:
            return self._record(read.found)
        except Unrated as error:
            return _refused(read, Problem(error.code, error.what, error.mend, field=error.field))

    def told(self, read: Read, command: Record, result: Result) -> Outcome:
        """Return what became of a record that was sent to the ledger."""
        if isinstance(result, Refused):
            return repeated(read, result.event) if result.reason is Reason.KEY_REUSED else _refused(read, _why(result, command))
        stored = result.event or command.event
        if stored.alarm and not result.repeated:
            log.warning("event %s: %s", stored.id, stored.alarm)
        return Outcome(read, Fate.DUPLICATE if result.repeated else Fate.ACCEPTED, stored.id, stored.charge, stored.unit)

    def _record(self, reported: Reported) -> Record:
        now = self.clock()
        if max(reported.at, reported.ended) > now + AHEAD:
            what = f"it is of {format_instant(max(reported.at, reported.ended))}, and now is {format_instant(now)}"
            raise Unrated("from_the_future", what, "set the clock of the machine that sent it", "time")
        buyer = self.operators.find_buyer(reported.customer)
        if buyer is None:
            raise Unrated(
                Reason.UNKNOWN_CUSTOMER,
                f"there is no customer {reported.customer}",
                "add it: tokenworth customers add CUSTOMER --plan PLAN",
                "customer",
            )
        return Record(rate(self.shop(), buyer, reported), reported.key, reported.body)


def repeated(read: Read, event: str) -> Outcome:
    """Return the outcome of a use under whose source and id another one is known."""
    what = f"a use of this source and id is known with other contents, as event {event}"
    mend = "give each use an id of its own; to correct what was charged see `tokenworth ledger refund` and `adjust`"
    return _refused(read, Problem(Reason.KEY_REUSED, what, mend, field="id"))


def _why(refused: Refused, command: Record) -> Problem:
    charge = f"{format_amount(command.event.charge)} {command.event.unit}"
    told = {
        Reason.UNKNOWN_CUSTOMER: Problem(Reason.UNKNOWN_CUSTOMER, refused.detail, ADD_CUSTOMER, field="customer"),
        Reason.BAD_AMOUNT: Problem(Reason.BAD_AMOUNT, f"{charge} cannot be booked", "check its counts", field="counts"),
        Reason.CONFLICT: Problem("account_unit_differs", refused.detail, "give this book a database of its own", field="customer"),
    }
    return told.get(refused.reason) or Problem(refused.reason, refused.detail, "")


def _refused(read: Read, *problems: Problem) -> Outcome:
    return Outcome(read, Fate.REFUSED, problems=tuple(replace(each, line=read.number) for each in problems))


def counted(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return how many records had each fate."""
    return {str(fate): sum(each.fate is fate for each in outcomes) for fate in Fate}
