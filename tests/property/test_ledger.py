"""The ledger against a reference that is as naive as possible, through random lives: grants, holds, settlements, retries, restarts."""

import tempfile
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from tests.support.events import START, draft, failed, settled
from tokenworth.capture.commands import Done, Expire, Extend, Grant, Hold, OpenAccount, Reason, Refused, Release, Result, Settle, Source
from tokenworth.capture.events import UsageEvent
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.store.sqlite.reader import Reader
from tokenworth.store.sqlite.verify import verify

CUSTOMERS = ("ada", "bob")
SECOND = 1_000_000


@dataclass
class Reference:
    """One customer by plain arithmetic: what came in, what went out, what is held; revenue as an exact fraction of lots in order."""

    granted: int = 0
    charged: int = 0
    lots: list[tuple[int, int]] = field(default_factory=list)
    holds: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return self.granted - self.charged - sum(amount for amount, _ in self.holds.values())

    @property
    def paid(self) -> int:
        return sum(paid for _, paid in self.lots)


class Lives(RuleBasedStateMachine):
    """Each rule sends a command to the ledger and to the reference, and compares the answers."""

    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "l.db"
        self.ledger = self.open()
        self.now = START
        self.number = 0
        self.reference = {name: Reference() for name in CUSTOMERS}
        self.closed: dict[str, UsageEvent] = {}
        self.keys: dict[tuple[str, str], str] = {}

    def open(self) -> SqliteLedger:
        return SqliteLedger(self.path, clock=lambda: self.now)

    def send(self, *commands: object) -> list[Result]:
        return self.ledger.submit_now(list(commands))  # type: ignore[arg-type]

    @initialize(paid=st.lists(st.integers(1, 999), min_size=4, max_size=4))
    def accounts(self, paid: list[int]) -> None:
        self.send(*(OpenAccount(name, "credits", "USD", START) for name in CUSTOMERS))
        for name in CUSTOMERS:
            for each in paid:
                self.grant(name=name, amount=331, paid=each, twice=False)

    @rule(name=st.sampled_from(CUSTOMERS), amounts=st.lists(st.integers(1, 300), min_size=1, max_size=6), percent=st.integers(1, 110))
    def serve(self, name: str, amounts: list[int], percent: int) -> None:
        """Whole requests, one after the other: the common life of a hold."""
        for amount in amounts:
            self.settle(self.hold(name=name, amount=amount, seconds=30, key=""), percent=percent, twice=False)

    @rule(name=st.sampled_from(CUSTOMERS), amount=st.integers(1, 500), paid=st.integers(0, 500), twice=st.booleans())
    def grant(self, name: str, amount: int, paid: int, twice: bool) -> None:
        self.number += 1
        grant = Grant(f"g{self.number}", name, amount, Source.PAID, paid, self.now)
        results = self.send(grant, grant) if twice else self.send(grant)
        self.reference[name].granted += amount
        self.reference[name].lots.append((amount, paid))
        assert all(isinstance(r, Done) and r.available == self.reference[name].available for r in results)

    @rule(
        target=holds,
        name=st.sampled_from(CUSTOMERS),
        amount=st.integers(0, 400),
        seconds=st.integers(1, 30),
        key=st.sampled_from(["", "k1", "k2"]),
    )
    def hold(self, name: str, amount: int, seconds: int, key: str) -> UsageEvent | None:
        self.number += 1
        event = draft(self.number, name, self.now)
        deadline = self.now + seconds * SECOND
        (result,) = self.send(Hold(event, amount, deadline, key, "body" if key else ""))
        mine = self.reference[name]
        if key and (name, key) in self.keys:
            assert isinstance(result, Refused)
            first = self.keys[name, key]
            reason = Reason.IN_PROGRESS if first in mine.holds else Reason.DUPLICATE
            assert (result.reason, result.event) == (reason, first)
            return None
        if amount > max(mine.available, 0):
            assert isinstance(result, Refused)
            assert (result.reason, result.available) == (Reason.INSUFFICIENT_CREDITS, mine.available)
            return None
        mine.holds[event.id] = (amount, deadline)
        if key:
            self.keys[name, key] = event.id
        assert isinstance(result, Done)
        assert result.available == mine.available
        return event

    @rule(event=consumes(holds), percent=st.integers(0, 250), twice=st.booleans())
    def settle(self, event: UsageEvent | None, percent: int, twice: bool) -> None:
        if event is None:
            return
        mine = self.reference[event.customer]
        if event.id not in mine.holds:
            (late,) = self.send(Settle(settled(event, 1)))
            assert isinstance(late, Refused)
            assert late.reason is Reason.HOLD_CLOSED
            return
        amount, _ = mine.holds.pop(event.id)
        final = settled(event, amount * percent // 100, ended=self.now)
        results = self.send(Settle(final), Settle(final)) if twice else self.send(Settle(final))
        mine.charged += final.charge
        for result in results:
            assert isinstance(result, Done)
            assert result.available == mine.available
            assert result.event is not None
            self.closed[event.id] = result.event
        assert results[0].event == results[-1].event

    @rule(event=consumes(holds))
    def release(self, event: UsageEvent | None) -> None:
        if event is None or event.id not in self.reference[event.customer].holds:
            return
        self.free(event.id, event.customer)
        (result,) = self.send(Release(failed(event)))
        assert isinstance(result, Done)
        assert result.available == self.reference[event.customer].available
        assert result.event is not None
        self.closed[event.id] = result.event

    @rule(event=holds, seconds=st.integers(1, 60))
    def extend(self, event: UsageEvent | None, seconds: int) -> None:
        if event is None:
            return
        mine = self.reference[event.customer].holds
        if event.id in mine:
            mine[event.id] = (mine[event.id][0], max(mine[event.id][1], self.now + seconds * SECOND))
        self.send(Extend((event.id, "unknown"), self.now + seconds * SECOND))

    @rule(seconds=st.integers(1, 40))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND
        (result,) = self.send(Expire(self.now))
        assert isinstance(result, Done)
        late = {id_ for mine in self.reference.values() for id_, (_, deadline) in mine.holds.items() if deadline < self.now}
        assert {event.id for event in result.lost} == late
        for event in result.lost:
            self.free(event.id, event.customer)
            self.closed[event.id] = event

    def free(self, id_: str, customer: str) -> None:
        self.reference[customer].holds.pop(id_)
        self.keys = {key: value for key, value in self.keys.items() if value != id_}

    @rule()
    def restart(self) -> None:
        self.ledger.close()
        self.ledger = self.open()

    @rule(name=st.sampled_from(CUSTOMERS))
    def another_process_writes(self, name: str) -> None:
        """What this writer has in memory is out of date, and it must notice."""
        self.number += 1
        with self.open() as other:
            other.submit_now([Grant(f"g{self.number}", name, 100, Source.GOODWILL, 0, self.now)])
        self.reference[name].granted += 100
        self.reference[name].lots.append((100, 0))

    @invariant()
    def everything_agrees(self) -> None:
        report = verify(self.path)
        assert report.problems == []
        with Reader(self.path) as reader:
            assert {event.id: event for event in reader.read()} == self.closed
            for account in reader.accounts():
                mine = self.reference[account.customer]
                assert account.available == mine.available
                assert account.held == sum(amount for amount, _ in mine.holds.values())
                assert (account.debt == 0) or account.balance == account.held
            lots = list(reader.lots())
        for unit in {unit for unit, _ in report.balances}:
            assert sum(n for (u, _), n in report.balances.items() if u == unit) == 0
        recognised = report.balances.get(("USD", "revenue"), 0)
        exact = sum((Fraction(lot.paid * lot.used, lot.amount) for lot in lots), Fraction(0))
        assert abs(recognised - exact) <= Fraction(len(lots), 2)
        assert report.balances.get(("USD", "deferred"), 0) + recognised == sum(mine.paid for mine in self.reference.values())

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
