"""What an account agreed to: the order in which its lots burn down, what happens beyond a hold, its limits. Amounts are nano-units."""

from dataclasses import dataclass, replace
from enum import StrEnum

from tokenworth.core.errors import InputError
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.periods import Window, zone


class Order(StrEnum):
    """A key by which lots are put in order; the first of a policy's keys that tells two lots apart decides."""

    PRIORITY = "priority"
    """The grant's number, smallest first."""
    EXPIRY = "expiry"
    """Soonest expiry first, those without one last."""
    SOURCE = "source"
    """What was given away before what was paid for: promotional, goodwill, included, paid."""
    PAID_FIRST = "paid-first"
    """The reverse of `source`."""
    OLDEST = "oldest"
    NEWEST = "newest"


SUBJECTS = ("account", "key", "project")
BURN_DOWN = (Order.PRIORITY, Order.EXPIRY, Order.SOURCE, Order.OLDEST)


class Beyond(StrEnum):
    """What a charge beyond its hold does."""

    OVERDRAFT = "overdraft"
    """It takes free credits, then becomes debt up to the policy's `overdraft`; what passes that is waived."""
    CAPPED = "capped"
    """It is waived."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be spent in a window, holds included.

    `subject` is `account`, `key:ID` or `project:NAME`; `key:*` and `project:*` give each key or project a budget of its own.
    """

    subject: str
    window: Window
    limit: int


@dataclass(frozen=True, slots=True)
class TopUp:
    """When what is left falls below `below`, ask once for a grant of `amount` for `paid`; the next is asked for when that one ended."""

    below: int
    amount: int
    paid: int


@dataclass(frozen=True, slots=True)
class Policy:
    """`credit_line` is what holds may take beyond all credits; `overdraft` how far a charge beyond its hold may go past that line."""

    burn_down: tuple[Order, ...] = BURN_DOWN
    beyond: Beyond = Beyond.OVERDRAFT
    overdraft: int = INT64_MAX
    credit_line: int = 0
    zone: str = "UTC"
    budgets: tuple[Budget, ...] = ()
    low_balance: tuple[int, ...] = ()
    """Thresholds; each tells once when what is left falls below it, and again only after it was reached anew."""
    top_up: TopUp | None = None
    postpaid: bool = False
    """Nothing is held: a request that could be paid now is let through, and its settlement takes what it costs: free credits, then debt."""

    def __post_init__(self) -> None:
        """Refuse what the ledger could not act on later: InputError."""
        zone(self.zone)
        top_up = self.top_up or TopUp(0, 1, 0)
        amounts = (self.overdraft, self.credit_line, *(budget.limit for budget in self.budgets), *self.low_balance, top_up.amount, top_up.paid)
        if not all(0 <= amount <= INT64_MAX for amount in amounts) or not top_up.amount:
            raise InputError("an amount of the policy is less than zero, or more than an account can hold", code="bad_policy")
        for budget in self.budgets:
            kind, _, name = budget.subject.partition(":")
            if kind not in SUBJECTS or bool(name) is (kind == "account"):
                raise InputError(f"a budget's subject is {budget.subject!r}", mend="write account, key:ID or project:NAME", code="bad_policy")

    @property
    def watches(self) -> bool:
        """Whether what is left must be compared after an entry."""
        return bool(self.low_balance) or self.top_up is not None


STANDARD = Policy()


@dataclass(frozen=True, slots=True)
class Own:
    """What one account agreed to beside its plan; None is as the plan has it.

    A budget takes the place of the plan's of the same subject and window; where there is none, it is one more.
    """

    credit_line: int | None = None
    overdraft: int | None = None
    zone: str | None = None
    budgets: tuple[Budget, ...] = ()

    def over(self, plan: Policy) -> Policy:
        """Return a plan's policy with these terms; InputError where they cannot be."""
        mine = {(budget.subject, budget.window) for budget in self.budgets}
        others = [budget for budget in plan.budgets if (budget.subject, budget.window) not in mine]
        return replace(
            plan,
            credit_line=plan.credit_line if self.credit_line is None else self.credit_line,
            overdraft=plan.overdraft if self.overdraft is None else self.overdraft,
            zone=plan.zone if self.zone is None else self.zone,
            budgets=(*others, *self.budgets),
        )


AS_PLAN = Own()
