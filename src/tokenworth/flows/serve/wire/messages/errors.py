"""The shape of Anthropic's errors."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.answer import read_object

KINDS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}


def error(refusal: Refusal) -> Mapping[str, Any]:
    """Return the error object that Anthropic's clients read, with our stable code and the field beside it."""
    kind = KINDS.get(refusal.status, "api_error" if refusal.status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {**refusal.extra, "type": kind, "message": refusal.what, "code": refusal.code, "param": refusal.param}}


def last_event(refusal: Refusal) -> bytes:
    """Return the error as the event that ends a stream."""
    return b"event: error\ndata: " + orjson.dumps(error(refusal)) + b"\n\n"


def refused(status: int, content: bytes) -> bytes:
    """Return a supplier's refusal as it is, where it has the shape that clients read."""
    del status
    told = read_object(content) or {}
    return content if told.get("type") == "error" and isinstance(told.get("error"), dict) else b""
