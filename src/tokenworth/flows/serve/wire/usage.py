"""Usage objects of suppliers, read in the dialect of whoever made them; and what is counted here where there is none."""

from collections.abc import Mapping
from typing import Any

from tokenworth.book.model import Model
from tokenworth.core.errors import UsageError
from tokenworth.core.units import INPUT_TOKENS
from tokenworth.flows.serve.wire.ask import bounds
from tokenworth.flows.serve.wire.tap import Asked
from tokenworth.flows.serve.wire.text import Said
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.dialects import find, meter

OWNERS = {"chat": "openai", "responses": "openai", "embeddings": "openai", "messages": "anthropic"}
"""Whose wire format it is; where a supplier's own usage objects differ from it, the model's list price names whose they are."""


def read_usage(model: Model, api: str, usage: Mapping[str, Any]) -> Usage:
    """Return the disjoint counts of a usage object that came on the format `api`; UsageError where it contradicts itself."""
    provider = model.list_price.partition("/")[0]
    return meter(provider if find(provider, api) else OWNERS[api], api, usage).usage


def estimate(asked: Asked, api: str, delivered: Said, prompt: Mapping[str, Any] | None) -> Usage:
    """Count tokens of text, within what the hold was placed for: an estimate is no ground to take what was not authorised.

    What the supplier said of the prompt, in `prompt`, is no estimate.
    """
    most = bounds(asked.ask, asked.model)
    into = _prompt(asked, api, prompt)
    if not 0 < sum(into.values()) <= most.input_tokens:
        into = {"input": min(Said(asked.ask.prompt).tokens(asked.count) + asked.ask.prompt_tokens, most.input_tokens)}
    counts = {**into, "output": min(delivered.tokens(asked.count), most.output_tokens)}
    return Usage({name: number for name, number in counts.items() if number})


def _prompt(asked: Asked, api: str, said: Mapping[str, Any] | None) -> dict[str, int]:
    if said is None:
        return {}
    try:
        return {name: count for name, count in read_usage(asked.model, api, said).counts.items() if name in INPUT_TOKENS}
    except UsageError:
        return {}
