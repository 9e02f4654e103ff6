"""LiteLLM's own usage object, which its spend log keeps, whoever the provider is.

It is OpenAI's with more: `prompt_tokens` has what was read from the cache and written to it inside, also for Anthropic, whose own counts stand
beside; the same counts are repeated under Anthropic's names. Source: LiteLLM 1.106.2, `types/utils.py` (Usage) and its providers' transformations.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, same_total
from tokenworth.measure.usage.openai import output_details

NO_COUNTS = ("cost", "cost_details", "is_byok", "speed", "service_tier", "inference_geo", "iterations")
"""What LiteLLM adds of money and of terms; `iterations` are counted again in the sums."""


def usage(payload: Mapping[str, Any]) -> Usage:
    """Meter a usage object of LiteLLM's; UsageError where its counts contradict each other, UnknownUnitError for one that is not known."""
    fields = Fields(payload)
    prompt, completion = fields.count("prompt_tokens"), fields.count("completion_tokens")
    same_total(fields, "total_tokens", prompt_tokens=prompt, completion_tokens=completion)
    into = fields.inner("prompt_tokens_details")
    tools = fields.inner("server_tool_use")
    counts = {
        "input": prompt,
        "output": completion,
        "cache_read": _agreed((into, "cached_tokens"), (fields, "cache_read_input_tokens")),
        **_writes(fields, into),
        **{f"input_{kind}": into.optional(f"{kind}_tokens") for kind in ("audio", "image", "video")},
        "input_tool": into.optional("tool_use_tokens"),
        **_cached_media(into),
        "web_search": _agreed((into, "web_search_requests"), (tools, "web_search_requests")),
    }
    into.within(prompt, "text_tokens", "audio_tokens", "image_tokens", "video_tokens")
    counts |= output_details(fields.inner("completion_tokens_details"), completion)
    tools.skip("tool_search_requests")
    fields.skip(*NO_COUNTS)
    for each in (into, tools, fields):
        each.close()
    return Usage.from_overlapping(counts)


def _agreed(*places: tuple[Fields, str]) -> int:
    """Return a count that stands in several places: all that state it must agree, but for zeros, which stand for what was not said."""
    said = {f"{fields.path}.{name}": count for fields, name in places if (count := fields.optional(name))}
    if len(set(said.values())) > 1:
        raise UsageError(f"counts contradict each other: {', '.join(f'{place} is {count}' for place, count in said.items())}")
    return next(iter(said.values()), 0)


def _writes(fields: Fields, into: Fields) -> dict[str, int]:
    total = _agreed((into, "cache_creation_tokens"), (into, "cache_write_tokens"), (fields, "cache_creation_input_tokens"))
    split = into.inner("cache_creation_token_details")
    short, long = split.optional("ephemeral_5m_input_tokens"), split.optional("ephemeral_1h_input_tokens")
    split.close()
    if not (short or long):
        return {"cache_write": total}
    if total != short + long:
        raise UsageError(f"{total} tokens were written to the cache, but {short} for five minutes and {long} for an hour")
    return {"cache_write_5m": short, "cache_write_1h": long}


def _cached_media(into: Fields) -> dict[str, int]:
    inside = into.inner("cached_tokens_details")
    counts = {f"cache_read_{kind}": inside.optional(f"{kind}_tokens") for kind in ("audio", "image") if inside.given(f"{kind}_tokens")}
    inside.skip("text_tokens", "audio_tokens", "image_tokens")
    inside.close()
    return counts
