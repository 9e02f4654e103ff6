"""OpenAI: chat completions, responses, embeddings, and the many that speak its wire format.

Cached tokens and cache writes are inside the input, reasoning is inside the output. Sources: OpenAI's API reference for `usage` of each
endpoint; DeepSeek's for `prompt_cache_hit_tokens`; Moonshot's for `cached_tokens`.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, same_total, text_at
from tokenworth.measure.usage.metered import Metered, model_of, stated, usage_object

STANDARD_TIERS = frozenset({"", "default", "auto", "standard"})
TIMINGS = ("queue_time", "prompt_time", "completion_time", "total_time", "cost_in_usd_ticks")
"""Groq's seconds, and what x.AI charged: nothing to count. (x.AI's `num_sources_used` is billed, and has no unit: it is refused.)"""


def chat(payload: Any) -> Metered:
    """Meter a chat completion or its usage object."""
    response, usage = usage_object(payload)
    counts = chat_counts(usage)
    usage.skip(*TIMINGS)
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response), context(response))


def chat_counts(usage: Fields) -> dict[str, int]:
    """Return the overlapping counts of a chat completion's usage object."""
    prompt, completion = usage.count("prompt_tokens"), usage.count("completion_tokens")
    same_total(usage, "total_tokens", prompt_tokens=prompt, completion_tokens=completion)
    inside = input_details(usage.inner("prompt_tokens_details"))
    cached = _flat_cache(usage, prompt)
    if cached and inside["cache_read"] not in (0, cached):
        raise UsageError(f"{usage.path} says {cached} cached tokens and {inside['cache_read']} in its details")
    inside["cache_read"] = inside["cache_read"] or cached
    return {"input": prompt, "output": completion} | inside | output_details(usage.inner("completion_tokens_details"))


def responses(payload: Any) -> Metered:
    """Meter a response of the Responses API or its usage object."""
    response, usage = usage_object(payload)
    into, out = usage.count("input_tokens"), usage.count("output_tokens")
    same_total(usage, "total_tokens", input_tokens=into, output_tokens=out)
    counts = {"input": into, "output": out}
    counts |= input_details(usage.inner("input_tokens_details")) | output_details(usage.inner("output_tokens_details"))
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response), context(response))


def embeddings(payload: Any) -> Metered:
    """Meter an embedding or its usage object. There is no output to bill, whatever a compatible server reports of it."""
    response, usage = usage_object(payload)
    counts = {"input": usage.count("prompt_tokens", "input_tokens")}
    same_total(usage, "total_tokens", prompt_tokens=counts["input"], completion_tokens=usage.optional("completion_tokens"))
    usage.skip("completion_tokens_details")
    counts |= input_details(usage.inner("prompt_tokens_details"))
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response))


def input_details(details: Fields) -> dict[str, int]:
    """Return what is counted inside the input."""
    counts = {
        "cache_read": details.optional("cached_tokens"),
        "cache_write": details.optional("cache_write_tokens"),
        "input_audio": details.optional("audio_tokens"),
        "input_image": details.optional("image_tokens"),
        "input_video": details.optional("video_tokens"),
    }
    inside = details.inner("cached_tokens_details")
    if inside.values:
        counts |= {f"cache_read_{kind}": inside.optional(f"{kind}_tokens") for kind in ("audio", "image")}
        inside.skip("text_tokens")
        inside.close()
    details.skip("text_tokens")
    details.close()
    return counts


def output_details(details: Fields) -> dict[str, int]:
    """Return what is counted inside the output; accepted and rejected predictions are billed as output like the rest of it."""
    counts = {
        "reasoning": details.optional("reasoning_tokens"),
        "output_audio": details.optional("audio_tokens"),
        "output_image": details.optional("image_tokens"),
    }
    details.skip("text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens")
    details.close()
    return counts


def _flat_cache(usage: Fields, prompt: int) -> int:
    """Cached tokens as DeepSeek and Moonshot state them, beside the details."""
    hit, missed = usage.optional("prompt_cache_hit_tokens"), usage.optional("prompt_cache_miss_tokens")
    if usage.given("prompt_cache_miss_tokens") and hit + missed != prompt:
        raise UsageError(f"{usage.path}: prompt_cache_hit_tokens ({hit}) and prompt_cache_miss_tokens ({missed}) are not prompt_tokens ({prompt})")
    return hit or usage.optional("cached_tokens")


def context(response: Mapping[str, Any]) -> dict[str, str]:
    """Return what a response says that changes prices: the tier that served it."""
    return stated(text_at(response, "service_tier", "response"), STANDARD_TIERS, "service_tier")
