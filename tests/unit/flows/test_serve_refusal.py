"""What the ledger refuses, as HTTP says it: status, code, and whether a client may try again."""

import pytest

from tokenworth.capture.commands import Reason, Refused
from tokenworth.flows.serve.refusal import not_held


@pytest.mark.parametrize(
    ("reason", "status", "code", "retry"),
    [
        (Reason.INSUFFICIENT_CREDITS, 402, "insufficient_credits", None),
        (Reason.BUDGET_EXCEEDED, 429, "budget_exceeded", "false"),
        (Reason.IN_PROGRESS, 409, "request_in_progress", "true"),
        (Reason.DUPLICATE, 409, "duplicate_request", "false"),
        (Reason.KEY_REUSED, 422, "idempotency_key_reused", "false"),
        (Reason.CONFLICT, 500, "account_unit_differs", "false"),
        (Reason.UNKNOWN_CUSTOMER, 403, "unknown_customer", "false"),
    ],
)
def test_refusals_of_a_hold(reason: Reason, status: int, code: str, retry: str | None) -> None:
    refusal = not_held(Refused(reason, "why", event="first"), "credits")
    assert (refusal.status, refusal.code, refusal.headers.get("x-should-retry")) == (status, code, retry)
    assert refusal.headers.get("retry-after") == ("1" if retry == "true" else None)


@pytest.mark.parametrize("reason", [Reason.IN_PROGRESS, Reason.DUPLICATE, Reason.KEY_REUSED])
def test_the_first_request_is_named(reason: Reason) -> None:
    assert not_held(Refused(reason, "why", event="first"), "credits").extra == {"event": "first"}
