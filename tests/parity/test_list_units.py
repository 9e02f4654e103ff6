"""Every unit and context of every listed price costs what the list's own calculator says; what it does not price has no rate."""

import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import types as genai
from genai_prices.data_snapshot import get_snapshot
from genai_prices.data_units import unit_data

from tokenworth.core.errors import PriceError
from tokenworth.core.instants import parse_instant, to_datetime
from tokenworth.core.units import UNITS
from tokenworth.feeds.list_prices import ListPrices
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.dialects import DIALECTS, PROVIDERS
from tokenworth.price.card import Terms
from tokenworth.price.rate import charge

AT = parse_instant("2026-11-20T03:00:00Z")
THEIRS = {
    "input": "input_text_tokens",
    "input_audio": "input_audio_tokens",
    "input_image": "input_image_tokens",
    "input_video": "input_video_tokens",
    "input_tool": "input_tool_tokens",
    "cache_read": "cache_text_read_tokens",
    "cache_read_audio": "cache_audio_read_tokens",
    "cache_read_image": "cache_image_read_tokens",
    "cache_read_video": "cache_video_read_tokens",
    "cache_write": "cache_text_write_tokens",
    "cache_write_5m": "cache_text_write_5m_tokens",
    "cache_write_1h": "cache_text_write_1h_tokens",
    "output": "output_text_tokens",
    "output_audio": "output_audio_tokens",
    "output_image": "output_image_tokens",
    "output_video": "output_video_tokens",
    "reasoning": "output_text_reasoning_tokens",
    "citation": "output_text_citation_tokens",
    "web_search": "web_searches",
}
"""What the list calls each of our units; a request is counted by its calculator itself."""
UNKNOWN = {"cache_write_30m", "cache_write_12h"}
"""What the list has no word for: OpenAI's cache writes by lifetime, which take the price of those without one."""


def theirs(counts: Mapping[str, int]) -> TheirUsage:
    """Add disjoint leaves up to the list's overlapping counts, all of them, so that nothing is left to infer."""
    sums: dict[str, int] = {}
    for key, declared in unit_data.items():
        inside = [count for name, count in counts.items() if declared["dimensions"].items() <= unit_data[THEIRS[name]]["dimensions"].items()]
        if inside:
            sums[key] = sum(inside)
    return TheirUsage(**sums)


def contexts(info: genai.ModelInfo) -> Iterator[dict[str, str]]:
    yield {}
    for variant in info.price_variants or ():
        yield dict(variant.when)


def listed() -> Iterator[tuple[genai.ModelInfo, dict[str, str], Terms]]:
    prices = ListPrices()
    for provider in get_snapshot().providers:
        for info in provider.models:
            # models that another of the provider shadows cannot be named
            if provider.find_model(info.id) is not info:
                continue
            for context in contexts(info):
                with suppress(PriceError):
                    yield info, context, prices.terms(provider.id, info.id, AT, context)


def test_every_unit_of_ours_has_a_name_there() -> None:
    assert THEIRS.keys() == UNITS.keys() - {"request"} - UNKNOWN
    assert set(THEIRS.values()) <= unit_data.keys()


def test_every_dialect_belongs_to_a_provider_of_the_list() -> None:
    listed = {provider.id for provider in get_snapshot().providers}
    assert {provider for provider, _ in DIALECTS} <= listed
    assert set(PROVIDERS.values()) <= listed
    # another name for a provider that the list knows apart would take its prices away
    assert not PROVIDERS.keys() & listed


def test_a_lifetime_without_a_price_of_its_own_has_that_of_cache_writes() -> None:
    rated = [terms.steps[0].rates for _, _, terms in listed() if "cache_write" in terms.steps[0].rates]
    assert rated
    assert all(rates[name] == rates["cache_write"] for rates in rated for name in UNKNOWN)


@pytest.mark.parametrize("most", [500, 400_000], ids=["short", "long context"])
def test_units_and_contexts(most: int) -> None:
    dice, units, tiers = random.Random(most), set[str](), set[str]()
    for info, context, terms in listed():
        rated = terms.steps[0].rates
        counts = {name: dice.randrange(1, most) for name in THEIRS if name in rated}
        fee = {"request": 1} if "request" in rated else {}
        expected = info.get_prices(to_datetime(AT), context).calc_price(theirs(counts))["total_price"]
        ours = Decimal(charge(Usage(counts | fee), terms).pico).scaleb(-12)
        # rounding a rate to six decimals moves a token by half a pico-dollar at most
        slack = Decimal(sum(counts.values())).scaleb(-12) / 2 if "rounded" in terms.source else Decimal(0)
        assert abs(ours - expected) <= slack, (terms.source, counts)
        units |= counts.keys() | fee.keys()
        tiers |= context.keys()
    assert units == UNITS.keys() - UNKNOWN
    assert tiers == {"service_tier", "processing", "speed", "route", "search_type"}


def test_what_the_list_does_not_price_has_no_rate_and_what_is_free_has_one() -> None:
    missing = free = 0
    for info, context, terms in listed():
        price = info.get_prices(to_datetime(AT), context)
        for name in THEIRS:
            if name in terms.steps[0].rates:
                free += terms.steps[0].rates[name] == 0
                continue
            missing += 1
            with pytest.raises(PriceError, match=f"has no rate for {name} "):
                charge(Usage({name: 1}), terms)
            lone = {key: count for key, count in theirs({name: 1})._reported_values().items() if unit_data[key]["price_key"] in price.__dict__}
            assert not lone, (terms.source, name)
    assert missing > 1_000
    assert free > 100
