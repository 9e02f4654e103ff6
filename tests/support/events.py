"""Events and ledgers for tests."""

from collections.abc import Mapping
from pathlib import Path

from tokenworth.capture.commands import Done, Grant, OpenAccount, Result, Source
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.ids import sortable_id
from tokenworth.store.sqlite.ledger import SqliteLedger
from tokenworth.wiring.ledgers import Ledger, Where
from tokenworth.wiring.ledgers import open_ledger as open_any

START = 1_790_000_000_000_000
"""An instant in September 2026."""


def draft(number: int, customer: str = "ada", at: int = START) -> UsageEvent:
    """Return an event as it is when its hold is placed; the number makes its id."""
    return UsageEvent(
        id=sortable_id(at, number.to_bytes(10, "big")),
        customer=customer,
        plan="payg",
        api_key="key",
        product="chat",
        tier="default",
        supplier="sim",
        model="m",
        api="chat",
        at=at,
        unit="credits",
        currency="USD",
        card="card",
        cost_card="cost",
        book="book",
    )


def settled(event: UsageEvent, charge: int, **more: object) -> UsageEvent:
    """Return the event as it is when its hold is settled."""
    values = {"status": Status.OK, "charge": charge, "ended": event.at + 1, "counts": {"output": 1}} | more
    return event._replace(**values)  # type: ignore[arg-type]


def failed(event: UsageEvent) -> UsageEvent:
    """Return the event as it is when its hold is released."""
    return event._replace(status=Status.FAILED, ended=event.at + 1, alarm="supplier_503")


def open_ledger(path: Path, **credits_of: int) -> SqliteLedger:
    """Open a ledger; customers not there yet start with a grant of nano-credits, paid at half a nano-dollar each."""
    ledger = SqliteLedger(path, clock=lambda: START)
    fund(ledger, credits_of)
    return ledger


def open_where(where: Where, **credits_of: int) -> Ledger:
    """Open a ledger of any engine, as `open_ledger`."""
    ledger = open_any(where, clock=lambda: START)
    fund(ledger, credits_of)
    return ledger


def fund(ledger: Ledger, credits_of: Mapping[str, int]) -> None:
    """Give customers their first grant, once."""
    for customer, amount in credits_of.items():
        grant = Grant(f"start-{customer}", customer, amount, Source.PAID, amount // 2, START)
        done(ledger.submit_now([OpenAccount(customer, "credits", "USD", START), grant]))


def done(results: list[Result]) -> Done:
    """Return the last result; none may be a refusal."""
    for result in results:
        assert isinstance(result, Done), result
    last = results[-1]
    assert isinstance(last, Done)
    return last
