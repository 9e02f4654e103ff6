"""Google Gemini: thoughts and prompts of tools stand beside candidates and prompt, the cache is inside the prompt.

Source: the Gemini API reference, `GenerateContentResponse.UsageMetadata`. Details by modality may leave part of a count out; what they leave
out is text. What a tool put into the prompt is `input_tool` where it is text, and else input of its modality, which is how it is billed.
Searches are billed by Google's price list: from Gemini 3 on each distinct query, before it each prompt that searched at all.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tokenworth.core.errors import UnknownUnitError, UsageError
from tokenworth.core.units import UNITS, disjoint
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.fields import Fields, same_total, shown
from tokenworth.measure.usage.metered import Metered, model_of, stated, usage_object

STANDARD_TIERS = frozenset({"", "standard", "default", "on_demand", "traffic_type_unspecified"})
ON_DEMAND = "on_demand_"
"""Vertex files priority and flex under its traffic that is paid on demand."""
MODALITIES = {"TEXT": "", "MODALITY_UNSPECIFIED": "", "AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
"""Our modality by Google's; a page of a document is read, and billed, as an image (so does the extractor of genai-prices)."""
GENERATION = re.compile(r"(?:.*/)?gemini-([0-9]+)")
FIRST_BILLED_BY_QUERY = 3


def generate_content(payload: Any) -> Metered:
    """Meter a generateContent response or its usageMetadata; what it searched is in a whole response only."""
    response, usage = usage_object(payload, "usageMetadata")
    prompt, cached = usage.count("promptTokenCount"), usage.optional("cachedContentTokenCount")
    tools = usage.optional("toolUsePromptTokenCount")
    candidates, thoughts = usage.optional("candidatesTokenCount"), usage.optional("thoughtsTokenCount")
    same_total(usage, "totalTokenCount", prompt=prompt, tools=tools, candidates=candidates, thoughts=thoughts)
    inside = disjoint(
        {"input": prompt, "cache_read": cached, "output": candidates}
        | {f"input_{kind}": n for kind, n in _details(usage, "promptTokensDetails", prompt).items()}
        | {f"cache_read_{kind}": n for kind, n in _details(usage, "cacheTokensDetails", cached).items()}
        | {f"output_{kind}": n for kind, n in _details(usage, "candidatesTokensDetails", candidates).items()}
    )
    model = model_of(response, "modelVersion", "model")
    beside = {"reasoning": thoughts, "web_search": _searches(response, model)}
    # leaves already: no thought is a candidate, and no tool's prompt is in the prompt
    counts = Counter(inside) + Counter(beside) + Counter(_tools(usage, tools))
    tiers = [usage.text(name).lower().removeprefix(ON_DEMAND) for name in ("serviceTier", "trafficType")]
    usage.close()
    return Metered(Usage({name: counts[name] for name in UNITS if name in counts}), model, stated("service_tier", STANDARD_TIERS, *tiers))


def _tools(usage: Fields, total: int) -> Mapping[str, int]:
    """Return leaves of what tools put into the prompt."""
    media = {f"input_{kind}": n for kind, n in _details(usage, "toolUsePromptTokensDetails", total).items()}
    text = disjoint({"input": total, **media})
    return {"input_tool" if name == "input" else name: n for name, n in text.items()}


def _details(usage: Fields, name: str, whole: int) -> Mapping[str, int]:
    """Return counts by modality other than text; zeros are stated where the list is there, and nothing where it is not."""
    listed = usage.listed(name)
    if listed is None:
        return {}
    counts = Counter(dict.fromkeys(MODALITIES.values(), 0))
    for at, values in enumerate(listed):
        item = Fields(values, f"{usage.path}.{name}[{at}]")
        modality = item.text("modality")
        if modality not in MODALITIES:
            raise UnknownUnitError(f"{item.path}: modality {shown(modality)} is not known", mend="add it to the dialect")
        counts[MODALITIES[modality]] += item.optional("tokenCount")
        item.close()
    if counts.total() > whole:
        raise UsageError(f"{usage.path}.{name} sum to {counts.total()}, which exceeds {whole}, the count whose parts they are")
    return {kind: count for kind, count in counts.items() if kind}


def _searches(response: Mapping[str, Any], model: str) -> int:
    """Return the billed web searches of a response."""
    queries: set[str] = set()
    for candidate in Fields(response, "response").listed("candidates") or ():
        asked = Fields(candidate, "response.candidates").inner("groundingMetadata").values.get("webSearchQueries") or []
        if not isinstance(asked, list) or not all(isinstance(query, str) for query in asked):
            raise UsageError(f"webSearchQueries is {shown(asked)}, not a list of texts")
        queries |= {query for query in asked if query}
    if len(queries) <= 1:
        return len(queries)
    generation = GENERATION.match(model)
    if generation is None:
        raise UnknownUnitError(f"{len(queries)} queries were searched, and how they are billed depends on the model", mend="state modelVersion")
    return len(queries) if int(generation[1]) >= FIRST_BILLED_BY_QUERY else 1
