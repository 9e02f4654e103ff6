"""Rows of the tables <-> values of the capture machine. Both engines have the same columns; lists and mappings are JSON text."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from tokenworth.capture.change import Correction
from tokenworth.capture.commands import Grant, Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.capture.lots import Lot, LotState
from tokenworth.capture.policy import AS_PLAN, STANDARD, Beyond, Budget, Order, Own, Policy, TopUp
from tokenworth.capture.state import Account, Counter, HoldRow, HoldState, Limits, Spend
from tokenworth.core.errors import LedgerError
from tokenworth.core.periods import Window

Row = tuple[Any, ...]

ACCOUNT_COLUMNS = ("customer", "unit", "currency", "policy", "balance", "held", "lent", "debt", "version", "passed", "top_ups", "pending")
MOVING_COLUMNS = ("balance", "held", "lent", "debt", "version", "passed", "top_ups", "pending")
"""Columns of an account that entries change."""
GRANT_COLUMNS = ("id", "customer", "source", "amount", "paid", "at", "priority", "effective", "expiry", "products", "tiers", "who", "why")
LOT_COLUMNS = (*GRANT_COLUMNS, "state", "used", "held", "gone")
HOLD_COLUMNS = HoldRow._fields
SPEND_COLUMNS = ("customer", "subject", "period", "start", "used", "held")
EVENT_COLUMNS = UsageEvent._fields
POSTING_COLUMNS = ("entry", "line", "kind", "unit", "debit", "credit", "amount", "lot", "before", "after", "version", "at", "recorded")
CORRECTION_COLUMNS = (*Correction._fields, "recorded")
NOTICE_COLUMNS = ("customer", "kind", "subject", "remaining", "at", "recorded")

COUNTS_AT = EVENT_COLUMNS.index("counts")
STATUS_AT = EVENT_COLUMNS.index("status")


def text(value: Any) -> str:
    """Return a value as compact JSON."""
    return orjson.dumps(value).decode()


def event_row(event: UsageEvent) -> Row:
    """Return an event in the order of EVENT_COLUMNS."""
    values: list[Any] = [*event]
    values[COUNTS_AT] = text(dict(event.counts))
    return tuple(values)


def event_value(row: Iterable[Any]) -> UsageEvent:
    """Return the event of a row in the order of EVENT_COLUMNS; LedgerError where it cannot be read."""
    values = list(row)
    try:
        values[COUNTS_AT] = orjson.loads(values[COUNTS_AT])
        values[STATUS_AT] = Status(values[STATUS_AT])
    except ValueError as error:
        raise LedgerError(f"event {values[0]}: {error}", mend="somebody changed the ledger: `tokenworth ledger verify` says what") from error
    return UsageEvent(*values)


def lot_row(lot: Lot) -> Row:
    """Return a lot in the order of LOT_COLUMNS."""
    g = lot.grant
    terms = (g.priority, g.effective, g.expiry, text(g.products), text(g.tiers), g.who, g.why)
    return (g.id, g.customer, g.source, g.amount, g.paid, g.at, *terms, lot.state, lot.used, lot.held, lot.gone)


def lot_value(row: Iterable[Any]) -> Lot:
    """Return the lot of a row in the order of LOT_COLUMNS."""
    id_, customer, source, amount, paid, at, priority, effective, expiry, products, tiers, who, why, state, *moving = row
    scope = tuple(orjson.loads(products)), tuple(orjson.loads(tiers))
    pending = state in (LotState.PENDING, LotState.CANCELLED)
    given = Grant(id_, customer, amount, Source(source), paid, at, priority, effective, expiry, *scope, pending, who, why)
    return Lot(given, LotState(state), *moving)


def lot_update(lot: Lot) -> Row:
    """Return what of a lot changes, then its id."""
    return (lot.state, lot.used, lot.held, lot.gone, lot.grant.id)


def lot_flags(lot: Lot) -> Row:
    """Return whether a lot is live, and until when it is if that ends: `live` and `due` where they are stored."""
    live = lot.live
    return live, lot.grant.expiry if live and lot.state is LotState.ACTIVE and lot.grant.expiry else None


def hold_row(hold: HoldRow) -> Row:
    """Return a hold in the order of HOLD_COLUMNS."""
    counted = text(hold.counted) if hold.counted else ""
    rest = (hold.deadline, hold.key, hold.body, draft_text(hold), hold.state, counted)
    return (hold.id, hold.customer, hold.amount, text(hold.bound), *rest)


def draft_text(hold: HoldRow) -> str:
    """Return a hold's draft as it is stored: empty once it is closed."""
    return text(event_row(hold.draft)) if hold.draft else ""


def hold_update(hold: HoldRow) -> Row:
    """Return what of a hold changes, then its id."""
    return (hold.deadline, hold.state, draft_text(hold), hold.id)


def hold_value(row: Iterable[Any]) -> HoldRow:
    """Return the hold of a row in the order of HOLD_COLUMNS."""
    id_, customer, amount, bound, deadline, key, body, draft, state, counted = row
    parts = tuple((lot, n) for lot, n in orjson.loads(bound))
    event = event_value(orjson.loads(draft)) if draft else None
    counters = tuple((subject, window, start) for subject, window, start in orjson.loads(counted)) if counted else ()
    return HoldRow(id_, customer, amount, parts, deadline, key, body, event, HoldState(state), counters)


def account_row(account: Account) -> Row:
    """Return an account in the order of ACCOUNT_COLUMNS."""
    return (account.customer, account.unit, account.currency, policy_text(account.policy), *_moving(account))


def account_update(account: Account) -> Row:
    """Return what of an account entries change, then its customer."""
    return (*_moving(account), account.customer)


def _moving(account: Account) -> Row:
    limits = account.limits
    passed = text(sorted(limits.passed)) if limits.passed else ""
    return (account.balance, account.held, account.lent, account.debt, account.version, passed, limits.top_ups, limits.pending)


def account_value(row: Iterable[Any], lots: tuple[Lot, ...], spends: Mapping[Counter, Spend]) -> Account:
    """Return the account of a row in the order of ACCOUNT_COLUMNS, with its live lots in order and its counters."""
    customer, unit, currency, policy, balance, held, lent, debt, version, passed, top_ups, pending = row
    limits = Limits(dict(spends), frozenset(orjson.loads(passed)) if passed else frozenset(), top_ups, pending)
    return Account(customer, unit, currency, policy_value(policy), balance, held, lent, debt, version, lots, limits)


def spend_rows(account: Account) -> Iterable[Row]:
    """Yield an account's counters in the order of SPEND_COLUMNS."""
    for (subject, window, start), spend in account.limits.spends.items():
        yield (account.customer, subject, window, start, spend.used, spend.held)


def policy_text(policy: Policy) -> str:
    """Return a policy as JSON; the standard one is empty. What came later is left out where it is not agreed, so that older rows say the same."""
    if policy == STANDARD:
        return ""
    stated = asdict(policy)
    if not policy.postpaid:
        del stated["postpaid"]
    return text(stated)


def policy_value(stored: str) -> Policy:
    """Return the policy of its JSON."""
    if not stored:
        return STANDARD
    plain = orjson.loads(stored)
    return Policy(
        tuple(map(Order, plain["burn_down"])),
        Beyond(plain["beyond"]),
        plain["overdraft"],
        plain["credit_line"],
        plain["zone"],
        _budgets(plain),
        tuple(plain["low_balance"]),
        TopUp(**plain["top_up"]) if plain["top_up"] else None,
        plain.get("postpaid", False),
    )


def own_text(own: Own) -> str:
    """Return a customer's own terms as JSON; empty where there are none."""
    return "" if own == AS_PLAN else text(asdict(own))


def own_value(stored: str) -> Own:
    """Return the own terms of their JSON."""
    if not stored:
        return AS_PLAN
    plain = orjson.loads(stored)
    return Own(plain["credit_line"], plain["overdraft"], plain["zone"], _budgets(plain))


def _budgets(plain: Mapping[str, Any]) -> tuple[Budget, ...]:
    return tuple(Budget(each["subject"], Window(each["window"]), each["limit"]) for each in plain["budgets"])
