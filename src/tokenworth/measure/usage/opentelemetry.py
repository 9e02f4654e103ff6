"""Token counts among the attributes of an OpenTelemetry span.

Semantic conventions for GenAI, 0.66b2: cached tokens and cache writes are inside `gen_ai.usage.input_tokens`, reasoning is inside
`gen_ai.usage.output_tokens`. Older conventions called these two `prompt_tokens` and `completion_tokens`.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, same_total

PREFIX = "gen_ai.usage."
INPUT = ("input_tokens", "prompt_tokens")
OUTPUT = ("output_tokens", "completion_tokens")


def usage(attributes: Mapping[str, Any]) -> Usage:
    """Meter a span's attributes; UsageError where they have no count or contradict each other, UnknownUnitError for one that is not known."""
    fields = Fields({name.removeprefix(PREFIX): value for name, value in attributes.items() if name.startswith(PREFIX)}, PREFIX.rstrip("."))
    if not any(map(fields.given, (*INPUT, *OUTPUT))):
        raise UsageError(
            "the span has neither input nor output tokens", mend="have the instrumentation record usage, or estimate it", code="no_usage"
        )
    into, out = _either(fields, *INPUT), _either(fields, *OUTPUT)
    same_total(fields, "total_tokens", input_tokens=into, output_tokens=out)
    counts = {
        "input": into,
        "output": out,
        "cache_read": fields.optional("cache_read.input_tokens"),
        "cache_write": fields.optional("cache_creation.input_tokens"),
        "reasoning": fields.optional("reasoning.output_tokens"),
    }
    # some instrumentations tell what they think it cost
    fields.skip("cost")
    fields.close()
    return Usage.from_overlapping(counts)


def _either(fields: Fields, name: str, older: str) -> int:
    """Return a count under its name or its older one; 0 where there is neither, as embeddings have no output."""
    if fields.given(name) and fields.given(older) and fields.optional(name) != fields.optional(older):
        raise UsageError(f"{fields.path}.{name} is {fields.optional(name)}, but {older} is {fields.optional(older)}")
    found = fields.optional(name), fields.optional(older)
    return max(found)
