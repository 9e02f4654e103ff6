"""The operator's statement: what was sold, what it earned and what it cost, over stored usage events."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.units import UNITS

GROUPS: Mapping[str, Callable[[UsageEvent], str]] = {
    "product": lambda event: event.product,
    "tier": lambda event: event.tier,
    "customer": lambda event: event.customer,
}

ANSWERED = frozenset({Status.OK, Status.ESTIMATED, Status.UNRATED})


@dataclass(slots=True)
class Tally:
    """Sums over events. `charge` is nano-units of the book's unit; `revenue` and `cost` nano-units of its currency.

    `cost` has what attempts are estimated to cost that did not serve, `wasted` is that part of it.
    """

    requests: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    charge: int = 0
    revenue: int = 0
    cost: int = 0
    wasted: int = 0
    uncosted: int = 0
    """Requests that were answered at a cost which nobody knows; `cost` lacks them, so margins are at most what they seem."""

    def add(self, event: UsageEvent) -> None:
        """Count one event."""
        self.requests += 1
        for name, count in event.counts.items():
            self.tokens[name] = self.tokens.get(name, 0) + count
        self.charge += event.charge
        self.revenue += event.revenue
        self.cost += event.cost + event.wasted
        self.wasted += event.wasted
        self.uncosted += event.status in ANSWERED and not event.cost_card

    @property
    def margin(self) -> int:
        """Revenue recognised less cost of serving, in nano-units of the currency."""
        return self.revenue - self.cost

    @property
    def margin_basis_points(self) -> int | None:
        """Gross margin in hundredths of a per cent of revenue, rounded down; None without revenue."""
        return self.margin * 10_000 // self.revenue if self.revenue else None


@dataclass(frozen=True, slots=True)
class Corrections:
    """What moved apart from requests, in nano-units of the unit; `revenue` is what it added to revenue, in those of the currency.

    `refunded` of charges, `repaid` of debt, and `given` or `taken` by adjustments.
    """

    refunded: int = 0
    repaid: int = 0
    given: int = 0
    taken: int = 0
    revenue: int = 0


@dataclass(frozen=True, slots=True)
class Beyond:
    """What requests of a product came to beyond their holds, in nano-units of the unit; `waived` of it was not charged."""

    requests: int
    amount: int
    waived: int


@dataclass(slots=True)
class Statement:
    """Totals of events as they were charged, and the same sums by product, tier and customer; what was corrected is apart."""

    unit: str = ""
    currency: str = ""
    total: Tally = field(default_factory=Tally)
    by: dict[str, dict[str, Tally]] = field(default_factory=lambda: {name: {} for name in GROUPS})
    statuses: dict[str, int] = field(default_factory=dict)
    alarms: dict[str, int] = field(default_factory=dict)
    corrections: Corrections = Corrections()
    beyond: Mapping[str, Beyond] = field(default_factory=dict)
    """By product, where any did."""

    @property
    def tokens(self) -> dict[str, int]:
        """Counts by unit, in the order of the declared units."""
        return {name: self.total.tokens[name] for name in UNITS if name in self.total.tokens}

    @property
    def lost(self) -> int:
        """Requests whose holds ran out unsettled."""
        return self.statuses.get(Status.LOST, 0)

    def worst_customers(self, most: int = 10) -> list[tuple[str, Tally]]:
        """Return the customers with the least margin, in money, worst first."""
        return sorted(self.by["customer"].items(), key=lambda item: (item[1].margin, item[0]))[:most]


def summarise(
    events: Iterable[UsageEvent], corrections: Corrections = Corrections(), beyond: Mapping[str, Beyond] = MappingProxyType({})
) -> Statement:
    """Fold events into a statement; memory grows with customers, not with events."""
    statement = Statement(corrections=corrections, beyond=beyond)
    for event in events:
        statement.unit, statement.currency = event.unit, event.currency
        statement.statuses[event.status] = statement.statuses.get(event.status, 0) + 1
        if event.alarm:
            statement.alarms[event.alarm] = statement.alarms.get(event.alarm, 0) + 1
        statement.total.add(event)
        for name, key in GROUPS.items():
            statement.by[name].setdefault(key(event), Tally()).add(event)
    return statement
