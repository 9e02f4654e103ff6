"""Usage objects of suppliers, read in the dialect of whoever made them; and what is counted here where there is none."""

from collections.abc import Mapping
from typing import Any

from tokenworth.book.model import Model
from tokenworth.flows.serve.wire.ask import Ask, bounds
from tokenworth.flows.serve.wire.text import Count, Said
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.dialects import find, meter

OWNERS = {"chat": "openai", "responses": "openai", "embeddings": "openai", "messages": "anthropic"}
"""Whose wire format it is; where a supplier's own usage objects differ from it, the model's list price names whose they are."""


def read_usage(model: Model, api: str, usage: Mapping[str, Any]) -> Usage:
    """Return the disjoint counts of a usage object that came on the format `api`; UsageError where it contradicts itself."""
    provider = model.list_price.partition("/")[0]
    return meter(provider if find(provider, api) else OWNERS[api], api, usage).usage


def estimate(ask: Ask, model: Model, delivered: Said, count: Count) -> Usage:
    """Count tokens of text, within what the hold was placed for: an estimate is no ground to take what was not authorised."""
    most = bounds(ask, model)
    into, out = Said(ask.prompt).tokens(count) + ask.prompt_tokens, delivered.tokens(count)
    counts = {"input": min(into, most.input_tokens), "output": min(out, most.output_tokens)}
    return Usage({name: number for name, number in counts.items() if number})
