"""A ledger and a directory in memory, for tests of the use-case: one account a customer, the ledger's refusals, no file."""

import dataclasses
from collections.abc import Sequence

from tokenworth.capture.commands import (
    Command,
    Done,
    Expire,
    Extend,
    Hold,
    Reason,
    Refused,
    Release,
    Result,
    Settle,
)
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.flows.ports import Buyer, OperatorKey, Principal


class FakeLedger:
    """Credits by customer (nano-units), holds and events; each command at once."""

    def __init__(self, credits_by_customer: dict[str, int]) -> None:
        self.credits = dict(credits_by_customer)
        self.open: dict[str, Hold] = {}
        self.events: dict[str, UsageEvent] = {}
        self.keys: dict[tuple[str, str], tuple[str, str]] = {}
        self.extended: list[Extend] = []

    def available(self, customer: str) -> int:
        held = sum(hold.amount for hold in self.open.values() if hold.draft.customer == customer)
        return self.credits[customer] - held

    async def submit(self, commands: Sequence[Command]) -> list[Result]:
        return [self._apply(command) for command in commands]

    def _apply(self, command: Command) -> Result:
        if isinstance(command, Hold):
            return self._hold(command)
        if isinstance(command, Settle | Release):
            return self._close(command)
        if isinstance(command, Extend):
            self.extended.append(command)
            drafts = {draft.id: draft for draft in command.drafts}
            for name in command.holds:
                if name in self.open:
                    hold = self.open[name]
                    self.open[name] = dataclasses.replace(hold, deadline=command.deadline, draft=drafts.get(name, hold.draft))
            return Done()
        assert isinstance(command, Expire)
        late = [hold for hold in self.open.values() if hold.deadline < command.at]
        lost = tuple(hold.draft._replace(status=Status.LOST) for hold in late)
        for event in lost:
            del self.open[event.id]
            self.events[event.id] = event
        return Done(lost=lost)

    def _hold(self, command: Hold) -> Result:
        customer = command.draft.customer
        if command.key and (customer, command.key) in self.keys:
            first, body = self.keys[customer, command.key]
            if body != command.body:
                return Refused(Reason.KEY_REUSED, "", event=first)
            return Refused(Reason.IN_PROGRESS if first in self.open else Reason.DUPLICATE, "", event=first)
        available = self.available(customer)
        if command.amount > available:
            return Refused(Reason.INSUFFICIENT_CREDITS, "", available, command.amount)
        if command.key:
            self.keys[customer, command.key] = (command.draft.id, command.body)
        self.open[command.draft.id] = command
        return Done(self.available(customer))

    def _close(self, command: Settle | Release) -> Result:
        event = command.event
        if event.id in self.events:
            return Done(self.available(event.customer), self.events[event.id], repeated=True)
        hold = self.open.pop(event.id)
        if isinstance(command, Release):
            self.keys.pop((event.customer, hold.key), None)
            event = event._replace(charge=0)
        assert event.charge <= hold.amount
        self.credits[event.customer] -= event.charge
        self.events[event.id] = event
        return Done(self.available(event.customer), event)


class FakeDirectory(dict[str, Principal]):
    """Principals by secret; the operator's own keys are named by their scopes."""

    def find_key(self, secret: str) -> Principal | None:
        return self.get(secret)

    def find_operator(self, secret: str) -> OperatorKey | None:
        return OperatorKey(f"op_{secret}", secret, "") if secret in ("ingest", "metrics") else None

    def find_buyer(self, customer: str) -> Buyer | None:
        mine = [each for each in self.values() if each.customer == customer]
        return Buyer(customer, mine[0].plan, {each.api_key: each.project for each in mine}) if mine else None
