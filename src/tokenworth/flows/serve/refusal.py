"""Why a request is not served: a stable code, with the status that HTTP has for it. Each wire format has its own shape for it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tokenworth.capture.commands import Reason, Refused
from tokenworth.core.errors import TokenworthError
from tokenworth.core.instants import SECOND, format_instant
from tokenworth.core.money import format_amount

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Refusal(TokenworthError):  # noqa: N818 - the word of the ledger, `Refused`, at the edge
    """A request that is not served. `param` names the field at fault; `extra` is machine-readable detail of the error object."""

    def __init__(self, status: int, code: str, what: str, **detail: Any) -> None:
        """Take the HTTP status, the stable code, the message, and `param`, `extra` or `headers`."""
        super().__init__(what, code=code)
        self.status = status
        self.param: str | None = detail.get("param")
        self.extra: Mapping[str, Any] = detail.get("extra", NOTHING)
        self.headers: Mapping[str, str] = detail.get("headers", NOTHING)


def bad_request(what: str, param: str | None = None, *, code: str = "invalid_value") -> Refusal:
    """Return the refusal of a malformed request."""
    return Refusal(400, code, what, param=param)


def unknown_product(name: str, why: str = "") -> Refusal:
    """Return the refusal of a product that does not exist or is not sold to this customer: they look the same from outside."""
    detail = why or f"The model `{name}` does not exist or your plan does not include it."
    return Refusal(404, "model_not_found", detail, param="model")


def not_held(refused: Refused, unit: str) -> Refusal:
    """Return the refusal of a request for which the ledger held nothing."""
    told = TOLD.get(refused.reason)
    return told(refused, unit) if told else Refusal(403, refused.reason, f"The ledger refused the request: {refused.detail}", headers=STOP)


STOP = {"x-should-retry": "false"}
"""A retry can never succeed, or not soon: openai's client would try 409 and 429 again unless told not to."""


def _no_credits(refused: Refused, unit: str) -> Refusal:
    needed, available = format_amount(refused.needed), format_amount(refused.available)
    what = f"This request may cost up to {needed} {unit}, and {available} are available. Add credits, or ask for less with max_completion_tokens."
    return Refusal(402, refused.reason, what, extra={"needed": needed, "available": available, "unit": unit})


def _no_budget(refused: Refused, unit: str) -> Refusal:
    needed, until = format_amount(refused.needed), format_instant(refused.again)
    what = f"This request may cost up to {needed} {unit}, and {refused.detail}. Ask for less with max_completion_tokens, or wait."
    return Refusal(429, refused.reason, what, extra={"needed": needed, "unit": unit, "until": until}, headers=STOP)


def _in_progress(refused: Refused, unit: str) -> Refusal:
    del unit
    what = f"A request with this Idempotency-Key is being served, as event {refused.event}. Try again when it is over: it is charged once."
    again = {"x-should-retry": "true", "retry-after": "1"}
    return Refusal(409, refused.reason, what, extra={"event": refused.event}, headers=again)


def _made_before(refused: Refused, unit: str) -> Refusal:
    del unit
    what = f"A request with this Idempotency-Key was served before, as event {refused.event}; it is charged once."
    return Refusal(409, refused.reason, what, extra={"event": refused.event}, headers=STOP)


def _other_body(refused: Refused, unit: str) -> Refusal:
    del unit
    what = "This Idempotency-Key was used with another body. Use a new key for a new request."
    return Refusal(422, refused.reason, what, extra={"event": refused.event}, headers=STOP)


def _other_unit(refused: Refused, unit: str) -> Refusal:
    """A hold's id is new, so what conflicts is the account; the customer can do nothing about it."""
    del refused, unit
    what = "Your account is kept in another unit than this service sells in. Nothing was charged; tell the operator."
    return Refusal(500, "account_unit_differs", what, headers=STOP)


TOLD: Mapping[Reason, Callable[[Refused, str], Refusal]] = {
    Reason.INSUFFICIENT_CREDITS: _no_credits,
    Reason.BUDGET_EXCEEDED: _no_budget,
    Reason.IN_PROGRESS: _in_progress,
    Reason.DUPLICATE: _made_before,
    Reason.KEY_REUSED: _other_body,
    Reason.CONFLICT: _other_unit,
}


def too_late(pause: int) -> Refusal:
    """Return the refusal of a request that would wait for longer than its service tier may; it may come again after `pause` microseconds."""
    seconds = -(-pause // SECOND)
    what = f"All suppliers are busy, and the request would wait for longer than its service tier may. Try again in {seconds} s."
    return Refusal(503, "over_capacity", what, extra={"retry_after": seconds}, headers={"retry-after": str(seconds)})
