"""One customer by plain arithmetic, written from the documented rules and not from the machine: what a ledger must agree with."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from tokenworth.capture.commands import Adjust, Cancel, Confirm, Grant, Hold, Reason, Record, Refund, Settle, Source, Void
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.policy import Policy

SOURCES = [Source.PROMOTIONAL, Source.GOODWILL, Source.INCLUDED, Source.PAID]
FOREVER = 2**63


@dataclass
class Credits:
    """A grant, and what became of it."""

    grant: Grant
    state: str = "active"
    used: int = 0
    held: int = 0
    gone: int = 0

    @property
    def free(self) -> int:
        return self.grant.amount - self.used - self.held - self.gone

    @property
    def earned(self) -> int:
        return round(Fraction(self.grant.paid * (self.used + self.gone), self.grant.amount))

    def open(self, at: int) -> bool:
        return self.state == "active" and self.grant.effective <= at < (self.grant.expiry or FOREVER)

    def over(self, at: int) -> bool:
        return self.state == "void" or at >= (self.grant.expiry or FOREVER)

    def buys(self, event: UsageEvent) -> bool:
        return event.product in (self.grant.products or [event.product]) and event.tier in (self.grant.tiers or [event.tier])

    @property
    def buys_all(self) -> bool:
        return not (self.grant.products or self.grant.tiers)


@dataclass
class Held:
    """An open hold: what it took of which credits, the credit line's part under no name."""

    event: UsageEvent
    amount: int
    deadline: int
    parts: list[tuple[str, int]]
    windows: set[tuple[object, ...]]


@dataclass
class Reference:
    """A customer's credits and holds, and the money by account of the ledger."""

    customer: str
    policy: Policy = field(default_factory=Policy)
    lots: dict[str, Credits] = field(default_factory=dict)
    holds: dict[str, Held] = field(default_factory=dict)
    debt: int = 0
    money: Counter[str] = field(default_factory=Counter)
    spent: defaultdict[tuple[object, ...], int] = field(default_factory=lambda: defaultdict(int))
    paid: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    repaid: list[tuple[str, int]] = field(default_factory=list)
    corrections: dict[str, Refund | Adjust | Void] = field(default_factory=dict)
    notices: list[tuple[str, str]] = field(default_factory=list)
    low: set[int] = field(default_factory=set)
    top_up: str = ""
    top_ups: int = 0

    # what there is

    def ordered(self) -> list[Credits]:
        def place(lot: Credits) -> tuple[object, ...]:
            g = lot.grant
            rank, age = SOURCES.index(g.source), g.effective or g.at
            key = {"priority": g.priority, "expiry": g.expiry or FOREVER, "source": rank, "paid-first": -rank, "oldest": age, "newest": -age}
            return (*(key[str(each)] for each in self.policy.burn_down), g.at, g.id)

        return sorted((lot for lot in self.lots.values() if lot.state in ("active", "void")), key=place)

    @property
    def balance(self) -> int:
        return sum(lot.free + lot.held for lot in self.ordered())

    @property
    def held(self) -> int:
        return sum(n for hold in self.holds.values() for lot, n in hold.parts if lot)

    @property
    def lent(self) -> int:
        return sum(n for hold in self.holds.values() for lot, n in hold.parts if not lot)

    def available(self, at: int) -> int:
        return sum(lot.free for lot in self.ordered() if lot.open(at) and lot.buys_all) + self.policy.credit_line - self.debt - self.lent

    def windows(self, event: UsageEvent) -> Iterator[tuple[int, tuple[object, ...]]]:
        """Yield each budget that concerns an event with what a calendar on the account's wall calls its window."""
        local = datetime.fromtimestamp(event.at // 1_000_000, UTC).astimezone(ZoneInfo(self.policy.zone))
        for budget in self.policy.budgets:
            kind, _, name = budget.subject.partition(":")
            mine = {"account": "account", "key": event.api_key, "project": event.project}[kind]
            if mine and name in ("", "*", mine):
                shown = {"hour": (local.date(), local.hour, local.utcoffset()), "day": (local.date(),), "month": (local.year, local.month)}
                yield budget.limit, (kind, mine, str(budget.window), *shown[str(budget.window)])

    def counted(self, window: tuple[object, ...]) -> int:
        return self.spent[window] + sum(hold.amount for hold in self.holds.values() if window in hold.windows)

    # what may happen

    def grant(self, g: Grant) -> Reason | None:
        if g.amount <= 0 or 0 < g.expiry <= max(g.at, g.effective):
            return Reason.BAD_AMOUNT
        self.lots[g.id] = Credits(g, "pending" if g.pending else "active")
        if not g.pending:
            self.come_in(g)
            self.finish(g.at)
        return None

    def come_in(self, g: Grant) -> None:
        self.money["payments"] -= g.paid
        self.money["deferred"] += g.paid

    def confirm(self, command: Confirm) -> Reason | None:
        lot = self.lots[command.grant]
        if lot.state != "pending":
            return None if lot.state == "active" else Reason.GRANT_CLOSED
        lot.state = "active"
        self.come_in(lot.grant)
        self.top_up = "" if self.top_up == lot.grant.id else self.top_up
        self.finish(command.at)
        return None

    def cancel(self, command: Cancel) -> Reason | None:
        lot = self.lots[command.grant]
        if lot.state != "pending":
            return None if lot.state == "cancelled" else Reason.GRANT_CLOSED
        lot.state = "cancelled"
        self.top_up = "" if self.top_up == lot.grant.id else self.top_up
        return None

    def void(self, command: Void) -> Reason | None:
        lot = self.lots[command.grant]
        if lot.state != "active":
            return None if lot.state == "void" else Reason.GRANT_CLOSED
        self.clean(command.at)
        lot.state = "void"
        self.finish(command.at)
        return None

    def hold(self, command: Hold) -> Reason | None:
        event, amount = command.draft, command.amount
        usable = [lot for lot in self.ordered() if lot.open(event.at) and lot.buys(event)]
        most = sum(lot.free for lot in usable) + self.policy.credit_line - self.debt - self.lent
        if amount > max(most, 0):
            return Reason.INSUFFICIENT_CREDITS
        windows = list(self.windows(event))
        if any(amount > max(limit - self.counted(window), 0) for limit, window in windows):
            return Reason.BUDGET_EXCEEDED
        parts: list[tuple[str, int]] = []
        for lot in usable:
            n = min(lot.free, amount - sum(n for _, n in parts))
            if n:
                lot.held += n
                parts.append((lot.grant.id, n))
        rest = amount - sum(n for _, n in parts)
        self.holds[event.id] = Held(event, amount, command.deadline, [*parts, ("", rest)], {window for _, window in windows})
        return None

    def settle(self, command: Settle) -> UsageEvent:
        """Return the event that must be stored."""
        hold = self.end_hold(command.event.id)
        beyond = self.policy.beyond == "overdraft"
        return self.charge(command.event, hold, self.policy.credit_line + self.policy.overdraft if beyond else None)

    def record(self, command: Record) -> UsageEvent:
        """Usage from elsewhere: as if nothing had been held; credits and the line pay whatever the policy says."""
        event = command.event
        windows = {window for _, window in self.windows(event)}
        beyond = self.policy.overdraft if self.policy.beyond == "overdraft" else 0
        return self.charge(event, Held(event, 0, 0, [], windows), self.policy.credit_line + beyond)

    def charge(self, event: UsageEvent, hold: Held, room: int | None) -> UsageEvent:
        """Charge what was held, and past it credits and debt within `room` (None: it is waived)."""
        left, revenue, promotion = event.charge, self.money["revenue"], 0
        taken: list[tuple[str, int]] = []

        def use(lot: Credits, n: int) -> None:
            nonlocal left, promotion
            self.leave(lot, "revenue", used=n)
            promotion += n if lot.grant.source in (Source.PROMOTIONAL, Source.GOODWILL) else 0
            taken.append((lot.grant.id, n))
            left -= n

        def owe(n: int) -> None:
            nonlocal left
            self.debt += n
            taken.append(("", n))
            left -= n

        for name, part in undo([*reversed(hold.parts)], min(left, hold.amount)):
            if name:
                use(self.lots[name], part)
            else:
                owe(part)
        if left and room is not None:
            for lot in self.ordered():
                if lot.open(event.at) and lot.buys(event) and lot.free and left:
                    use(lot, min(lot.free, left))
            owe(max(min(left, room - self.debt - self.lent), 0))
        self.paid[event.id] = [part for part in taken if part[1]]
        for window in hold.windows:
            self.spent[window] += event.charge - left
        if promotion:
            cost = round(Fraction(event.cost * promotion, event.charge))
            self.money["cost"] += cost
            self.money["promotional"] -= cost
        stored = event._replace(charge=event.charge - left, waived=left, revenue=self.money["revenue"] - revenue)
        self.finish(event.ended)
        return stored

    def release(self, id_: str, at: int) -> None:
        self.end_hold(id_)
        self.finish(at)

    def expire(self, at: int) -> set[str]:
        """Return ids of holds that end."""
        late = {id_ for id_, hold in self.holds.items() if hold.deadline < at}
        for id_ in sorted(late):
            self.release(id_, at)
        due = any(lot.state == "active" and lot.over(at) and lot.free for lot in self.lots.values())
        repays = self.debt and any(lot.open(at) and lot.buys_all and lot.free for lot in self.lots.values())
        if (due or late or repays) and self.clean(at):
            self.finish(at)
        return late

    def end_hold(self, id_: str) -> Held:
        hold = self.holds.pop(id_)
        for name, n in hold.parts:
            if name:
                self.lots[name].held -= n
        return hold

    def refund(self, command: Refund) -> Reason | None:
        if command.id in self.corrections:
            return None if self.corrections[command.id] == command else Reason.CONFLICT
        parts = self.paid[command.event]
        amount = sum(n for _, n in parts) if command.amount is None else command.amount
        if not 0 < amount <= sum(n for _, n in parts):
            return Reason.BAD_AMOUNT
        self.corrections[command.id] = command
        owed = 0
        for name, n in undo(parts, amount):
            if name:
                self.leave(self.lots[name], "revenue", used=-n)
            else:
                owed += n
        still = min(owed, self.debt)
        self.debt -= still
        for name, n in undo(self.repaid, owed - still):
            self.leave(self.lots[name], "revenue", used=-n)
        self.finish(command.at)
        return None

    def adjust(self, command: Adjust) -> Reason | None:
        if command.id in self.corrections:
            return None if self.corrections[command.id] == command else Reason.CONFLICT
        usable = [lot for lot in self.ordered() if lot.open(command.at) and lot.buys_all]
        if command.amount == 0:
            return Reason.BAD_AMOUNT
        if -command.amount > sum(lot.free for lot in usable):
            return Reason.INSUFFICIENT_CREDITS
        self.corrections[command.id] = command
        if command.amount > 0:
            self.lots[command.id] = Credits(Grant(command.id, command.customer, command.amount, Source.GOODWILL, 0, command.at))
        left = max(-command.amount, 0)
        for lot in usable:
            n = min(lot.free, left)
            self.leave(lot, "revenue", used=n)
            left -= n
        self.finish(command.at)
        return None

    # what follows from it

    def leave(self, lot: Credits, account: str, *, used: int = 0, gone: int = 0) -> None:
        """Move credits out of a lot (or back), and what was paid for them out of what is deferred."""
        before = lot.earned
        lot.used += used
        lot.gone += gone
        self.money["deferred"] -= lot.earned - before
        self.money[account] += lot.earned - before

    def clean(self, at: int) -> bool:
        """Take what is over, then repay debt; return whether anything moved."""
        moved = False
        for lot in self.ordered():
            if lot.over(at) and lot.free:
                moved = True
                self.leave(lot, "payments" if lot.state == "void" else "breakage", gone=lot.free)
        for lot in self.ordered():
            n = min(lot.free, self.debt) if lot.open(at) and lot.buys_all else 0
            if n:
                moved = True
                self.debt -= n
                self.repaid.append((lot.grant.id, n))
                self.leave(lot, "revenue", used=n)
        return moved

    def finish(self, at: int) -> None:
        """Clean up, then tell what fell below a threshold, and ask for credits."""
        self.clean(at)
        left = sum(lot.free + lot.held for lot in self.ordered() if lot.open(at)) - self.debt
        below = {threshold for threshold in self.policy.low_balance if left < threshold}
        if self.policy.watches:
            self.notices += [("low_balance", str(each)) for each in sorted(below - self.low, reverse=True)]
            self.low = below
        ask = self.policy.top_up
        if ask and left < ask.below and not self.top_up:
            self.top_ups += 1
            self.top_up = f"top-up-{self.customer}/{self.top_ups}"
            self.lots[self.top_up] = Credits(Grant(self.top_up, self.customer, ask.amount, Source.PAID, ask.paid, at, pending=True), "pending")
            self.notices.append(("top_up", self.top_up))


def undo(stack: list[tuple[str, int]], amount: int) -> list[tuple[str, int]]:
    """Take `amount` off the end of a list of parts and return what was taken."""
    taken = []
    while amount:
        name, n = stack.pop()
        part = min(n, amount)
        if part < n:
            stack.append((name, n - part))
        taken.append((name, part))
        amount -= part
    return taken
