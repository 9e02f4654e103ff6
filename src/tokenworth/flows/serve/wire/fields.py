"""Readers of a request's fields: each Refusal (400) names the field that is missing or of the wrong kind."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.flows.exact_json import exact
from tokenworth.flows.serve.refusal import bad_request
from tokenworth.price.card import DEFAULT_TIER

MAX_DEPTH = 254
"""Levels of a body that orjson can write again for the supplier; it reads more."""


def read_body(raw: bytes) -> dict[str, Any]:
    """Parse a body once, such that it can be written again as it was: within the depth, and with each integer's digits."""
    try:
        body = orjson.loads(raw)
        if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
            orjson.dumps(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is not valid JSON: {error}", code="invalid_json") from None
    except TypeError:
        raise bad_request(f"The body is nested deeper than {MAX_DEPTH} levels.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object.", code="invalid_json")
    whole: dict[str, Any] = exact(body, raw)
    return whole


def product(body: Mapping[str, Any]) -> str:
    """Return the product that is asked for."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise bad_request("Name the model to use.", "model", code="missing_required_parameter")
    return name


def messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages, at least one."""
    found = body.get("messages")
    if not isinstance(found, list) or not found or not all(isinstance(message, dict) for message in found):
        raise bad_request("`messages` must be a list of at least one message.", "messages")
    return found


def tier(body: Mapping[str, Any]) -> str:
    """Return the service tier; absent and `auto` are the default."""
    name = body.get("service_tier")
    if name is None or name == "auto":
        return DEFAULT_TIER
    if not isinstance(name, str):
        raise bad_request("`service_tier` must be a string.", "service_tier")
    return name


def boolean(body: Mapping[str, Any], name: str) -> bool:
    """Return a flag; absent and null are false."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"`{name}` must be true or false.", name)
    return bool(value)


def count(body: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number of at least 1; None where it is absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise bad_request(f"`{name}` must be a whole number of at least 1.", name)
    return value
