"""Who waits for a supplier: a queue in which the earliest deadline goes first.

A tier's patience is how long its requests may wait; a request's deadline is its arrival and that. So a tier of little patience goes before one of
much, and a request that has waited for the difference goes before whoever comes now: priority with ageing, and nobody starves. (For one
server and deadlines that can be met no other order meets them all: Jackson's rule, 1955.)
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tokenworth.core.instants import SECOND
from tokenworth.flows.schedule.capacity import MINUTE, Capacity, Lease

MEMORY = 16
"""Requests over which means fade."""


class State(Enum):
    """Where a ticket is."""

    WAITING = 0
    STARTED = 1
    EXPIRED = 2
    """It waited until its deadline."""
    ENDED = 3


@dataclass(slots=True, eq=False)
class Ticket:
    """A request at a supplier's queue. `tokens` is what is known of it beforehand; instants are microseconds."""

    tier: str
    tokens: int
    entered: int
    deadline: int
    state: State = State.WAITING
    started: int = 0
    lease: Lease | None = None

    @property
    def waited(self) -> int:
        """Microseconds in the queue."""
        return self.started - self.entered if self.started else 0


Moved = tuple[list[Ticket], list[Ticket]]
"""Tickets that may start now, and those whose deadline has passed."""


@dataclass(slots=True)
class Queue:
    """The queue of one supplier. `patience` is by tier."""

    capacity: Capacity
    patience: Mapping[str, int]
    _waiting: dict[str, list[Ticket]] = field(default_factory=dict)
    """By tier, earliest deadline first."""
    _length: int = 0
    _service: int = 0
    """Mean microseconds of a request at the supplier; 0 while none has ended."""
    _output: int = 0
    """Mean tokens that a request came to beyond what was known beforehand."""

    def __len__(self) -> int:
        """How many wait."""
        return self._length

    def enter(self, tier: str, tokens: int, at: int, *, since: int | None = None) -> Ticket:
        """Return a ticket, which is started where there is room. `since`: when the request arrived, where it has waited elsewhere."""
        deadline = (at if since is None else since) + self.patience[tier]
        ticket = Ticket(tier, tokens, at, deadline)
        if not self._waiting.get(tier) and self._start(ticket, at):
            return ticket
        insort(self._waiting.setdefault(tier, []), ticket, key=_deadline)
        self._length += 1
        return ticket

    def has_room(self, tier: str, at: int) -> bool:
        """Whether a request of a tier would start at once."""
        return not self._waiting.get(tier) and self.capacity.room_at(tier, at) == at

    def end(self, ticket: Ticket, at: int, tokens: int | None = None) -> Moved:
        """Take a ticket back, wherever it is: what it used (None: not known) and how long that took are learned from one that was started."""
        if ticket.state is State.WAITING:
            self._remove(ticket)
        elif ticket.state is State.STARTED and ticket.lease:
            self.capacity.release(ticket.lease, tokens)
            if tokens:
                self._service = _faded(self._service, at - ticket.started)
                self._output = _faded(self._output, max(tokens - ticket.tokens, 0))
        ticket.state = State.ENDED
        return self.tick(at)

    def tick(self, at: int) -> Moved:
        """Return whom time, or what has become free, lets start, and whose deadline has passed."""
        expired = [ticket for waiting in self._waiting.values() for ticket in waiting[: bisect_right(waiting, at, key=_deadline)]]
        for ticket in expired:
            self._remove(ticket)
            ticket.state = State.EXPIRED
        return list(iter(lambda: self._next(at), None)), expired

    def wake_at(self, at: int) -> int | None:
        """Return when `tick` has something to do if nothing else happens; None where nobody waits."""
        heads = [waiting[0] for waiting in self._waiting.values() if waiting]
        times = [head.deadline for head in heads]
        times += [time for head in heads if (time := self.capacity.room_at(head.tier, at)) is not None]
        return max(min(times), at) if times else None

    def wait(self, tier: str, at: int) -> int:
        """Estimate how long a request that comes now would wait, in microseconds: those before it, at the measured rate of service."""
        if not self._length or self.has_room(tier, at):
            return 0
        before = list(self._before(at + self.patience[tier]))
        slots = self.capacity.usable(tier)
        busy = (len(before) + 1) * self._service // slots if self.capacity.slots and slots > 0 else 0
        rate = self.capacity.rate(tier)
        flowing = sum(ticket.tokens + self._output for ticket in before) * MINUTE // rate if rate else 0
        return max(busy, flowing)

    def too_late(self, tier: str, at: int) -> int | None:
        """Return in how many microseconds to come again, where a request that comes now would not start by its deadline; else None."""
        late = self.wait(tier, at) - self.patience[tier]
        return max(late, SECOND) if late > 0 else None

    def _before(self, deadline: int) -> Iterable[Ticket]:
        for waiting in self._waiting.values():
            yield from waiting[: bisect_right(waiting, deadline, key=_deadline)]

    def _next(self, at: int) -> Ticket | None:
        heads = sorted((waiting[0] for waiting in self._waiting.values() if waiting), key=_deadline)
        for ticket in heads:
            if self._start(ticket, at):
                self._remove(ticket)
                return ticket
        return None

    def _start(self, ticket: Ticket, at: int) -> bool:
        lease = self.capacity.acquire(ticket.tier, ticket.tokens + self._output, at)
        if lease is None:
            return False
        ticket.lease, ticket.started, ticket.state = lease, at, State.STARTED
        return True

    def _remove(self, ticket: Ticket) -> None:
        waiting = self._waiting[ticket.tier]
        at = bisect_right(waiting, ticket.deadline, key=_deadline) - 1
        while waiting[at] is not ticket:
            at -= 1
        del waiting[at]
        self._length -= 1


def _deadline(ticket: Ticket) -> int:
    return ticket.deadline


def _faded(mean: int, value: int) -> int:
    return mean + (value - mean) // MEMORY if mean else value
