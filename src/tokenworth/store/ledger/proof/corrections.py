"""Corrections against the postings that they made and what they correct."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.capture.lots import LotState
from tokenworth.store.ledger.proof import queries
from tokenworth.store.ledger.proof.queries import Ask, joined
from tokenworth.store.ledger.proof.report import Findings
from tokenworth.store.ledger.proof.sums import Sums


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction, the event or lot that it names, and the sums of its postings."""

    id: str
    kind: str
    customer: str
    corrects: str
    amount: int
    at: int
    event_customer: str | None
    event_charge: int | None
    lot_customer: str | None
    refunded: int
    given: int
    taken: int
    voided: int
    elsewhen: int
    strange: int

    @property
    def name(self) -> str:
        """What problems call it."""
        return self.id if self.kind == "void" else f"{self.kind} {self.id}"


def check_corrections(ask: Ask, sums: Sums) -> int:
    """Compare each correction with its postings, and refunds with what their events charged; return the number of corrections."""
    refunds: dict[str, int] = defaultdict(int)
    voided, count, findings = set(), 0, sums.findings
    for each in (_corrected(*row) for row in ask(queries.CORRECTIONS)):
        count += 1
        _check(each, findings)
        if each.kind == "refund":
            refunds[each.corrects] += each.amount
            _refund(each, refunds[each.corrects], findings)
        elif each.kind == "void":
            voided.add(each.corrects)
            if each.lot_customer != each.customer:
                findings.say(f"{each.name} of {each.customer}: the lot is {each.lot_customer or 'nobody'}'s")
        # a positive adjustment makes a lot, which counts
        sums.changed(each.customer, each.kind != "adjustment" or each.amount < 0, each.name)
    if voided:
        _left(ask, findings)
    if refunds:
        _unwound(ask, refunds, findings)
    for name, lot in sums.lots.items():
        if (lot.state == LotState.VOID) != (name in voided):
            findings.say(f"lot {name}: {'no correction says that it is void' if lot.state == LotState.VOID else 'a correction says that it is void'}")
    return count


def _left(ask: Ask, findings: Findings) -> None:
    """Compare what voids took back with what was left of their lots."""
    for id_, amount, high, low in ask(queries.VOIDS):
        findings.same(f"{id_}: amount", amount, postings=joined(high, low))
    for id_, lot, amount, high, low in ask(queries.OVERDUE):
        if amount > joined(high, low):
            findings.say(f"{id_}: some of lot {lot} expired after it was void")


def _unwound(ask: Ask, refunds: Mapping[str, int], findings: Findings) -> None:
    """Compare what refunds gave back to each lot with how their event was paid: the part that was taken last comes back first."""
    paid: dict[str, list[tuple[str, int]]] = defaultdict(list)
    due: dict[tuple[str, str], int] = defaultdict(int)
    for event, lot, amount in ask(queries.PAID):
        paid[event].append((lot, amount))
    for event, refunded in refunds.items():
        left = refunded
        for lot, amount in reversed(paid[event]):
            part = min(amount, left)
            due[event, lot] += part
            left -= part
    for event, lot, high, low in ask(queries.UNWOUND):
        findings.same(f"event {event}: paid with {lot or 'debt'} and to be refunded", due.pop((event, lot), 0), postings=joined(high, low))
    for (event, lot), amount in due.items():
        findings.same(f"event {event}: paid with {lot or 'debt'} and to be refunded", amount, postings=0)


def _corrected(*row: Any) -> Corrected:
    plain, halves, odd = row[:9], row[9:17], row[17:]
    return Corrected(*plain, *(joined(high, low) for high, low in zip(halves[::2], halves[1::2], strict=True)), *odd)


def _check(each: Corrected, findings: Findings) -> None:
    sums = {"refund": each.refunded, "adjustment": each.given - each.taken, "void": each.voided}
    if each.kind not in sums:
        findings.say(f"correction {each.id}: there is no kind {each.kind}")
        return
    if each.kind == "void":
        # what was held of the lot then goes, or is used, when its hold ends
        if each.voided > each.amount:
            findings.say(f"{each.name}: amount is {each.amount}, the postings say {each.voided}")
    else:
        findings.same(f"{each.name}: amount", each.amount, postings=sums[each.kind])
    if each.elsewhen:
        findings.say(f"{each.name}: at {each.at} in the correction, but not in its postings")
    if each.strange:
        findings.say(f"{each.name} of {each.customer}: its postings are of another customer")


def _refund(each: Corrected, refunded: int, findings: Findings) -> None:
    if each.event_customer != each.customer:
        findings.say(f"{each.name} of {each.customer}: the event {each.corrects} is {each.event_customer or 'nobody'}'s")
    elif refunded > (each.event_charge or 0):
        findings.say(f"event {each.corrects}: charge is {each.event_charge}, refunds of it say {refunded}")
