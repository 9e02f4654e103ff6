"""The facts of a batch, as `tokenworth_read`, `tokenworth_lock` and `tokenworth_try` return them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from tokenworth.capture.change import Correction
from tokenworth.capture.correcting import Payment
from tokenworth.capture.lots import Lot, burn_down
from tokenworth.capture.state import Account, Counter, Spend
from tokenworth.store.ledger.codec import account_value, event_value, hold_value, lot_value, policy_value
from tokenworth.store.ledger.facts import Facts, Needs, remaining, repayments

Found = Mapping[str, list[Any]]
"""Rows by kind."""


def arguments(needs: Needs, known: Mapping[str, int]) -> list[Any]:
    """Return what is asked for; of customers whose version is `known`, only what is newer."""
    customers = list(needs.customers)
    owners, keys = [owner for owner, _ in needs.keys], [key for _, key in needs.keys]
    stretches = orjson.dumps(list(needs.stretches)).decode() if needs.stretches else None
    named = (list(needs.holds), owners, keys, list(needs.lots), list(needs.events), list(needs.corrections))
    return [customers, [known.get(customer) for customer in customers], *named, stretches, needs.late]


def busy_of(records: Iterable[Any]) -> set[str]:
    """Return customers whose accounts `tokenworth_try` could not lock."""
    return {orjson.loads(row) for kind, row in records if kind == "busy"}


def facts_of(records: Iterable[Any]) -> Facts:
    """Return the facts of the server's answer."""
    found: dict[str, list[Any]] = defaultdict(list)
    for kind, row in records:
        found[kind].append(orjson.loads(row))
    return Facts(
        accounts={account.customer: account for account in accounts_of(found)},
        spends=_spends(found),
        holds={row[0]: hold_value(row) for row in found["hold"]},
        keys={(customer, key): id_ for customer, key, id_ in found["key"]},
        lots={row[0]: lot_value(row) for row in found["lot"]},
        events={row[0]: event_value(row) for row in found["event"]},
        payments=dict(_payments(found)) if found["charged"] else {},
        corrections={row[0]: Correction(*row[:-1]) for row in found["correction"]},
        late=sorted(found["late"]),
        due=sorted(found["due"]),
    )


def accounts_of(found: Found) -> Iterable[Account]:
    """Yield accounts with their live lots in burn-down order and their counters."""
    lots: dict[str, list[Lot]] = defaultdict(list)
    for lot in map(lot_value, found["live"]):
        lots[lot.grant.customer].append(lot)
    spends = _spends(found)
    for row in found["account"]:
        yield account_value(row, burn_down(lots[row[0]], policy_value(row[3]).burn_down), spends[row[0]])


def _spends(found: Found) -> dict[str, dict[Counter, Spend]]:
    spends: dict[str, dict[Counter, Spend]] = defaultdict(dict)
    for customer, subject, period, start, used, held in found["spend"]:
        spends[customer][subject, period, start] = Spend(used, held)
    return spends


def _payments(found: Found) -> Iterable[tuple[str, Payment]]:
    lots = {row[0]: lot_value(row) for row in found["paying"]}
    refunded = dict(found["refunded"])
    for event, customer in found["charged"]:
        parts = [(lot, n) for entry, lot, n in found["part"] if entry == event]
        repaid = repayments((lot, n) for owner, lot, n in found["repaid"] if owner == customer)
        names = {lot for lot, _ in (*parts, *repaid) if lot}
        yield event, Payment(customer, remaining(parts, refunded.get(event, 0)), repaid, {name: lots[name] for name in names})
