"""What is counted: requests, events, tokens, money, holds, alarms, times. By customer only where the operator asks: labels must stay few."""

from tokenworth.capture.commands import Refused
from tokenworth.capture.events import UsageEvent
from tokenworth.flows.observe.metrics import Counter, Gauge, Histogram, Snapshot, snapshot

FIRST_TOKEN = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
BETWEEN_TOKENS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5)
WHOLE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
COMMIT = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
"""Upper bounds, in seconds."""


class Meters:
    """The metrics of one process."""

    def __init__(self, *, by_customer: bool = False) -> None:
        """Count nothing yet; `by_customer` adds the customer to what events count."""
        self._by_customer = by_customer
        what = ("product", "tier", "customer") if by_customer else ("product", "tier")
        self.requests = Counter("tokenworth_requests", "Requests answered.", ("format", "product", "tier", "status"))
        self.seconds = Histogram("tokenworth_request_seconds", "From a request's head to the last byte of its answer.", ("format",), bounds=WHOLE)
        self.open = Gauge("tokenworth_open_requests", "Requests that are being served.")
        self.streams = Gauge("tokenworth_open_streams", "Streams that have begun and not ended.")
        self.events = Counter("tokenworth_events", "Usage events stored.", (*what, "api", "status"))
        self.tokens = Counter("tokenworth_tokens", "Units used, each once, by class.", (*what, "class"))
        self.charged = Counter("tokenworth_charged", "Charged.", (*what, "unit"), nano=True)
        self.waived = Counter("tokenworth_waived", "Rated beyond what could be charged.", (*what, "unit"), nano=True)
        self.revenue = Counter("tokenworth_revenue", "Recognised when it was charged.", (*what, "currency"), nano=True)
        self.cost = Counter("tokenworth_cost", "What suppliers bill for it, by the cost card.", (*what, "currency"), nano=True)
        self.alarms = Counter("tokenworth_alarms", "Events with something wrong, by kind.", ("kind",))
        self.held = Gauge("tokenworth_held", "Held by this gateway's open requests.", ("unit",), nano=True)
        self.holds = Gauge("tokenworth_open_holds", "Holds of this gateway's open requests.")
        self.refused = Counter("tokenworth_holds_refused", "Requests for which nothing was held, by the ledger's reason.", ("reason",))
        self.first_token = Histogram("tokenworth_first_token_seconds", "From the hold to the first byte of an answer.", ("tier",), bounds=FIRST_TOKEN)
        self.between = Histogram("tokenworth_inter_token_seconds", "Between two parts of a stream.", ("tier",), bounds=BETWEEN_TOKENS)
        self.commit = Histogram("tokenworth_ledger_seconds", "From asking the ledger to the commit on disk.", bounds=COMMIT)
        self.queue = Gauge("tokenworth_ledger_queue", "Commands that wait for the ledger.")
        self.failures = Counter("tokenworth_ledger_failures", "Times that the ledger could not be written.")
        self._metrics = [each for each in vars(self).values() if isinstance(each, Counter)]
        self._open_holds: dict[str, tuple[str, int]] = {}
        for nothing in (self.open, self.streams, self.holds, self.queue, self.failures):
            nothing.add((), 0)

    def hold_placed(self, draft: UsageEvent, amount: int) -> None:
        """Count what is held for a request of this process."""
        self._open_holds[draft.id] = (draft.unit, amount)
        self.holds.add(())
        self.held.add((draft.unit,), amount)

    def hold_ended(self, event: str) -> None:
        """Count off what was held; holds of others are passed over."""
        if held := self._open_holds.pop(event, None):
            self.holds.add((), -1)
            self.held.add((held[0],), -held[1])

    def hold_refused(self, refused: Refused) -> None:
        """Count what was not held."""
        self.refused.add((refused.reason,))

    def stored(self, event: UsageEvent, *, served: bool) -> None:
        """Count an event; `served` says that this gateway served it, so that its times are the gateway's."""
        what = (event.product, event.tier, event.customer) if self._by_customer else (event.product, event.tier)
        self.events.add((*what, event.api, event.status))
        for unit, count in event.counts.items():
            self.tokens.add((*what, unit), count)
        for counter, amount, unit in (
            (self.charged, event.charge, event.unit),
            (self.waived, event.waived, event.unit),
            (self.revenue, event.revenue, event.currency),
            (self.cost, event.cost, event.currency),
        ):
            if amount:
                counter.add((*what, unit), amount)
        if event.alarm:
            self.alarms.add((event.alarm,))
        if served and event.first_token:
            self.first_token.observe((event.tier,), event.first_token / 1_000_000)

    def snapshot(self) -> Snapshot:
        """Return what was counted so far."""
        return snapshot(self._metrics)
