"""Anthropic messages: what was read from the cache and written to it stands beside `input_tokens`, not inside.

Sources: Anthropic's Messages API reference and its page on prompt caching. Cache writes live five minutes or an hour, at different prices;
thinking is inside the output; a web search is billed per search, a web fetch by its tokens only.
"""

from typing import Any

from tokenworth.core.errors import UsageError
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields
from tokenworth.measure.usage.metered import Metered, model_of, stated, usage_object

STANDARD_TIERS = frozenset({"", "standard", "default"})
STANDARD_GEO = frozenset({"", "not_available", "global"})
STANDARD_SPEED = frozenset({"", "standard"})


def messages(payload: Any) -> Metered:
    """Meter a message or its usage object."""
    response, usage = usage_object(payload)
    into, read = usage.count("input_tokens"), usage.optional("cache_read_input_tokens")
    short, long = _writes(usage)
    thinking = usage.inner("output_tokens_details")
    counts = {
        # inside the whole input, so that the leaves come out as they are billed
        "input": into + read + short + long,
        "cache_read": read,
        "cache_write_5m": short,
        "cache_write_1h": long,
        "output": usage.count("output_tokens"),
        "reasoning": thinking.optional("thinking_tokens"),
    }
    thinking.close()
    tools = usage.inner("server_tool_use")
    counts["web_search"] = tools.optional("web_search_requests")
    # fetched pages are input tokens and nothing more
    tools.optional("web_fetch_requests")
    tools.close()
    context = _context(usage)
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response), context)


def _writes(usage: Fields) -> tuple[int, int]:
    """Return tokens written for five minutes and for an hour; five minutes is the lifetime where none is stated, and a stated zero is one."""
    split = usage.inner("cache_creation")
    short, long = split.optional("ephemeral_5m_input_tokens"), split.optional("ephemeral_1h_input_tokens")
    split.close()
    lifetimes = any(map(split.given, split.values))
    if not usage.given("cache_creation_input_tokens"):
        usage.skip("cache_creation_input_tokens")
        return short, long
    total = usage.optional("cache_creation_input_tokens")
    if lifetimes and short + long != total:
        raise UsageError(f"{usage.path}.cache_creation_input_tokens is {total}, but its lifetimes are {short} (five minutes) and {long} (an hour)")
    return (short, long) if lifetimes else (total, 0)


def _context(usage: Fields) -> dict[str, str]:
    tier = usage.text("service_tier")
    context = {"processing": "batch"} if tier == "batch" else stated("service_tier", STANDARD_TIERS, tier)
    context |= stated("speed", STANDARD_SPEED, usage.text("speed"))
    return context | stated("inference_geo", STANDARD_GEO, usage.text("inference_geo"))
