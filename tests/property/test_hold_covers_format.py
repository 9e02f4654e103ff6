"""Law: whatever usage a request allows, on any format, its charge is at most its hold, as the supplier's own usage object is metered.

A supplier within the recorded bounds: no more input than the bytes of the body and the allowance, nor than the context, for each prompt; no more
output than the limit. How it splits them over caches and reasoning is free.
"""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.shop import model
from tokenworth.core.units import UNITS
from tokenworth.flows.serve.wire.ask import Ask, bounds
from tokenworth.flows.serve.wire.find import FORMATS
from tokenworth.flows.serve.wire.usage import read_usage
from tokenworth.price.card import Terms, compile_terms
from tokenworth.price.rate import charge
from tokenworth.price.worst import worst

MODEL = model("m", "s", context=80, max_output=60, input_allowance=20)
"""Small, so that bodies and batches reach the context."""
RATES = st.fixed_dictionaries({name: st.integers(0, 10**7) for name, unit in UNITS.items() if unit.modality == "text"})
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
LIMITS = st.none() | st.integers(1, 100)
IMAGES: dict[str, Any] = {
    "chat": {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
    "messages": {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
    "responses": {"type": "input_image", "image_url": "https://x/y.png"},
}


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Terms for every class of text tokens, perhaps with a long-context step."""
    steps = {0: draw(RATES)} | draw(st.dictionaries(st.integers(1, 300), RATES, max_size=1))
    return compile_terms(currency="credits", since=0, source="drawn", steps=steps)


@st.composite
def requests(draw: st.DrawFn, api: str) -> dict[str, Any]:
    """A request, whose prompt may be of several kinds."""
    text, limit, image = draw(TEXTS), draw(LIMITS), draw(st.booleans())
    if api == "embeddings":
        tokens = st.lists(st.integers(0, 99), min_size=1, max_size=9)
        return {"model": "p", "input": draw(TEXTS | tokens | st.lists(TEXTS, min_size=1, max_size=4) | st.lists(tokens, min_size=1, max_size=4))}
    content: Any = [IMAGES[api]] if image else text
    messages = [{"role": "user", "content": content}]
    if api == "responses":
        return {"model": "p", "input": messages if image else draw(st.sampled_from([text, messages])), "max_output_tokens": limit}
    if api == "messages":
        return {"model": "p", "messages": messages, "max_tokens": limit or 0, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    return {"model": "p", "messages": messages, "max_completion_tokens": limit, "n": draw(st.sampled_from([None, 1, 3]))}


def allowed(ask: Ask) -> tuple[int, int]:
    """Return the most that an honest supplier counts, worked out apart from `bounds`."""
    per_prompt = MODEL.context if ask.api != "embeddings" else MODEL.context * ask.prompts
    into = min(ask.size + MODEL.input_allowance * ask.prompts, per_prompt) if ask.text_only else per_prompt
    out = 0 if ask.api == "embeddings" else min(MODEL.max_output, MODEL.max_output if ask.output_limit is None else ask.output_limit) * ask.choices
    return into, out


def reported(api: str, parts: list[int], out: int, thought: int) -> dict[str, Any]:
    """Return the usage object of a supplier: `parts` are its uncached input, what it read from a cache, and what it wrote for two lifetimes."""
    plain, read, short, long = parts
    if api == "messages":
        lifetimes = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
        cached = {"cache_read_input_tokens": read, "cache_creation_input_tokens": short + long, "cache_creation": lifetimes}
        return {"input_tokens": plain, **cached, "output_tokens": out, "output_tokens_details": {"thinking_tokens": thought}}
    whole, details = sum(parts), {"cached_tokens": read, "cache_write_tokens": short + long}
    if api == "responses":
        inside = {"input_tokens_details": details, "output_tokens_details": {"reasoning_tokens": thought}}
        return {"input_tokens": whole, "output_tokens": out, "total_tokens": whole + out, **inside}
    more = {"prompt_tokens_details": details}
    if api == "embeddings":
        return {"prompt_tokens": whole, "total_tokens": whole, **more}
    return {"prompt_tokens": whole, "completion_tokens": out, "completion_tokens_details": {"reasoning_tokens": thought}, **more}


@pytest.mark.parametrize("api", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), under=terms(), shares=st.lists(st.integers(0, 10), min_size=6, max_size=6))
def test_a_hold_covers_whatever_the_request_allows(api: str, data: st.DataObject, under: Terms, shares: list[int]) -> None:
    ask = FORMATS[api].parse(orjson.dumps(data.draw(requests(api))))
    into, out = allowed(ask)
    total = sum(shares[:4]) or 1
    parts = [into * share // total for share in shares[:4]]
    made = out * shares[4] // 10
    usage = read_usage(MODEL, api, reported(api, parts, made, made * shares[5] // 10))
    assert charge(usage, under).nano <= worst(under, bounds(ask, MODEL)).nano
