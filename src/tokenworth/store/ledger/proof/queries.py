"""What the engine aggregates for the proof, in SQL that SQLite and PostgreSQL both run. Most of them return only what is wrong.

A sum of amounts can pass 2^63, at which an engine raises or turns to floating point: `halves` sums the high and the low 32 bits apart.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tokenworth.store.ledger.codec import Row
from tokenworth.store.ledger.proof.report import MOST_PROBLEMS

Ask = Callable[[str], Iterable[Row]]
"""Runs a query on the snapshot that is proven."""

HALF = 32
LOW = (1 << HALF) - 1
MOST = f"LIMIT {MOST_PROBLEMS + 1}"


def halves(amount: str) -> str:
    """Return two sums, whose `joined` is the exact sum."""
    return f"sum(({amount}) >> {HALF}), sum(({amount}) & {LOW})"


def total(condition: str) -> str:
    """Return the sum of the amounts of postings `p` that meet a condition: exact below 2^63, and above it equal to no whole number below."""
    amount = f"CASE WHEN {condition} THEN p.amount ELSE 0 END"
    return f"(sum(({amount}) >> {HALF}) * {LOW + 1} + sum(({amount}) & {LOW}))"


def joined(high: Any, low: Any) -> int:
    """Return the sum of two halves."""
    return (int(high or 0) << HALF) + int(low or 0)


SUMS = f"""
    SELECT lot, kind, unit, debit, credit, count(*), count(before), min(amount), {halves("amount")}, max(version)
    FROM posting GROUP BY lot, kind, unit, debit, credit
"""
"""Everything that lots and accounts must equal: as many rows as lots have ways of being used."""

CHAIN = f"""
    SELECT entry, owner, before, after, expected, change, version, earlier FROM (
        SELECT entry, owner, before, after, change, version, lag(after, 1, 0) OVER w AS expected, lag(version, 1, 0) OVER w AS earlier FROM (
            SELECT seq, entry, before, after, version,
                CASE WHEN substr(debit, 1, 7) = 'wallet:' THEN debit ELSE credit END AS owner,
                CASE WHEN substr(debit, 1, 7) = 'wallet:' THEN -amount ELSE amount END AS change
            FROM posting WHERE before IS NOT NULL
        ) AS moves WINDOW w AS (PARTITION BY owner ORDER BY seq)
    ) AS steps WHERE before <> expected OR after IS NULL OR after - before <> change OR version < earlier {MOST}
"""
"""Steps of a wallet that do not begin where the one before ended, or do not move by their amount."""

CHARGED = "p.kind IN ('use', 'owe') AND p.credit = 'used'"
EARNED = "p.kind = 'use' AND p.credit = 'revenue'"
WAIVED = "p.kind = 'waive'"
PAYER = "substr(p.debit, CASE WHEN p.kind = 'use' THEN 8 ELSE 6 END)"
STRANGER = f"max(CASE WHEN {CHARGED} AND {PAYER} <> e.customer THEN {PAYER} END)"
UNIT = "max(CASE WHEN p.unit <> CASE WHEN p.credit IN ('revenue', 'breakage', 'payments', 'cost') THEN e.currency ELSE e.unit END THEN p.unit END)"
DUE = "p.kind = 'expire' AND p.at = (SELECT due.expiry FROM lot due WHERE due.id = p.lot)"
"""Whether a posting took effect when its lot expired, though its entry came later."""
MOMENT = f"max(CASE WHEN p.at <> e.ended AND NOT ({DUE}) THEN p.at END)"
APART = "max(p.version) - min(p.version) + max(p.recorded) - min(p.recorded)"
EVENTS = f"""
    SELECT e.id, e.customer, e.unit, e.currency, e.ended, e.charge, {total(CHARGED)}, e.revenue, {total(EARNED)}, e.waived, {total(WAIVED)},
        {STRANGER}, {UNIT}, {MOMENT}, {APART}
    FROM event e LEFT JOIN posting p ON p.entry = e.id GROUP BY e.seq
    HAVING {total(CHARGED)} <> e.charge OR {total(EARNED)} <> e.revenue OR {total(WAIVED)} <> e.waived
        OR {STRANGER} IS NOT NULL OR {UNIT} IS NOT NULL OR {MOMENT} IS NOT NULL OR {APART} <> 0 {MOST}
"""
"""Events that differ from their postings. What an event's settlement repaid, expired or took back is not its charge."""

PROMOTIONS = f"""
    SELECT e.id, e.cost, e.charge + e.waived, {halves("CASE WHEN p.kind = 'use' THEN p.amount ELSE 0 END")},
        {halves("CASE WHEN p.kind = 'promotion' THEN p.amount ELSE 0 END")}
    FROM event e JOIN posting p ON p.entry = e.id LEFT JOIN lot l ON l.id = p.lot
    WHERE p.kind = 'promotion' OR e.cost > 0 AND p.kind = 'use' AND p.credit = 'used' AND l.source IN ('promotional', 'goodwill') GROUP BY e.seq
"""
"""Events that given credits paid for, and what was booked of their cost as promotional."""

STATE = "CASE WHEN e.status IN ('ok', 'estimated', 'unrated') THEN 1 WHEN e.status IN ('failed', 'lost') THEN 2 ELSE 3 END"
EVENTS_HOLDS = f"""
    SELECT e.id, e.customer, e.status, h.customer, h.state FROM event e LEFT JOIN hold h ON h.id = e.id
    WHERE h.id IS NULL OR h.customer <> e.customer OR h.state <> {STATE} {MOST}
"""
HOLDS_EVENTS = f"""
    SELECT h.id, h.customer, h.state FROM hold h WHERE h.state <> 0 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.id = h.id) {MOST}
"""
OPEN_HOLDS = "SELECT id, customer, amount, bound, counted, draft FROM hold WHERE state = 0"
HOLDS = "SELECT customer, count(*), count(CASE WHEN state <> 0 THEN 1 END) FROM hold GROUP BY customer"

IS_EVENT = "EXISTS (SELECT 1 FROM event e WHERE e.id = p.entry)"
IS_REFUND = "substr(p.entry, 1, 7) = 'refund:' AND EXISTS (SELECT 1 FROM correction c WHERE c.kind = 'refund' AND c.id = substr(p.entry, 8))"
IS_ADJUSTMENT = (
    "substr(p.entry, 1, 11) = 'adjustment:' AND EXISTS (SELECT 1 FROM correction c WHERE c.kind = 'adjustment' AND c.id = substr(p.entry, 12))"
)
IS_VOID = "substr(p.entry, 1, 5) = 'void:' AND EXISTS (SELECT 1 FROM correction c WHERE c.kind = 'void' AND c.id = p.entry)"
IS_GRANT = "substr(p.entry, 1, 6) = 'grant:' AND EXISTS (SELECT 1 FROM lot l WHERE l.id = substr(p.entry, 7))"
IS_EXPIRY = "p.before IS NULL OR p.entry = 'expiry:' || substr(p.debit, 8) || ':' || p.version"
STRAY = f"""
    SELECT p.entry, p.kind, p.debit, p.credit FROM posting p WHERE NOT CASE
        WHEN p.kind IN ('use', 'owe', 'waive', 'promotion') THEN {IS_EVENT}
        WHEN p.kind = 'refund' THEN {IS_REFUND}
        WHEN p.kind = 'adjust' THEN {IS_ADJUSTMENT}
        WHEN p.kind = 'grant' THEN p.entry = 'grant:' || p.lot OR p.entry = 'adjustment:' || p.lot AND {IS_ADJUSTMENT}
        WHEN substr(p.entry, 1, 7) = 'expiry:' THEN {IS_EXPIRY}
        ELSE {IS_EVENT} OR {IS_GRANT} OR {IS_VOID} OR {IS_REFUND} OR {IS_ADJUSTMENT} END {MOST}
"""
"""Postings of entries that nothing else knows of, or that do not make such postings."""

UNTIMELY = f"""
    SELECT p.entry, p.lot, p.at, l.expiry FROM posting p JOIN lot l ON l.id = p.lot
    WHERE p.kind = 'expire' AND (l.expiry = 0 OR p.at < l.expiry OR substr(p.entry, 1, 7) = 'expiry:' AND p.at <> l.expiry) {MOST}
"""
"""Expiry at another time than the lot's."""

UNEVEN = f"""
    SELECT p.entry FROM posting p WHERE p.kind <> 'use' GROUP BY p.entry
    HAVING min(p.recorded) <> max(p.recorded) OR min(p.version) <> max(p.version)
        OR min(CASE WHEN NOT ({DUE}) THEN p.at END) <> max(CASE WHEN NOT ({DUE}) THEN p.at END) {MOST}
"""
"""Entries whose lines were not written at once, or took effect at several moments; what was due before took effect then."""

UNPAIRED = f"""
    SELECT entry, kind, lot FROM posting WHERE kind IN ('expire', 'void') GROUP BY entry, kind, lot, at HAVING count(before) = 0 {MOST}
"""
"""Money of credits that are gone, without the credits."""

CORRECTION_SUMS = (
    "c.kind = 'refund' AND p.kind = 'refund' AND p.debit = 'used'",
    "c.kind = 'adjustment' AND p.kind = 'grant' AND p.before IS NOT NULL AND p.lot = c.id",
    "c.kind = 'adjustment' AND p.kind = 'adjust' AND p.before IS NOT NULL",
    "c.kind = 'void' AND p.kind = 'void' AND p.before IS NOT NULL AND p.lot = c.corrects",
)
CORRECTIONS = f"""
    SELECT c.id, c.kind, c.customer, c.corrects, c.amount, c.at, e.customer, e.charge, l.customer,
        {", ".join(halves(f"CASE WHEN {condition} THEN p.amount ELSE 0 END") for condition in CORRECTION_SUMS)},
        count(CASE WHEN p.at <> c.at AND NOT ({DUE}) OR p.recorded <> c.recorded THEN 1 END),
        count(CASE WHEN substr(p.debit, 1, 7) = 'wallet:' AND substr(p.debit, 8) <> c.customer
            OR substr(p.credit, 1, 7) = 'wallet:' AND substr(p.credit, 8) <> c.customer THEN 1 END)
    FROM correction c LEFT JOIN posting p ON p.entry = CASE WHEN c.kind = 'void' THEN c.id ELSE c.kind || ':' || c.id END
    LEFT JOIN event e ON c.kind = 'refund' AND e.id = c.corrects LEFT JOIN lot l ON c.kind = 'void' AND l.id = c.corrects
    GROUP BY c.id, e.customer, e.charge, l.customer
"""
"""Each correction with the sums of its postings."""

VOIDS = f"""
    SELECT c.id, c.amount, {halves("CASE WHEN substr(p.credit, 1, 7) = 'wallet:' THEN p.amount ELSE -p.amount END")} FROM correction c
    JOIN (SELECT entry, min(seq) AS seq FROM posting WHERE kind = 'void' GROUP BY entry) v ON v.entry = c.id
    JOIN posting p ON p.lot = c.corrects AND p.seq < v.seq AND p.before IS NOT NULL GROUP BY c.id, c.amount
"""
"""Voids, and what was left of their lots until then; not those of lots that were held altogether."""

OVERDUE = f"""
    SELECT c.id, c.corrects, c.amount, {halves("CASE WHEN substr(p.credit, 1, 7) = 'wallet:' THEN p.amount ELSE -p.amount END")} FROM correction c
    JOIN (SELECT lot, max(seq) AS seq FROM posting WHERE kind = 'expire' AND before IS NOT NULL GROUP BY lot) x ON x.lot = c.corrects
    JOIN posting p ON p.lot = c.corrects AND p.before IS NOT NULL AND (p.seq <= x.seq OR p.kind = 'refund')
    WHERE c.kind = 'void' GROUP BY c.id, c.corrects, c.amount
"""
"""Voids of lots of which some expired, and the most that was left after that: what a void took back was left when all that expires had."""

REFUNDED = "SELECT corrects FROM correction WHERE kind = 'refund'"
PAID = f"""
    SELECT p.entry, p.lot, p.amount FROM posting p WHERE p.credit = 'used' AND p.kind IN ('use', 'owe') AND p.entry IN ({REFUNDED})
    ORDER BY p.entry, p.line
"""
"""How events that were refunded were paid, in the order in which lots were taken; no lot is debt."""
UNWOUND = f"""
    SELECT c.corrects, p.lot, {halves("p.amount")} FROM correction c
    JOIN posting p ON p.entry = 'refund:' || c.id AND p.kind = 'refund' AND p.debit = 'used' WHERE c.kind = 'refund' GROUP BY c.corrects, p.lot
"""
"""What refunds gave back of events, by lot; no lot is debt."""

UNCHARGED = f"SELECT id, status, charge, waived FROM event WHERE (charge > 0 OR waived > 0) AND status NOT IN ('ok', 'estimated') {MOST}"
COUNTS = "SELECT id, counts FROM event WHERE counts <> '{}'"
PENDING = "SELECT customer, pending FROM account WHERE pending <> ''"
BOOKS = "SELECT id, files FROM book"
ACCOUNTS = "SELECT customer, unit, currency, balance, held, lent, debt, version FROM account"
LOTS = "SELECT id, customer, source, amount, paid, state, used, held, gone FROM lot"
SPENDS = "SELECT customer, subject, period, start, held FROM spend WHERE held <> 0"
EVENT_COUNT = "SELECT count(*) FROM event"
SHORT = (CHAIN, EVENTS, EVENTS_HOLDS, UNCHARGED, STRAY, UNTIMELY, UNEVEN, UNPAIRED)
"""What is asked of every ledger and returns only what is wrong, in the order of the proof: an engine may answer it beforehand."""
