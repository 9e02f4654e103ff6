"""The statement sums what events say, and ranks customers by margin."""

from tokenworth.capture.events import Status, UsageEvent
from tokenworth.flows.statement import summarise


def event(customer: str, product: str, **more: object) -> UsageEvent:
    """Make an event with the fields that a statement reads."""
    fixed = dict.fromkeys(("id", "plan", "api_key", "supplier", "model", "api", "card", "cost_card", "book"), "x")
    values = fixed | {"tier": "default", "at": 0, "unit": "credits", "currency": "USD", "status": Status.OK} | more
    return UsageEvent(customer=customer, product=product, **values)  # type: ignore[arg-type]


EVENTS = [
    event("a", "chat", counts={"input": 10, "output": 5}, charge=700, revenue=70, cost=40),
    event("a", "code", counts={"input": 1, "cache_read": 2}, charge=300, revenue=30, cost=20),
    event("b", "chat", counts={"output": 5}, charge=500, revenue=0, cost=45, tier="flex"),
    event("c", "chat", status=Status.FAILED, alarm="supplier down"),
    event("c", "chat", status=Status.LOST, alarm="supplier down"),
]


def test_totals_and_groups() -> None:
    statement = summarise(EVENTS)
    assert (statement.total.requests, statement.total.charge, statement.total.revenue, statement.total.cost) == (5, 1500, 100, 105)
    assert statement.tokens == {"input": 11, "cache_read": 2, "output": 10}
    for group in statement.by.values():
        assert sum(tally.charge for tally in group.values()) == 1500
        assert sum(tally.requests for tally in group.values()) == 5
    assert statement.by["tier"]["flex"].cost == 45
    assert statement.statuses == {"ok": 3, "failed": 1, "lost": 1}
    assert statement.lost == 1
    assert statement.alarms == {"supplier down": 2}


def test_the_worst_customer_is_the_one_that_earns_least() -> None:
    assert [(name, tally.margin) for name, tally in summarise(EVENTS).worst_customers(2)] == [("b", -45), ("c", 0)]


def test_margin_is_of_revenue_and_absent_without_any() -> None:
    by = summarise(EVENTS).by["customer"]
    assert by["a"].margin_basis_points == 4_000
    assert by["b"].margin_basis_points is None


def test_answers_without_a_known_cost_are_counted_and_others_are_not() -> None:
    nobody_knows = [event("a", "chat", status=status, cost_card="") for status in Status]
    assert summarise([*EVENTS, *nobody_knows]).total.uncosted == 3  # ok, estimated, unrated
    assert summarise(EVENTS).total.uncosted == 0


def test_nothing_sold_is_a_statement_too() -> None:
    assert summarise([]).total.requests == 0
