"""Google Gemini: thoughts and prompts of tools stand beside candidates and prompt, the cache is inside the prompt.

Source: the Gemini API reference, `GenerateContentResponse.UsageMetadata`. Details by modality may leave part of a count out; what they leave
out is text. What a tool put into the prompt is `input_tool` where it is text, and else input of its modality, which is how it is billed.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UnknownUnitError
from tokenworth.core.units import UNITS, disjoint
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, same_total, whole
from tokenworth.measure.usage.metered import Metered, model_of, stated, usage_object

STANDARD_TIERS = frozenset({"", "standard", "default", "on_demand", "traffic_type_unspecified"})
MODALITIES = {"TEXT": "", "MODALITY_UNSPECIFIED": "", "AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
"""Our modality by Google's; a page of a document is read, and billed, as an image (so does the extractor of genai-prices)."""


def generate_content(payload: Any) -> Metered:
    """Meter a generateContent response or its usageMetadata."""
    response, usage = usage_object(payload, "usageMetadata")
    prompt, cached = usage.count("promptTokenCount"), usage.optional("cachedContentTokenCount")
    tools = usage.optional("toolUsePromptTokenCount")
    candidates, thoughts = usage.optional("candidatesTokenCount"), usage.optional("thoughtsTokenCount")
    same_total(usage, "totalTokenCount", prompt=prompt, tools=tools, candidates=candidates, thoughts=thoughts)
    inside = disjoint(
        {"input": prompt, "cache_read": cached}
        | {f"input_{kind}": n for kind, n in _details(usage, "promptTokensDetails").items()}
        | {f"cache_read_{kind}": n for kind, n in _details(usage, "cacheTokensDetails").items()}
        | {"output": candidates}
        | {f"output_{kind}": n for kind, n in _details(usage, "candidatesTokensDetails").items()}
    )
    # leaves already: no thought is a candidate, and no tool's prompt is in the prompt
    counts = Counter(inside) + Counter({"reasoning": thoughts}) + Counter(_tools(usage, tools))
    tier = usage.text("serviceTier") or usage.text("trafficType")
    usage.skip("serviceTier", "trafficType")
    usage.close()
    context = stated(tier, STANDARD_TIERS, "service_tier")
    return Metered(Usage({name: counts[name] for name in UNITS if name in counts}), model_of(response, "modelVersion", "model"), context)


def _tools(usage: Fields, total: int) -> Mapping[str, int]:
    """Return leaves of what tools put into the prompt."""
    media = {f"input_{kind}": n for kind, n in _details(usage, "toolUsePromptTokensDetails").items()}
    text = disjoint({"input": total, **media})
    return {"input_tool" if name == "input" else name: n for name, n in text.items()}


def _details(usage: Fields, name: str) -> Mapping[str, int]:
    """Return counts by modality other than text; zeros are stated where the list is there, and nothing where it is not."""
    listed = usage.listed(name)
    if listed is None:
        return {}
    counts = dict.fromkeys((kind for kind in MODALITIES.values() if kind), 0)
    for item in listed:
        modality, count = item.get("modality"), item.get("tokenCount", 0)
        whole(count, f"{usage.path}.{name}: tokenCount of {modality}")
        if not isinstance(modality, str) or modality not in MODALITIES:
            raise UnknownUnitError(f"{usage.path}.{name}: modality {modality!r} is not known", mend="add it to the dialect")
        if MODALITIES[modality]:
            counts[MODALITIES[modality]] += count
    return counts
