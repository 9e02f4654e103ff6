"""A supplier in virtual time: arrivals go through a queue, are served for a while, and leave, without a clock or a loop."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from tokenworth.flows.schedule.queue import Queue, State, Ticket


@dataclass(frozen=True)
class Arrival:
    at: int
    tier: str
    service: int
    tokens: int = 0
    leaves: int = 0
    """Microseconds after which its client gives up; 0 for never."""


@dataclass
class Run:
    """What became of each arrival, in their order."""

    tickets: list[Ticket] = field(default_factory=list)
    rejected: list[tuple[Arrival, int]] = field(default_factory=list)
    most_used: int = 0

    def of(self, tier: str, *states: State) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.tier == tier and (not states or ticket.state in states)]


@dataclass
class Supplier:
    """Plays arrivals against a queue; one pending thing at a time, earliest first."""

    queue: Queue
    reject: bool
    run: Run = field(default_factory=Run)
    _pending: list[tuple[int, int, str, Arrival | Ticket | None]] = field(default_factory=list)
    _of: dict[Ticket, Arrival] = field(default_factory=dict)
    _waking: int = 0
    _count: int = 0

    def plan(self, at: int, what: str, it: Arrival | Ticket | None) -> None:
        self._count += 1
        heapq.heappush(self._pending, (at, self._count, what, it))

    def play(self) -> None:
        while self._pending:
            at, _, what, it = heapq.heappop(self._pending)
            if isinstance(it, Arrival):
                self._arrives(it, at)
            elif it is None:
                self._waking = 0
                self._started(self.queue.tick(at)[0])
            else:
                self._ends(it, at, what)
            self.run.most_used = max(self.run.most_used, sum(self.queue.capacity.used.values()))
            wake = self.queue.wake_at(at)
            if wake is not None and (not self._waking or wake < self._waking):
                self._waking = max(wake, at + 1)
                self.plan(self._waking, "wakes", None)

    def _arrives(self, arrival: Arrival, at: int) -> None:
        if self.reject and (pause := self.queue.too_late(arrival.tier, at)) is not None:
            self.run.rejected.append((arrival, pause))
            return
        ticket = self.queue.enter(arrival.tier, arrival.tokens, at)
        self._of[ticket] = arrival
        self.run.tickets.append(ticket)
        if ticket.state is State.STARTED:
            self._started([ticket])
        if arrival.leaves:
            self.plan(at + arrival.leaves, "leaves", ticket)

    def _started(self, tickets: Iterable[Ticket]) -> None:
        for ticket in tickets:
            self.plan(ticket.started + self._of[ticket].service, "served", ticket)

    def _ends(self, ticket: Ticket, at: int, what: str) -> None:
        if ticket.state is State.STARTED or (what == "leaves" and ticket.state is State.WAITING):
            self._started(self.queue.end(ticket, at, max(ticket.tokens, 1) if what == "served" else None)[0])


def simulate(queue: Queue, arrivals: Iterable[Arrival], *, reject: bool = True) -> Run:
    """Play arrivals to their end."""
    supplier = Supplier(queue, reject)
    for arrival in arrivals:
        supplier.plan(arrival.at, "arrives", arrival)
    supplier.play()
    return supplier.run
