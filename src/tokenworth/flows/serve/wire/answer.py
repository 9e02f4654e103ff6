"""JSON of suppliers: read, and written again."""

from collections.abc import Mapping
from typing import Any

import orjson

from tokenworth.core.errors import SupplierError


def read_object(data: bytes) -> dict[str, Any] | None:
    """Return the object that bytes carry; None where they carry something else."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def read_answer(data: bytes, field: str) -> dict[str, Any]:
    """Return a whole answer, which has a list in `field`; SupplierError where it is none."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise SupplierError("the supplier's answer is not JSON", code="supplier_nonsense") from None
    if not isinstance(content, dict) or not isinstance(content.get(field), list):
        raise SupplierError(f"the supplier's answer has no {field}", code="supplier_nonsense")
    return content


def written(content: Mapping[str, Any]) -> bytes:
    """Return an answer's bytes; SupplierError where it cannot be written: orjson reads deeper nesting than it writes."""
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError as error:
        raise SupplierError(f"the supplier's answer cannot be passed on: {error}", code="supplier_nonsense") from None


def can_write(value: Any) -> bool:
    """Whether a part of an answer can go to the client."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


def reason(content: bytes) -> str:
    """Return the text of a refusal in a shape that no format has, empty where it has none."""
    told = read_object(content) or {}
    return next((told[name] for name in ("error", "message", "detail") if isinstance(told.get(name), str)), "")


def as_object(value: Any) -> dict[str, Any]:
    """Return an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, none for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Return a text, an empty one for anything else."""
    return value if isinstance(value, str) else ""
