"""Budgets, low-balance thresholds and top-ups: what an account's policy watches. Pure, as all of this package."""

from collections import defaultdict
from collections.abc import Iterator

from tokenworth.capture.commands import Grant, Notice, Reason, Refused, Source
from tokenworth.capture.events import UsageEvent
from tokenworth.capture.lots import Lot, LotState
from tokenworth.capture.policy import Budget, Policy
from tokenworth.capture.state import Account, Counter, Limits, Spend
from tokenworth.core.instants import format_instant
from tokenworth.core.money import format_amount
from tokenworth.core.periods import HOUR, QUARTER_HOUR, Window, window_of

NONE = Spend()
KEPT = 2
"""Windows of a subject: what was authorised just before a window ended may arrive after the next one's first."""
LONGEST = {Window.HOUR: HOUR, Window.DAY: 48 * HOUR, Window.MONTH: 32 * 24 * HOUR}
"""No window of a zone is longer, in microseconds."""
Stretch = tuple[str, str, str, int, int]
"""Counters of a customer's subject and window whose first instant is later than the first and not later than the second."""
TOP_UP = "top-up-"
"""How the ids of the ledger's own grants begin."""


def subject_of(budget: Budget, event: UsageEvent) -> str:
    """Return whose spending a budget counts, of one event; empty where the budget is not about it."""
    kind, _, name = budget.subject.partition(":")
    mine = {"account": "", "key": event.api_key, "project": event.project}[kind]
    if kind == "account" or (mine and name in ("*", mine)):
        return f"{kind}:{mine}" if mine else kind
    return ""


def counters(policy: Policy, event: UsageEvent) -> Iterator[tuple[Budget, Counter, int]]:
    """Yield the budgets that an event falls under, the counter of each at the event's instant, and when its window ends."""
    for budget in policy.budgets:
        if subject := subject_of(budget, event):
            start, end = window_of(event.at, budget.window, policy.zone)
            yield budget, (subject, str(budget.window), start), end


def stretches(event: UsageEvent) -> Iterator[Stretch]:
    """Yield where an event may count, whatever its account's budgets and zone are."""
    at = event.at - event.at % QUARTER_HOUR
    named = (f"{kind}:{name}" for kind, name in (("key", event.api_key), ("project", event.project)) if name)
    for subject in ("account", *named):
        for window, longest in LONGEST.items():
            yield event.customer, subject, str(window), at - longest, at


def uncounted(account: Account, event: UsageEvent) -> Iterator[Stretch]:
    """Yield counters of an event that an account does not bring, each by itself."""
    for _, (subject, window, start), _ in counters(account.policy, event):
        if (subject, window, start) not in account.limits.spends:
            yield account.customer, subject, window, start - 1, start


def check(account: Account, event: UsageEvent, amount: int) -> Refused | None:
    """Refuse a hold that would pass a budget; the refusal says which, and when its window ends."""
    for budget, counter, end in counters(account.policy, event):
        spend = account.limits.spends.get(counter, NONE)
        left = budget.limit - spend.used - spend.held
        if amount > max(left, 0):
            subject, window, _ = counter
            why = f"the {window}'s budget of {subject} has {format_amount(max(left, 0))} {account.unit} left until {format_instant(end)}"
            return Refused(Reason.BUDGET_EXCEEDED, why, account.available(event.at), amount, again=end)
    return None


def count(limits: Limits, counted: tuple[Counter, ...], *, held: int, used: int = 0) -> Limits:
    """Return the limits with differences added to some counters."""
    if not counted or not (held or used):
        return limits
    spends = dict(limits.spends)
    for counter in counted:
        # at the end, as the latest that was counted
        before = spends.pop(counter, NONE)
        spends[counter] = Spend(before.used + used, before.held + held)
    return limits._replace(spends=spends)


def forget(limits: Limits) -> Limits:
    """Drop windows that have no holds and are not among the KEPT of their subject that were counted last: only once a store has them."""
    starts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for subject, window, start in limits.spends:
        starts[subject, window].append(start)
    if not any(len(each) > KEPT for each in starts.values()):
        return limits
    latest = {(*name, start) for name, each in starts.items() for start in each[-KEPT:]}
    return limits._replace(spends={key: spend for key, spend in limits.spends.items() if spend.held or key in latest})


def watch(account: Account, at: int) -> tuple[Account, tuple[Notice, ...], tuple[Lot, ...]]:
    """Compare what is left with the policy's thresholds: each crossing downwards is told once, and a top-up asked for once.

    Returns the account with what it now remembers, the notices, and a pending lot where one is asked for.
    """
    policy, limits, left = account.policy, account.limits, account.left(at)
    below = frozenset(threshold for threshold in policy.low_balance if left < threshold)
    fallen = sorted(below - limits.passed, reverse=True)
    notices = [Notice(account.customer, "low_balance", format_amount(threshold), left, at) for threshold in fallen]
    lots: tuple[Lot, ...] = ()
    top_up = policy.top_up
    if top_up is not None and left < top_up.below and not limits.pending:
        number = limits.top_ups + 1
        # no other grant can have taken it: ids that people choose have no slash
        id_ = f"{TOP_UP}{account.customer}/{number}"
        lots = (Lot(Grant(id_, account.customer, top_up.amount, Source.PAID, top_up.paid, at, pending=True), LotState.PENDING),)
        notices.append(Notice(account.customer, "top_up", id_, left, at))
        limits = limits._replace(top_ups=number, pending=id_)
    if below != limits.passed:
        limits = limits._replace(passed=below)
    return (account if limits is account.limits else account._replace(limits=limits)), tuple(notices), lots
