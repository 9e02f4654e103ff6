"""What OpenAI's formats share: the shape of errors."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.flows.serve.refusal import Refusal
from tokenworth.flows.serve.wire.answer import read_object

KINDS = {401: "authentication_error", 402: "insufficient_quota", 403: "permission_error", 429: "insufficient_quota"}


def error(refusal: Refusal) -> Mapping[str, Any]:
    """Return the error object, which all of OpenAI's clients read."""
    kind = "server_error" if refusal.status >= 500 else KINDS.get(refusal.status, "invalid_request_error")
    return {"error": {"message": refusal.what, "type": kind, "code": refusal.code, "param": refusal.param, **refusal.extra}}


def last_event(refusal: Refusal) -> bytes:
    """Return the error as an event without a name."""
    return b"data: " + orjson.dumps(error(refusal)) + b"\n\n"


def refused(status: int, content: bytes) -> bytes:
    """Return a supplier's refusal as it is, where it has the shape that clients read."""
    del status
    return content if isinstance((read_object(content) or {}).get("error"), dict) else b""


def is_clients_tool(tool: Mapping[str, Any]) -> bool:
    """Whether the client itself runs a tool."""
    return tool.get("type") in ("function", "custom")


CLIENTS_TOOLS = "custom or function"
