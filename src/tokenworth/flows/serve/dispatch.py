"""Where requests go: the suppliers, with who is healthy and who waits before each. Health and queues outlive changes of the book."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tokenworth.book.model import Book, Supplier
from tokenworth.flows.route.affinity import affinity
from tokenworth.flows.route.router import Router
from tokenworth.flows.schedule.capacity import Capacity
from tokenworth.flows.schedule.gate import Gate
from tokenworth.flows.schedule.queue import Queue
from tokenworth.flows.serve.edition import Edition
from tokenworth.flows.serve.makers import Maker
from tokenworth.flows.serve.order import Order


@dataclass(slots=True)
class Gates:
    """The queue of each supplier whose capacity the book limits. Of several processes that serve, each has an even slice of it."""

    clock: Callable[[], int]
    processes: int = 1
    by_supplier: dict[str, Gate] = field(default_factory=dict)

    def fit(self, book: Book) -> None:
        """Make queues as the book says; who waits or is under way stays."""
        patience = {tier.id: tier.patience for tier in book.tiers.values()}
        reserved = {tier.id: tier.reserved for tier in book.tiers.values() if tier.reserved}
        now = self.clock()
        for supplier in book.suppliers.values():
            gate = self.by_supplier.get(supplier.id)
            slots, tokens = self._slice(supplier.concurrency), self._slice(supplier.tokens_per_minute)
            if gate is None and _limited(supplier):
                self.by_supplier[supplier.id] = Gate(Queue(Capacity(slots, tokens, reserved, at=now), patience), self.clock)
            elif gate:
                gate.queue.patience = patience
                gate.queue.capacity.resize(slots, tokens, reserved, at=now)
                gate.moved()

    def _slice(self, whole: int) -> int:
        """Return this process's part, at least one: none would be no limit."""
        return max(whole // self.processes, 1) if whole else 0


def _limited(supplier: Supplier) -> bool:
    return bool(supplier.concurrency or supplier.tokens_per_minute)


@dataclass(slots=True)
class Dispatch:
    """The suppliers of one edition of the book, and what is known of them."""

    edition: Edition
    router: Router
    gates: Mapping[str, Gate]
    clock: Callable[[], int]

    def ranked(self, order: Order, session: str) -> list[Maker]:
        """Return who may serve an order, first who is to be asked first."""
        if not order.others:
            return [order.maker]
        by_id = {maker.model.id: maker for maker in (order.maker, *order.others)}
        key = affinity(order.ask.body, customer=order.draft.customer, session=session)
        weights = {id_: maker.weight for id_, maker in by_id.items()}
        return [by_id[id_] for id_ in self.router.order(weights, key, order.draft.at)]

    def too_late(self, makers: Sequence[Maker], tier: str, at: int) -> int | None:
        """Return in how many microseconds to come again, where a request would start in time at none of the suppliers; else None."""
        pauses = []
        for maker in makers:
            gate = self.gates.get(maker.model.supplier)
            pause = gate.queue.too_late(tier, at) if gate else None
            if pause is None:
                return None
            pauses.append(pause)
        return min(pauses)
