"""OpenAI: chat completions, responses, embeddings, and the many that speak its wire format.

Cached tokens and cache writes are inside the input, reasoning is inside the output. Sources: OpenAI's API reference for `usage` of each
endpoint; DeepSeek's for `prompt_cache_hit_tokens`; Moonshot's for `cached_tokens`; OpenAI's guide to web search for what of it is billed.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UnknownUnitError, UsageError
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, same_total, text_at
from tokenworth.measure.usage.metered import Metered, model_of, stated, usage_object

STANDARD = frozenset({"", "default", "auto", "standard"})
TIMINGS = ("queue_time", "prompt_time", "completion_time", "total_time", "cost_in_usd_ticks")
"""Groq's seconds, and what x.AI charged: nothing to count. (x.AI's `num_sources_used` is billed, and has no unit: it is refused.)"""
BILLED_CALLS = frozenset({"file_search_call", "code_interpreter_call", "image_generation_call"})
"""Tools of the Responses API that are billed beside the tokens, and have no unit."""


def chat(payload: Any) -> Metered:
    """Meter a chat completion or its usage object."""
    return _chat(payload, thoughts_beside=False)


def chat_with_thoughts_beside(payload: Any) -> Metered:
    """Meter a chat completion of x.AI, where reasoning is beside `completion_tokens`, and the total says so (x.AI's API reference)."""
    return _chat(payload, thoughts_beside=True)


def _chat(payload: Any, *, thoughts_beside: bool) -> Metered:
    response, usage = usage_object(payload)
    counts = chat_counts(usage, thoughts_beside=thoughts_beside)
    told = context(response, usage)
    usage.skip(*TIMINGS)
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response), told)


def chat_counts(usage: Fields, *, thoughts_beside: bool = False) -> dict[str, int]:
    """Return the overlapping counts of a chat completion's usage object."""
    prompt, completion = usage.count("prompt_tokens"), usage.count("completion_tokens")
    details = usage.inner("prompt_tokens_details")
    into, out = input_details(details, prompt), output_details(usage.inner("completion_tokens_details"), completion)
    into["cache_read"] = _cached(usage, details, prompt)
    beside = {"reasoning_tokens": out["reasoning"]} if thoughts_beside else {}
    same_total(usage, "total_tokens", prompt_tokens=prompt, completion_tokens=completion, **beside)
    return {"input": prompt, "output": completion + sum(beside.values())} | into | out


def responses(payload: Any) -> Metered:
    """Meter a response of the Responses API or its usage object; what its tools searched is in a whole response only."""
    response, usage = usage_object(payload)
    into, out = usage.count("input_tokens"), usage.count("output_tokens")
    same_total(usage, "total_tokens", input_tokens=into, output_tokens=out)
    counts = {"input": into, "output": out, "web_search": _searches(response)}
    counts |= input_details(usage.inner("input_tokens_details"), into) | output_details(usage.inner("output_tokens_details"), out)
    told = context(response, usage)
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response), told)


def embeddings(payload: Any) -> Metered:
    """Meter an embedding or its usage object. There is no output to bill, whatever a compatible server reports of it."""
    response, usage = usage_object(payload)
    into, out = usage.count("prompt_tokens", "input_tokens"), usage.optional("completion_tokens")
    same_total(usage, "total_tokens", prompt_tokens=into, completion_tokens=out)
    counts = {"input": into} | input_details(usage.inner("prompt_tokens_details"), into)
    # refused where it contradicts itself, like any other count
    Usage.from_overlapping({"output": out} | output_details(usage.inner("completion_tokens_details"), out))
    told = context(response, usage)
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response), told)


def input_details(details: Fields, whole: int) -> dict[str, int]:
    """Return what is counted inside the input, which is `whole`."""
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
        inside.within(counts["cache_read"], "text_tokens", "audio_tokens", "image_tokens")
        inside.close()
    written = details.inner("cache_write_tokens_details")
    if written.values:
        counts |= {f"cache_write_{ttl}": written.optional(f"ttl_{ttl}_tokens") for ttl in ("30m", "12h")}
        written.close()
    details.within(whole, "text_tokens", "audio_tokens", "image_tokens", "video_tokens")
    details.close()
    return counts


def output_details(details: Fields, whole: int) -> dict[str, int]:
    """Return what is counted inside the output, which is `whole`; accepted and rejected predictions are billed as output like the rest of it."""
    counts = {
        "reasoning": details.optional("reasoning_tokens"),
        "output_audio": details.optional("audio_tokens"),
        "output_image": details.optional("image_tokens"),
    }
    details.within(whole, "text_tokens", "audio_tokens", "image_tokens")
    details.within(whole, "accepted_prediction_tokens")
    details.within(whole, "rejected_prediction_tokens")
    details.close()
    return counts


def context(response: Mapping[str, Any], usage: Fields) -> dict[str, str]:
    """Return what changes prices: the tier and the speed that served, as the response or its usage object states them."""
    told: dict[str, str] = {}
    for key in ("service_tier", "speed"):
        told |= stated(key, STANDARD, text_at(response, key, "response"), usage.text(key))
    return told


def _cached(usage: Fields, details: Fields, prompt: int) -> int:
    """Return cached tokens, wherever they are stated: in the details, or beside them as DeepSeek and Moonshot do; all must agree."""
    places = ((details, "cached_tokens"), (usage, "cached_tokens"), (usage, "prompt_cache_hit_tokens"))
    said = {f"{fields.path}.{name}": fields.optional(name) for fields, name in places if fields.given(name)}
    if usage.given("prompt_cache_miss_tokens"):
        missed = usage.optional("prompt_cache_miss_tokens")
        said[f"prompt_tokens ({prompt}) less prompt_cache_miss_tokens ({missed})"] = prompt - missed
    if len(set(said.values())) > 1:
        raise UsageError(f"cached tokens contradict each other: {', '.join(f'{place} is {count}' for place, count in said.items())}")
    return next(iter(said.values()), 0)


def _searches(response: Mapping[str, Any]) -> int:
    """Return the web searches of a response: calls that came to their end and searched, since opening or reading a page costs its tokens only."""
    searches = 0
    for item in Fields(response, "response").listed("output") or ():
        call = Fields(item, "response.output")
        kind, ended = call.text("type"), call.text("status") in ("", "completed")
        if ended and kind in BILLED_CALLS:
            raise UnknownUnitError(f"the response has a {kind}, which is billed and has no unit", mend="pass its usage object for its tokens alone")
        searches += ended and kind == "web_search_call" and call.inner("action").text("type") in ("", "search")
    return searches
