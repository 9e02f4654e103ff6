"""What is counted: requests, events, tokens, money, holds, alarms, times. By customer only where the operator asks: labels must stay few.

This is on every request's path: what happens there adds to plain numbers, and names, labels and sums are made when a snapshot is asked for.
"""

from collections import Counter as Counts
from collections.abc import Iterable
from dataclasses import dataclass, field

from tokenworth.capture.commands import Refused
from tokenworth.capture.events import UsageEvent
from tokenworth.flows.observe.metrics import Counter, Gauge, Histogram, Labels, Snapshot, snapshot

FIRST_TOKEN = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
BETWEEN_TOKENS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5)
WHOLE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
COMMIT = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
"""Upper bounds, in seconds."""
MILLION = 1_000_000


@dataclass(slots=True)
class Lane:
    """Sums of the events of one product, tier, format, outcome and customer, in one unit and currency; amounts in nano-units."""

    events: int = 0
    charge: int = 0
    waived: int = 0
    revenue: int = 0
    cost: int = 0
    wasted: int = 0
    units: dict[str, int] = field(default_factory=dict)


class Meters:
    """The metrics of one process. The plain numbers are gauges of now."""

    def __init__(self, *, by_customer: bool = False) -> None:
        """Count nothing yet; `by_customer` adds the customer to what events count."""
        self._by_customer = by_customer
        self._lanes: dict[tuple[str, ...], Lane] = {}
        self._held: dict[str, tuple[str, int]] = {}
        self.open = self.streams = self.queue = self.failures = 0
        self.requests = Counter("tokenworth_requests", "Requests answered.", ("format", "product", "tier", "status"))
        self.seconds = Histogram("tokenworth_request_seconds", "From a request's head to the last byte of its answer.", ("format",), bounds=WHOLE)
        self.alarms = Counter("tokenworth_alarms", "Events with something wrong, by kind.", ("kind",))
        self.refused = Counter("tokenworth_holds_refused", "Requests for which nothing was held, by the ledger's reason.", ("reason",))
        self.first_token = Histogram("tokenworth_first_token_seconds", "From the hold to the first byte of an answer.", ("tier",), bounds=FIRST_TOKEN)
        self.between = Histogram("tokenworth_inter_token_seconds", "Between two parts of a stream.", ("tier",), bounds=BETWEEN_TOKENS)
        self.commit = Histogram("tokenworth_ledger_seconds", "From asking the ledger to the commit on disk.", bounds=COMMIT)

    def hold_placed(self, draft: UsageEvent, amount: int) -> None:
        """Count what is held for a request of this process."""
        self._held[draft.id] = (draft.unit, amount)

    def hold_ended(self, event: str) -> bool:
        """Count off what was held, and return whether it was counted until now; holds of others are passed over."""
        return self._held.pop(event, None) is not None

    def hold_refused(self, refused: Refused) -> None:
        """Count what was not held."""
        self.refused.add((refused.reason,))

    def stored(self, event: UsageEvent, *, served: bool) -> None:
        """Count an event; `served` says that this gateway served it, so that its times are the gateway's."""
        customer = event.customer if self._by_customer else ""
        key = (event.product, event.tier, customer, event.api, event.status, event.unit, event.currency)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        lane.events += 1
        lane.charge += event.charge
        lane.waived += event.waived
        lane.revenue += event.revenue
        lane.cost += event.cost
        lane.wasted += event.wasted
        units = lane.units
        for unit, count in event.counts.items():
            units[unit] = units.get(unit, 0) + count
        if event.alarm:
            self.alarms.add((event.alarm,))
        if served and event.first_token:
            self.first_token.observe((event.tier,), event.first_token / MILLION)

    def snapshot(self) -> Snapshot:
        """Return what was counted so far."""
        counted = (self.requests, self.seconds, self.alarms, self.refused, self.first_token, self.between, self.commit)
        return snapshot([*counted, *self._of_events(), *self._of_now()])

    def _of_events(self) -> Iterable[Counter]:
        what = ("product", "tier", "customer") if self._by_customer else ("product", "tier")
        events = Counter("tokenworth_events", "Usage events stored.", (*what, "api", "status"))
        units = Counter("tokenworth_tokens", "Units used, each once, by class.", (*what, "class"))
        charged = Counter("tokenworth_charged", "Charged.", (*what, "unit"), nano=True)
        waived = Counter("tokenworth_waived", "Rated beyond what could be charged.", (*what, "unit"), nano=True)
        revenue = Counter("tokenworth_revenue", "Recognised when it was charged.", (*what, "currency"), nano=True)
        cost = Counter("tokenworth_cost", "What suppliers bill for it, by the cost card.", (*what, "currency"), nano=True)
        wasted = Counter("tokenworth_wasted", "What attempts that did not serve are estimated to cost.", (*what, "currency"), nano=True)
        for (product, tier, customer, api, status, unit, currency), lane in self._lanes.items():
            mine: Labels = (product, tier, customer) if self._by_customer else (product, tier)
            events.add((*mine, api, status), lane.events)
            for name, count in lane.units.items():
                units.add((*mine, name), count)
            for counter, amount, label in (
                (charged, lane.charge, unit),
                (waived, lane.waived, unit),
                (revenue, lane.revenue, currency),
                (cost, lane.cost, currency),
                (wasted, lane.wasted, currency),
            ):
                counter.add((*mine, label), amount)
        return events, units, charged, waived, revenue, cost, wasted

    def _of_now(self) -> Iterable[Counter]:
        held = Gauge("tokenworth_held", "Held by this gateway's open requests.", ("unit",), nano=True)
        amounts: Counts[str] = Counts()
        for unit, amount in self._held.values():
            amounts[unit] += amount
        for unit, amount in amounts.items():
            held.add((unit,), amount)
        plain = [
            held,
            Gauge("tokenworth_open_requests", "Requests that are being served."),
            Gauge("tokenworth_open_streams", "Streams that have begun and not ended."),
            Gauge("tokenworth_open_holds", "Holds of this gateway's open requests."),
            Gauge("tokenworth_ledger_queue", "Commands that wait for the ledger."),
            Counter("tokenworth_ledger_failures", "Times that the ledger could not be written."),
        ]
        for metric, value in zip(plain[1:], (self.open, self.streams, len(self._held), self.queue, self.failures), strict=True):
            metric.add((), value)
        return plain
