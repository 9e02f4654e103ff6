"""Products as Anthropic lists models."""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenworth.core.instants import SECOND, format_instant


def described(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return one product, which is as OpenAI lists it."""
    return {"type": "model", "id": model["id"], "display_name": model["id"], "created_at": format_instant(model["created"] * SECOND)}


def listed(models: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return all products, in one page."""
    data = [described(model) for model in models]
    ends = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"data": data, "has_more": False, "first_id": ends[0], "last_id": ends[1]}
