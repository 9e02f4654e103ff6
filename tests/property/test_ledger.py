"""The ledger against a reference that is as naive as possible, through random lives: every command, retries, restarts, two writers."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from tests.support.engines import Engine, Sqlite
from tests.support.events import START, draft, failed, settled
from tests.support.reference import Reference
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
    Reason,
    Record,
    Refund,
    Refused,
    Release,
    Result,
    Settle,
    Source,
    Void,
)
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.policy import Beyond, Budget, Order, Policy, TopUp
from tokenworth.core.periods import Window

SECOND = 1_000_000
MINUTE = 60 * SECOND
ZONE = "America/Santiago"
POLICIES = (
    Policy(zone=ZONE),
    Policy((Order.NEWEST,), Beyond.CAPPED, credit_line=60, zone=ZONE, low_balance=(100, 300)),
    Policy(overdraft=30, credit_line=20, zone=ZONE, budgets=(Budget("account", Window.HOUR, 500), Budget("key:*", Window.DAY, 900))),
    Policy(
        (Order.PAID_FIRST, Order.EXPIRY),
        overdraft=200,
        zone=ZONE,
        budgets=(Budget("key:*", Window.DAY, 700), Budget("key:key", Window.DAY, 400), Budget("project:*", Window.MONTH, 800)),
        low_balance=(50,),
        top_up=TopUp(150, 200, 77),
    ),
)
STATES = ("active", "pending", "cancelled", "void")
Step = tuple[Command, Callable[[], object]]
"""A command, and what it does to the reference, which returns a reason if it must be refused."""

names = st.sampled_from(["ada", "bob"])
amounts = st.integers(1, 300)
dates = st.sampled_from([0, 0, 0, 5 * SECOND, 40 * SECOND, 45 * MINUTE])
terms = st.fixed_dictionaries(
    {
        "source": st.sampled_from(Source),
        "paid": st.integers(0, 500),
        "priority": st.sampled_from([0, 0, -1, 1]),
        "products": st.sampled_from([(), (), ("chat",), ("code", "image")]),
        "tiers": st.sampled_from([(), (), (), ("flex",)]),
        "pending": st.booleans(),
    }
)
requests = st.fixed_dictionaries(
    {
        "product": st.sampled_from(["chat", "chat", "code"]),
        "tier": st.sampled_from(["default", "default", "flex"]),
        "api_key": st.sampled_from(["key", "other"]),
        "project": st.sampled_from(["", "p"]),
        "cost": st.integers(0, 99),
    }
)


class Lives(RuleBasedStateMachine):
    """Each rule sends commands to the ledger and to the reference, and compares the answers."""

    engine: ClassVar[type[Engine]] = Sqlite
    holds, grants, charged = Bundle("holds"), Bundle("grants"), Bundle("charged")

    def __init__(self) -> None:
        super().__init__()
        self.store = self.engine()
        self.now = START
        self.number = 0
        self.writers = [self.store.open(lambda: self.now) for _ in range(2)]
        self.reference = {name: Reference(name) for name in ("ada", "bob")}
        self.events: dict[str, UsageEvent] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.done: list[Command] = []

    # how commands are sent

    def run(self, name: str, *steps: Step, twice: bool = False) -> list[Result]:
        """Send commands of one customer as one batch, each twice if so, and compare each answer with the reference."""
        mine, wanted = self.reference[name], []
        for command, act in steps:
            reason = act()
            at = (
                command.event.ended if isinstance(command, Settle | Release | Record) else command.draft.at if isinstance(command, Hold) else self.now
            )
            wanted.append((reason, mine.available(at)))
            if not isinstance(reason, Reason) and not isinstance(command, OpenAccount):
                self.done.append(command)
        times = 2 if twice else 1
        results = self.writers[0].submit_now([command for command, _ in steps for _ in range(times)])
        for (reason, available), result in zip(wanted, results[::times], strict=True):
            if isinstance(reason, Reason):
                assert isinstance(result, Refused), result
                assert result.reason is reason
            else:
                assert isinstance(result, Done), result
                assert result.available == available
                assert not isinstance(reason, UsageEvent) or result.event == reason
        self.repeated(results[::times], results[1::times] if twice else [])
        return results[::times]

    @staticmethod
    def repeated(first: Sequence[Result], again: Sequence[Result]) -> None:
        for one, other in zip(first, again, strict=False):
            if isinstance(one, Done):
                assert isinstance(other, Refused) or (other.repeated and other.event == one.event)
            else:
                assert isinstance(other, Refused)

    def next(self) -> int:
        self.number += 1
        return self.number

    # rules

    @initialize(paid=st.integers(1, 999), policies=st.tuples(st.sampled_from(POLICIES), st.sampled_from(POLICIES)))
    def accounts(self, paid: int, policies: tuple[Policy, Policy]) -> None:
        for name, policy in zip(self.reference, policies, strict=True):
            self.agree(name=name, policy=policy)
            first = Grant(f"first-{name}", name, 700, Source.PAID, paid, self.now)
            self.run(name, (first, partial(self.reference[name].grant, first)))

    @rule(name=names, policy=st.sampled_from(POLICIES))
    def agree(self, name: str, policy: Policy) -> None:
        self.run(name, (OpenAccount(name, "credits", "USD", self.now, policy), lambda: setattr(self.reference[name], "policy", policy)))

    @rule(target=grants, name=names, amount=st.integers(0, 300), dated=st.tuples(dates, dates), terms=terms, twice=st.booleans())
    def grant(self, *, name: str, amount: int, dated: tuple[int, int], terms: dict[str, Any], twice: bool) -> str:
        id_ = f"g{self.next()}"
        effective, expiry = (each and self.now + each for each in dated)
        command = Grant(id_, name, amount, at=self.now, effective=effective, expiry=expiry, **terms)
        self.run(name, (command, lambda: self.reference[name].grant(command)), twice=twice)
        return id_

    @rule(grant=grants, twice=st.booleans())
    def confirm(self, grant: str, twice: bool) -> None:
        self.lot_command(Confirm(grant, self.now), twice)

    @rule(grant=grants, twice=st.booleans())
    def cancel(self, grant: str, twice: bool) -> None:
        self.lot_command(Cancel(grant, self.now), twice)

    @rule(grant=grants, twice=st.booleans())
    def void(self, grant: str, twice: bool) -> None:
        self.lot_command(Void(grant, self.now, "eve", "because"), twice)

    @rule(name=names, paid=st.booleans())
    def end_top_up(self, name: str, paid: bool) -> None:
        if asked := self.reference[name].top_up:
            self.lot_command(Confirm(asked, self.now) if paid else Cancel(asked, self.now), True)

    def lot_command(self, command: Confirm | Cancel | Void, twice: bool) -> None:
        mine = next((each for each in self.reference.values() if command.grant in each.lots), None)
        if mine is None:  # its grant was refused
            (result,) = self.writers[0].submit_now([command])
            assert isinstance(result, Refused)
            assert result.reason is Reason.UNKNOWN_GRANT
            return
        act = {Confirm: mine.confirm, Cancel: mine.cancel, Void: mine.void}[type(command)]
        self.run(mine.customer, (command, lambda: act(command)), twice=twice)  # type: ignore[operator]

    @rule(target=holds, name=names, amount=st.integers(0, 400), seconds=st.integers(1, 60), late=st.sampled_from([0, 0, 1800]), request=requests)
    def hold(self, name: str, amount: int, seconds: int, late: int, request: dict[str, Any]) -> UsageEvent:
        event = draft(self.next(), name, self.now - late * SECOND)._replace(**request)
        command = Hold(event, amount, self.now + seconds * SECOND)
        self.run(name, (command, lambda: self.reference[name].hold(command)), twice=bool(seconds % 2))
        return event

    @rule(target=holds, name=names, key=st.sampled_from(["k1", "k2"]), amount=amounts)
    def hold_with_key(self, name: str, key: str, amount: int) -> UsageEvent:
        event = draft(self.next(), name, self.now)
        command = Hold(event, amount, self.now + 20 * SECOND, key, "body")
        if first := self.keys.get((name, key)):
            reason = Reason.IN_PROGRESS if first in self.reference[name].holds else Reason.DUPLICATE
            (result,) = self.run(name, (command, lambda: reason))
            assert isinstance(result, Refused)
            assert result.event == first
        elif isinstance(self.run(name, (command, lambda: self.reference[name].hold(command)))[0], Done):
            self.keys[name, key] = event.id
        return event

    @rule(target=charged, event=consumes(holds), percent=st.integers(0, 250), twice=st.booleans())
    def settle(self, event: UsageEvent, percent: int, twice: bool) -> str:
        mine = self.reference[event.customer]
        if event.id not in mine.holds:
            (late,) = self.writers[0].submit_now([Settle(settled(event, 1))])
            assert isinstance(late, Refused) == (late.event is None or late.event == event.id)
            return event.id
        amount = mine.holds[event.id].amount
        command = Settle(settled(event, amount * percent // 100 if amount else percent % 3, ended=self.now))
        self.run(event.customer, (command, lambda: self.close(mine.settle(command))), twice=twice)
        return event.id

    @rule(
        target=charged, name=names, charge=st.integers(0, 500), late=st.sampled_from([0, 0, 7, 1800, 90_000]), request=requests, twice=st.booleans()
    )
    def record(self, *, name: str, charge: int, late: int, request: dict[str, Any], twice: bool) -> str:
        """Usage from elsewhere, told of when it is over; again with another content it is refused."""
        mine, at = self.reference[name], self.now - late * SECOND
        event = settled(draft(self.next(), name, at), charge, ended=at + late % 2)._replace(**request)
        command = Record(event, f"elsewhere\n{event.id}", "body")
        self.run(name, (command, lambda: self.close(mine.record(command))), twice=twice)
        (other,) = self.writers[0].submit_now([replace(command, body="other")])
        assert isinstance(other, Refused)
        assert (other.reason, other.event) == (Reason.KEY_REUSED, event.id)
        return event.id

    @rule(
        target=charged,
        name=names,
        amounts=st.lists(amounts, min_size=1, max_size=4),
        percent=st.integers(50, 130),
        request=requests,
        back=st.booleans(),
    )
    def serve(self, name: str, amounts: list[int], percent: int, request: dict[str, Any], back: bool) -> str:
        """Whole requests in one batch, the common life of a hold; perhaps refunded in the same batch."""
        mine, steps = self.reference[name], list[Step]()
        for amount in amounts:
            event = draft(self.next(), name, self.now)._replace(**request)
            held = Hold(event, amount, self.now + SECOND)
            done = Settle(settled(event, amount * percent // 100, ended=self.now))
            steps += [(held, partial(mine.hold, held)), (done, partial(self.settle_if_held, done))]
            if back:
                undo = Refund(f"r{self.next()}", event.id, max(amount // 2, 1), self.now, "eve", "because")
                steps.append((undo, partial(self.refund_if_charged, undo, name)))
        self.run(name, *steps)
        return event.id

    @rule(target=charged, name=names, share=st.sampled_from([50, 100, 100]), extra=amounts, came=amounts, back=st.integers(1, 400))
    def overdraw(self, *, name: str, share: int, extra: int, came: int, back: int) -> str:
        """Hold what there is, charge more, repay some of the debt, and take some of the charge back."""
        mine, event = self.reference[name], draft(self.next(), name, self.now)
        held = Hold(event, max(mine.available(self.now), 0) * share // 100, self.now + SECOND)
        done = Settle(settled(event, held.amount + extra, ended=self.now))
        more = Grant(f"g{self.next()}", name, came, Source.PAID, came // 3, self.now)
        undo = Refund(f"r{self.next()}", event.id, back, self.now, "eve", "because")
        self.run(name, (held, partial(mine.hold, held)), (done, partial(self.settle_if_held, done)))
        self.run(name, (more, partial(mine.grant, more)))
        self.run(name, (undo, partial(self.refund_if_charged, undo, name)))
        return event.id

    @rule(target=holds, name=names)
    def hold_all(self, name: str) -> UsageEvent:
        """The credit line too."""
        mine, event = self.reference[name], draft(self.next(), name, self.now)
        command = Hold(event, max(mine.available(self.now), 0), self.now + 60 * SECOND)
        self.run(name, (command, partial(mine.hold, command)))
        return event

    def settle_if_held(self, command: Settle) -> object:
        mine = self.reference[command.event.customer]
        return self.close(mine.settle(command)) if command.event.id in mine.holds else Reason.UNKNOWN_HOLD

    def close(self, event: UsageEvent) -> UsageEvent:
        self.events[event.id] = event
        return event

    @rule(event=consumes(holds), twice=st.booleans())
    def release(self, event: UsageEvent, twice: bool) -> None:
        mine = self.reference[event.customer]
        if event.id in mine.holds:
            final = failed(event)._replace(ended=self.now)
            self.run(event.customer, (Release(final), lambda: mine.release(event.id, self.now)), twice=twice)
            self.freed(final)

    def freed(self, event: UsageEvent) -> None:
        self.close(event)
        self.keys = {key: id_ for key, id_ in self.keys.items() if id_ != event.id}

    @rule(event=holds, seconds=st.integers(1, 60))
    def extend(self, event: UsageEvent, seconds: int) -> None:
        mine = self.reference[event.customer].holds
        if event.id in mine:
            mine[event.id].deadline = max(mine[event.id].deadline, self.now + seconds * SECOND)
        self.writers[0].submit_now([Extend((event.id, "unknown"), self.now + seconds * SECOND)])

    @rule(seconds=st.sampled_from([1, 5, 40, 45 * 60, 5 * 3600, 40 * 86400]), sweep=st.booleans())
    def time_passes(self, seconds: int, sweep: bool) -> None:
        self.it_is(self.now + seconds * SECOND, sweep)

    @rule(less=st.sampled_from([0, 0, 1]), sweep=st.booleans())
    def a_date_comes(self, less: int, sweep: bool) -> None:
        """The next instant at which a lot begins or ends, or the one before."""
        grants = [lot.grant for mine in self.reference.values() for lot in mine.lots.values()]
        dates = [date for grant in grants for date in (grant.effective, grant.expiry) if date > self.now]
        if dates:
            self.it_is(min(dates) - less, sweep)

    def it_is(self, now: int, sweep: bool) -> None:
        self.now = now
        if sweep:
            (result,) = self.writers[0].submit_now([Expire(self.now)])
            assert isinstance(result, Done)
            assert {event.id for event in result.lost} == {id_ for mine in self.reference.values() for id_ in mine.expire(self.now)}
            for event in result.lost:
                assert event.charge == event.revenue == 0
                self.freed(event)

    @rule(event=charged, amount=st.one_of(st.none(), st.integers(0, 300)), twice=st.booleans())
    def refund(self, event: str, amount: int | None, twice: bool) -> None:
        stored = self.events.get(event)
        name = stored.customer if stored else "ada"
        command = Refund(f"r{self.next()}", event, amount, self.now, "eve", "because")
        self.run(name, (command, lambda: self.refund_if_charged(command, name)), twice=twice)

    def refund_if_charged(self, command: Refund, name: str) -> object:
        stored = self.events.get(command.event)
        return self.reference[name].refund(command) if stored and stored.charge else Reason.UNKNOWN_EVENT

    @rule(name=names, amount=st.integers(-200, 200), twice=st.booleans())
    def adjust(self, name: str, amount: int, twice: bool) -> None:
        command = Adjust(f"a{self.next()}", name, amount, self.now, "eve", "because")
        self.run(name, (command, lambda: self.reference[name].adjust(command)), twice=twice)

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """What took effect once, in whatever past, changes nothing."""
        if self.done:
            (result,) = self.writers[0].submit_now([data.draw(st.sampled_from(self.done))])
            assert isinstance(result, Refused) or result.repeated

    @rule()
    def the_other_writes(self) -> None:
        """What a writer has in memory is out of date, and it must notice."""
        self.writers.reverse()

    @rule()
    def restart(self) -> None:
        self.writers.pop(0).close()
        self.writers.append(self.store.open(lambda: self.now))

    # what must hold after each

    @invariant()
    def everything_agrees(self) -> None:
        seen = self.store.picture()
        assert seen.problems == []
        assert seen.events == self.events
        assert {unit: sum(n for (u, _), n in seen.sums.items() if u == unit) for unit, _ in seen.sums} == dict.fromkeys({u for u, _ in seen.sums}, 0)
        money: Counter[str] = Counter()
        for mine in self.reference.values():
            if mine.customer not in seen.accounts:
                continue
            money.update(mine.money)
            account = seen.accounts[mine.customer]
            assert (account.balance, account.held, account.lent, account.debt) == (mine.balance, mine.held, mine.lent, mine.debt)
            assert account.available(self.now) == mine.available(self.now)
            assert 0 <= account.held <= account.balance
            assert (seen.sums["credits", f"wallet:{mine.customer}"], -seen.sums["credits", f"debt:{mine.customer}"]) == (mine.balance, mine.debt)
            assert [notice[1:] for notice in seen.notices if notice[0] == mine.customer] == mine.notices
            assert [lot.id for lot in account.lots] == [lot.grant.id for lot in mine.ordered() if lot.free + lot.held]
        assert {name: n for (unit, name), n in seen.sums.items() if unit == "USD" and n} == {name: n for name, n in money.items() if n}
        lots = {id_: lot for mine in self.reference.values() for id_, lot in mine.lots.items()}
        assert {lot.id: (STATES[lot.state], lot.used, lot.held, lot.gone) for lot in seen.lots.values()} == {
            id_: (lot.state, lot.used, lot.held, lot.gone) for id_, lot in lots.items()
        }
        holds = {id_: hold for mine in self.reference.values() for id_, hold in mine.holds.items()}
        assert {hold.id: (hold.amount, hold.deadline) for hold in seen.holds.values()} == {id_: (h.amount, h.deadline) for id_, h in holds.items()}

    @invariant()
    def nobody_is_past_the_limit(self) -> None:
        """A charge never takes debt past line and overdraft; only a policy that lowers them may leave more."""
        for mine in self.reference.values():
            limit = max(policy.credit_line + policy.overdraft for policy in POLICIES)
            assert mine.debt <= limit

    def teardown(self) -> None:
        for writer in self.writers:
            writer.close()
        self.store.drop()


TestSqlite = Lives.TestCase
TestSqlite.settings = settings(max_examples=90, stateful_step_count=40, deadline=None)
