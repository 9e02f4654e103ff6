"""OpenRouter: OpenAI's chat completions with cache writes, and with what it charged beside the counts.

Source: OpenRouter's documentation of usage accounting. `cost` is what was paid for the request, `cost_details` its parts.
"""

from typing import Any

from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.metered import Metered, model_of, usage_object
from tokenworth.measure.usage.openai import chat_counts, context


def chat(payload: Any) -> Metered:
    """Meter a chat completion through the router, or its usage object."""
    response, usage = usage_object(payload)
    counts = chat_counts(usage)
    tools = usage.inner("server_tool_use")
    counts["web_search"] = tools.optional("web_search_requests")
    tools.close()
    usage.skip("cost", "cost_details", "is_byok")
    told = context(response, usage)
    usage.close()
    return Metered(Usage.from_overlapping(counts), model_of(response), told)
