"""One customer's life through the pure machine, command by command, for tables of what each does."""

from typing import Any

from tests.support.events import START, draft, failed, settled
from tokenworth.capture import correcting, granting, spending
from tokenworth.capture.change import Change, Correction
from tokenworth.capture.commands import Adjust, Cancel, Confirm, Grant, Hold, OpenAccount, Record, Refund, Refused, Source, Void
from tokenworth.capture.correcting import Payment
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.lots import Lot
from tokenworth.capture.policy import STANDARD, Policy
from tokenworth.capture.state import Account, HoldRow

HOUR = 3_600_000_000
DAY = 24 * HOUR


def change(outcome: Change | Refused | None) -> Change:
    """Return what a command did; it must not have been refused."""
    assert isinstance(outcome, Change), outcome
    return outcome


def refused(outcome: Change | Refused) -> Refused:
    """Return a refusal."""
    assert isinstance(outcome, Refused), outcome
    return outcome


def lines(outcome: Change) -> list[str]:
    """Return postings as `unit debit > credit amount (lot)`."""
    return [f"{p.unit} {p.debit} > {p.credit} {p.amount}" + (f" ({p.lot})" if p.lot else "") for p in outcome.postings]


def paid(id_: str, amount: int, price: int = 0, **terms: Any) -> Grant:
    """Return a grant of ada's that was paid for, made at START unless the terms say otherwise."""
    values: dict[str, Any] = {"source": Source.PAID, "at": START} | terms
    return Grant(id_, "ada", amount, paid=price, **values)


def given(id_: str, amount: int, **terms: Any) -> Grant:
    """Return a promotional grant of ada's."""
    return paid(id_, amount, source=Source.PROMOTIONAL, **terms)


class Bench:
    """Ada's account; commands take instants from START on, and what they did is taken over."""

    def __init__(self, *grants: Grant, policy: Policy = STANDARD) -> None:
        opened = change(granting.open_account(OpenAccount("ada", "credits", "USD", START, policy), None)).account
        assert opened is not None
        self.account: Account = opened
        self.lots: dict[str, Lot] = {}
        self.holds: dict[int, HoldRow] = {}
        self.recorded: dict[int, UsageEvent] = {}
        self.payments: dict[str, Payment] = {}
        self.corrections: dict[str, Correction] = {}
        for each in grants:
            self.grant(each)

    @property
    def wallet(self) -> tuple[int, int, int]:
        """Balance, held, debt."""
        return self.account.balance, self.account.held, self.account.debt

    def free(self, at: int = 0) -> int:
        return self.account.available(START + at)

    def parts(self, id_: str) -> tuple[int, int, int]:
        """Return a lot's used, held and gone."""
        lot = self.lots[id_]
        return lot.used, lot.held, lot.gone

    def take(self, outcome: Change | Refused | None) -> Change:
        """Take over a change."""
        out = change(outcome)
        if out.account is not None:
            self.account = out.account
        self.lots |= {lot.id: lot for lot in (*out.lots, *out.made)}
        if out.correction is not None:
            self.corrections[out.correction.id] = out.correction
        return out

    def grant(self, command: Grant) -> Change:
        return self.take(granting.grant(command, self.account, self.lots.get(command.id)))

    def confirm(self, id_: str, at: int = 0) -> Change:
        return self.take(granting.confirm(Confirm(id_, START + at), self.account, self.lots.get(id_)))

    def cancel(self, id_: str, at: int = 0) -> Change:
        return self.take(granting.cancel(Cancel(id_, START + at), self.account, self.lots.get(id_)))

    def void(self, id_: str, at: int = 0) -> Change:
        return self.take(granting.void(Void(id_, START + at, "eve", "charged back"), self.account, self.lots.get(id_)))

    def sweep(self, at: int) -> Change:
        return self.take(granting.sweep(self.account, START + at))

    def agree(self, policy: Policy) -> Change:
        return self.take(granting.open_account(OpenAccount("ada", "credits", "USD", START, policy), self.account))

    def try_hold(self, number: int, amount: int, at: int = 0, **fields: Any) -> Change | Refused:
        event = draft(number, at=START + at)._replace(**fields)
        return spending.place(Hold(event, amount, event.at + 60), self.account, self.holds.get(number), None)

    def hold(self, number: int, amount: int, at: int = 0, **fields: Any) -> HoldRow:
        out = self.take(self.try_hold(number, amount, at, **fields))
        assert out.hold is not None
        self.holds[number] = out.hold
        return out.hold

    def settle(self, number: int, charge: int, at: int = 1, cost: int = 0) -> Change:
        event = settled(self._draft(number), charge, ended=START + at, cost=cost)
        return self._close(number, spending.settle(event, self.account, self.holds[number], None))

    def release(self, number: int, at: int = 1) -> Change:
        event = failed(self._draft(number))._replace(ended=START + at)
        return self._close(number, spending.release(event, self.account, self.holds[number], None))

    def expire(self, number: int, at: int) -> Change:
        return self._close(number, spending.expire(self.account, self.holds[number], START + at))

    def serve(self, number: int, charge: int, **more: int) -> Change:
        """Hold, and settle what was held."""
        self.hold(number, charge)
        return self.settle(number, charge, **more)

    def record(self, number: int, charge: int, at: int = 0, *, body: str = "body", **fields: Any) -> Change | Refused:
        """Charge what happened elsewhere; again under one number, the ledger has the first."""
        event = settled(draft(number, at=START + at), charge)._replace(**fields)
        stored = self.recorded.get(number)
        out = spending.record(Record(event, "key", body), self.account, self.holds.get(number), stored)
        if isinstance(out, Change) and out.hold is not None and out.event is not None:
            self.take(out)
            self.holds[number], self.recorded[number] = out.hold, out.event
        return out

    def refund(self, amount: int | None, *parts: tuple[str, int], repaid: tuple[tuple[str, int], ...] = (), id_: str = "r1") -> Change:
        """Refund an event that was paid by these parts, in the order in which they were taken."""
        payment = Payment("ada", parts, repaid, self.lots)
        command = Refund(id_, "e1", amount, START + 2, "eve", "bad answer")
        return self.take(correcting.refund(command, self.account, payment, self.corrections.get(id_)))

    def adjust(self, amount: int, id_: str = "a1", at: int = 0) -> Change:
        command = Adjust(id_, "ada", amount, START + at, "eve", "promised", "e1")
        return self.take(correcting.adjust(command, self.account, self.corrections.get(id_), self.lots.get(id_)))

    def _draft(self, number: int) -> UsageEvent:
        event = self.holds[number].draft
        assert event is not None
        return event

    def _close(self, number: int, outcome: Change | Refused) -> Change:
        out = self.take(outcome)
        assert out.hold is not None
        self.holds[number] = out.hold
        return out
