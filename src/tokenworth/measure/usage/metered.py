"""What a dialect makes of a payload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, shown, text_at


@dataclass(frozen=True, slots=True)
class Metered:
    """Disjoint counts, the model as the provider reports it, and what it says that changes prices, such as a service tier.

    `context` is empty for standard service; its keys are those of list prices: `service_tier`, `speed`, `processing`, `inference_geo`.
    """

    usage: Usage
    model: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


def usage_object(payload: Any, name: str = "usage") -> tuple[Mapping[str, Any], Fields]:
    """Return the whole response (empty if only its usage was given) and its usage object, else UsageError."""
    if not isinstance(payload, Mapping):
        raise UsageError(f"the payload is {shown(payload)}, not an object", mend="pass a response or its usage object")
    if name not in payload:
        return {}, Fields(payload, name)
    inside = payload[name]
    if not isinstance(inside, Mapping):
        raise UsageError(f"{name} is {shown(inside)}, not an object", mend="ask the provider for usage, or estimate and mark it")
    return payload, Fields(inside, name)


def model_of(response: Mapping[str, Any], *names: str) -> str:
    """Return the model that a response says it comes from, under the first of the names that is there; empty where it does not."""
    return next((text for name in names or ("model",) if (text := text_at(response, name, "response"))), "")


def stated(key: str, standard: frozenset[str], *texts: str) -> dict[str, str]:
    """Return the context that is stated, in one place or in several: none where all say standard service, UsageError where two say others."""
    special = {text.lower() for text in texts} - standard
    if len(special) > 1:
        raise UsageError(f"the payload states two values of {key}: {' and '.join(sorted(special))}")
    return {key: special.pop()} if special else {}
