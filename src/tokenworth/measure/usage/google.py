"""Google Gemini: thoughts and prompts of tools stand beside candidates and prompt, the cache is inside the prompt.

Source: the Gemini API reference, `GenerateContentResponse.UsageMetadata`. Details by modality may leave part of a count out; what they leave
out is text.
"""

from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UnknownUnitError, UsageError
from tokenworth.core.units import disjoint
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, same_total
from tokenworth.measure.usage.metered import Metered, stated, usage_object

STANDARD_TIERS = frozenset({"", "standard", "default", "on_demand", "traffic_type_unspecified"})
MODALITIES = {"TEXT": "", "DOCUMENT": "", "MODALITY_UNSPECIFIED": "", "AUDIO": "audio", "IMAGE": "image", "VIDEO": "video"}
"""Our modality by Google's; documents are billed as text."""


def generate_content(payload: Any) -> Metered:
    """Meter a generateContent response or its usageMetadata."""
    response, usage = usage_object(payload, "usageMetadata")
    prompt, cached = usage.count("promptTokenCount"), usage.optional("cachedContentTokenCount")
    tools = usage.optional("toolUsePromptTokenCount")
    candidates, thoughts = usage.optional("candidatesTokenCount"), usage.optional("thoughtsTokenCount")
    same_total(usage, "totalTokenCount", prompt=prompt, tools=tools, candidates=candidates, thoughts=thoughts)
    _details(usage, "toolUsePromptTokensDetails")
    counts = disjoint(
        {"input": prompt, "cache_read": cached}
        | {f"input_{kind}": n for kind, n in _details(usage, "promptTokensDetails").items()}
        | {f"cache_read_{kind}": n for kind, n in _details(usage, "cacheTokensDetails").items()}
        | {"output": candidates + thoughts, "reasoning": thoughts}
        | {f"output_{kind}": n for kind, n in _details(usage, "candidatesTokensDetails").items()}
    )
    if tools:
        counts["input_tool"] = tools
    tier = usage.text("serviceTier") or usage.text("trafficType")
    usage.skip("serviceTier", "trafficType")
    usage.close()
    context = stated(tier, STANDARD_TIERS, "service_tier")
    return Metered(Usage(counts), str(response.get("modelVersion") or response.get("model") or ""), context)


def _details(usage: Fields, name: str) -> Mapping[str, int]:
    """Return counts by modality other than text; zeros are stated where the list is there, and nothing where it is not."""
    listed = usage.listed(name)
    if listed is None:
        return {}
    counts = dict.fromkeys((kind for kind in MODALITIES.values() if kind), 0)
    for item in listed:
        modality, count = item.get("modality"), item.get("tokenCount", 0)
        if type(count) is not int or count < 0:
            raise UsageError(f"{usage.path}.{name}: tokenCount of {modality} is {count!r}")
        if modality not in MODALITIES:
            raise UnknownUnitError(f"{usage.path}.{name}: modality {modality!r} is not known", mend="add it to the dialect")
        if MODALITIES[modality]:
            counts[MODALITIES[modality]] += count
    return counts
