"""The phases of the proof, in order. The engine is asked in SQL and answers with rows; whoever asks holds one snapshot."""

from collections import defaultdict
from collections.abc import Callable

import orjson

from tokenworth.capture.lots import GIVEN
from tokenworth.capture.postings import Kind
from tokenworth.core.money import share
from tokenworth.store.ledger.proof import queries
from tokenworth.store.ledger.proof.contents import check_books, check_counts, check_draft, check_pending
from tokenworth.store.ledger.proof.corrections import check_corrections
from tokenworth.store.ledger.proof.queries import Ask, joined
from tokenworth.store.ledger.proof.report import Findings, Report
from tokenworth.store.ledger.proof.sums import AccountSums, LotSums, Sums, group

Tell = Callable[[str], None]
"""Hears what is checked next."""

PHASES = ("sums of postings", "chains of balances", "holds", "events", "entries", "corrections")
HOLD_STATES = {None: "missing", 0: "open", 1: "settled", 2: "released"}


def prove(ask: Ask, findings: Findings, tell: Tell) -> Report:
    """Derive everything again and compare; tells each of PHASES as it begins. What `findings` has already is reported too."""
    tell(PHASES[0])
    sums = _sums(ask, findings)
    tell(PHASES[1])
    _chains(ask, findings)
    tell(PHASES[2])
    holds, closed, bound = _holds(ask, sums)
    tell(PHASES[3])
    events = _events(ask, findings, closed)
    if Kind.PROMOTION in sums.kinds or any(lot.source in GIVEN for lot in sums.lots.values()):
        _promotional(ask, findings)
    tell(PHASES[4])
    _entries(ask, findings)
    tell(PHASES[5])
    corrections = check_corrections(ask, sums)
    sums.compare(bound)
    check_pending(ask, sums)
    check_books(ask, findings)
    counts = {"holds": holds, "postings": sums.postings, "events": events, "corrections": corrections}
    return Report(findings.problems, len(sums.accounts), len(sums.lots), **counts, balances=dict(sums.balances))


def _sums(ask: Ask, findings: Findings) -> Sums:
    accounts = {row[0]: AccountSums(*row[1:]) for row in ask(queries.ACCOUNTS)}
    sums = Sums(accounts, {row[0]: LotSums(*row[1:]) for row in ask(queries.LOTS)}, findings)
    for each in map(group, ask(queries.SUMS)):
        sums.add(each)
    return sums


def _chains(ask: Ask, findings: Findings) -> None:
    for entry, owner, before, after, expected, change, version, earlier in ask(queries.CHAIN):
        name = owner.partition(":")[2]
        if (before, after) != (expected, expected + change):
            findings.say(f"entry {entry}: wallet of {name} goes from {before} to {after}, expected {expected} to {expected + change}")
        if version < earlier:
            findings.say(f"entry {entry}: account of {name} goes back from version {earlier} to {version}")


def _holds(ask: Ask, sums: Sums) -> tuple[int, int, dict[str, int]]:
    """Return the numbers of holds and of closed ones, and what open ones bind, by lot; compare budgets' counters with the open holds."""
    bound: dict[str, int] = defaultdict(int)
    counted: dict[tuple[str, ...], int] = defaultdict(int)
    total, over = 0, 0
    for customer, count, closed in ask(queries.HOLDS):
        total += count
        over += closed
        sums.changed(customer, count + closed, "holds")
    for id_, customer, amount, parts, counters, draft in ask(queries.OPEN_HOLDS):
        lots = orjson.loads(parts)
        sums.findings.same(f"hold {id_}: amount", amount, bound=sum(n for _, n in lots))
        check_draft(id_, customer, draft, sums.findings)
        for lot, n in lots:
            _bind(sums, customer, lot, n)
            bound[lot] += n
        for counter in orjson.loads(counters) if counters else ():
            counted[customer, *map(str, counter)] += amount
    _spends(ask, sums.findings, counted)
    return total, over, bound


def _bind(sums: Sums, customer: str, lot: str, amount: int) -> None:
    """Take a part of an open hold: of a lot, which must be the customer's, or of the credit line."""
    account, stored = sums.accounts.get(customer), sums.lots.get(lot)
    if not lot and account is not None:
        account.line += amount
    if stored is not None and stored.customer != customer:
        sums.findings.say(f"an open hold of {customer} binds lot {lot} of {stored.customer}")


def _spends(ask: Ask, findings: Findings, counted: dict[tuple[str, ...], int]) -> None:
    for *counter, held in ask(queries.SPENDS):
        name = tuple(map(str, counter))
        findings.same(f"budget counter {' '.join(name)}: held", held, holds=counted.pop(name, 0))
    for name, held in counted.items():
        if held:
            findings.say(f"budget counter {' '.join(name)}: held is 0, the holds say {held}")


def _events(ask: Ask, findings: Findings, closed: int) -> int:
    """Compare events with their postings and with their holds, of which so many are closed; return their number."""
    count = int(next(iter(ask(queries.EVENT_COUNT)))[0])
    for id_, customer, unit, currency, ended, *money, stranger, other, moment, apart in ask(queries.EVENTS):
        for name, stored, posted in zip(("charge", "revenue", "waived"), money[::2], money[1::2], strict=True):
            findings.same(f"event {id_}: {name}", stored, postings=posted)
        if stranger is not None:
            findings.say(f"event {id_}: customer is {customer}, the postings say {stranger}")
        if other is not None:
            findings.say(f"event {id_}: in {unit} and {currency}, the postings are in {other}")
        if moment is not None:
            findings.say(f"event {id_}: ended {ended}, the postings say {moment}")
        if apart:
            findings.say(f"event {id_}: its postings are of several versions or moments of writing")
    unmatched = list(ask(queries.EVENTS_HOLDS))
    for id_, customer, status, holder, state in unmatched:
        found = HOLD_STATES.get(state, "of no state")
        whose = f" and of {holder}" if holder not in (None, customer) else ""
        findings.say(f"event {id_} of {customer}: its hold is {found}{whose}, its status {status}")
    # where each event has its closed hold, and there are no more of these, each of them has its event
    for id_, customer, state in ask(queries.HOLDS_EVENTS) if unmatched or count != closed else ():
        findings.say(f"hold {id_} of {customer}: it is {HOLD_STATES.get(state, 'of no state')}, its event missing")
    for id_, status, charge, waived in ask(queries.UNCHARGED):
        findings.say(f"event {id_}: its status is {status}, but {charge} was charged and {waived} waived")
    check_counts(ask, findings)
    return count


def _promotional(ask: Ask, findings: Findings) -> None:
    """Compare what was booked as promotional cost with the share of an event's cost that given credits paid for."""
    for id_, cost, rated, given_high, given_low, high, low in ask(queries.PROMOTIONS):
        given = joined(given_high, given_low)
        due = share(cost, given, rated) if 0 < given <= rated else 0
        findings.same(f"event {id_}: cost {cost}, of which promotional", due, postings=joined(high, low))


def _entries(ask: Ask, findings: Findings) -> None:
    """Each posting belongs to an entry that makes such postings, at once and when its entry took effect; credits and their money go together."""
    for entry, kind, debit, credit in ask(queries.STRAY):
        findings.say(f"entry {entry}: a posting of kind {kind} from {debit} to {credit}, but no event, grant, correction or expiry that made it")
    for entry, lot, at, expiry in ask(queries.UNTIMELY):
        findings.say(f"entry {entry}: lot {lot} expires at {expiry}, the postings say {at}")
    for (entry,) in ask(queries.UNEVEN):
        findings.say(f"entry {entry}: its postings are of several versions or moments")
    for entry, kind, lot in ask(queries.UNPAIRED):
        findings.say(f"entry {entry}: money of lot {lot}, of kind {kind}, without credits that go with it")
