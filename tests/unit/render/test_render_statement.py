"""The printed statement: what it lacks is as plain as what it says."""

from io import StringIO
from typing import Any

from rich.console import Console

from tests.support.events import draft, settled
from tokenworth.capture.events import Status, UsageEvent
from tokenworth.core.money import NANO
from tokenworth.flows.statement import Beyond, summarise
from tokenworth.render.statement import print_statement, statement_data


def printed(*events: UsageEvent, **more: Any) -> str:
    out = StringIO()
    print_statement(summarise(events, **more), console=Console(file=out, width=200))
    return " ".join(out.getvalue().split())


def test_a_margin_that_lacks_costs_is_an_upper_bound() -> None:
    events = settled(draft(1), NANO, revenue=NANO, cost=NANO // 4), settled(draft(2), NANO, revenue=NANO, cost_card="", alarm="uncosted")
    text = printed(*events)
    assert "chat 2 2 2.00 2.00 0.25 <= 1.75 <= 87.5" in text
    assert "Incomplete: the cost of 1 answered requests is not known" in text
    assert "Alarm: uncosted (1 times)." in text
    assert statement_data(summarise(events))["total"]["uncosted"] == 1


def test_what_was_answered_and_not_charged_is_said_with_its_cost() -> None:
    text = printed(settled(draft(1), 0, status=Status.UNRATED, cost=NANO, alarm="unpriced"))
    assert "chat 1 1 0.00 0.00 1.00 -1.00 -" in text
    assert "Not charged: 1 answered requests" in text


def test_what_went_beyond_holds_is_told_by_product() -> None:
    beyond = {"chat": Beyond(3, 5 * NANO, NANO), "code": Beyond(1, 2 * NANO, 0)}
    text = printed(settled(draft(1), NANO), beyond=beyond)
    assert "Beyond their holds: 3 requests of chat by 5.00 credits, of which 1.00 waived. " in text
    assert "Beyond their holds: 1 requests of code by 2.00 credits." in text
    assert statement_data(summarise([], beyond=beyond))["beyond_holds"]["chat"] == {"requests": 3, "amount": "5", "waived": "1"}


def test_nothing_at_all_is_one_line() -> None:
    assert printed() == "No requests."
