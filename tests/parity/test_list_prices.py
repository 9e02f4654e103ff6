"""Our kernel on the price list's terms costs what the list's own calculator says, over all its models."""

import random
import warnings
from decimal import Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices.data_snapshot import get_snapshot

from tokenworth.book.model import Model
from tokenworth.core.errors import InputError, PriceError
from tokenworth.core.instants import parse_instant, to_datetime
from tokenworth.feeds.list_prices import ListPrices, cost_card
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.rate import charge

DAYS = ("2024-05-01", "2025-02-15", "2026-01-31", "2026-11-01")
OURS_AS_THEIRS = {
    "input_tokens": ("input", "input_tool", "cache_read", "cache_write_5m", "cache_write_1h"),
    "input_tool_tokens": ("input_tool",),
    "cache_read_tokens": ("cache_read",),
    "cache_write_tokens": ("cache_write_5m", "cache_write_1h"),
    "cache_write_5m_tokens": ("cache_write_5m",),
    "cache_write_1h_tokens": ("cache_write_1h",),
    "output_tokens": ("output", "reasoning"),
    "output_reasoning_tokens": ("reasoning",),
}


def draw(dice: random.Random) -> dict[str, int]:
    """Return disjoint counts, of small and of long-context requests."""
    most = dice.choice([50, 5_000, 300_000])
    names = ("input", "input_tool", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
    return {name: dice.randrange(1, most) for name in names}


def test_all_models_cost_what_the_list_says() -> None:
    dice, prices, compared, rounded = random.Random(11), ListPrices(), 0, 0
    for provider in get_snapshot().providers:
        for info in provider.models:
            for day in DAYS:
                at = parse_instant(day)
                listed = info.get_prices(to_datetime(at))
                if listed.input_mtok is None or listed.output_mtok is None or provider.find_model(info.id) is not info:
                    continue
                counts = draw(dice)
                theirs = TheirUsage(**{name: sum(counts[unit] for unit in units) for name, units in OURS_AS_THEIRS.items()})
                terms = prices.terms(provider.id, info.id, at)
                if "request" in terms.steps[0].rates:
                    counts["request"] = 1
                ours = Decimal(charge(Usage(counts), terms).pico).scaleb(-12)
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    expected = listed.calc_price(theirs)["total_price"]
                if "rounded" in terms.source:
                    rounded += 1
                    # half a pico-dollar a token is the most that rounding a rate to six decimals can move
                    assert abs(ours - expected) <= Decimal(sum(counts.values())).scaleb(-12) / 2
                else:
                    assert ours == expected, (provider.id, info.id, day)
                compared += 1
    assert compared > 5_000
    assert rounded > 0


def test_media_and_searches_have_their_own_prices() -> None:
    # Gemini 2.5 Flash's page: audio input at $1.00 per million, text at $0.30
    gemini = ListPrices().terms("google", "gemini-2.5-flash", parse_instant("2026-01-01"))
    assert (gemini.rate("input"), gemini.rate("input_audio")) == (300_000, 1_000_000)
    # $10 per thousand searches, as OpenAI and Anthropic list it
    assert ListPrices().terms("anthropic", "claude-sonnet-4-5", parse_instant("2026-01-01")).rate("web_search") == 10_000 * 10**6


@pytest.mark.parametrize(
    ("provider", "model", "context", "code"),
    [
        ("mars", "gpt-4o", {}, "unknown_provider"),
        ("openai", "gpt-99", {}, "unknown_model"),
        ("openai", "gpt-4.1", {"service_tier": "gold"}, "unknown_context"),
        ("anthropic", "claude-sonnet-4-5", {"inference_geo": "us"}, "unknown_context"),
    ],
)
def test_what_is_not_listed_is_named(provider: str, model: str, context: dict[str, str], code: str) -> None:
    with pytest.raises(PriceError) as error:
        ListPrices().terms(provider, model, parse_instant("2026-11-01"), context)
    assert error.value.code == code


def test_a_tier_has_its_own_price_from_its_own_date() -> None:
    """GPT-4.1: $2 per million of input; $3.50 at priority, listed from 2026-10-12."""
    model = Model("m", "s", "gpt-4.1", "openai/gpt-4.1", 1_000_000, 32_768, tiers=("priority",))
    card = cost_card([model])
    after = parse_instant("2026-11-01")
    assert card.terms("m", "default", after).rate("input") == 2_000_000
    assert card.terms("m", "priority", after).rate("input") == 3_500_000
    with pytest.raises(PriceError) as error:
        card.terms("m", "priority", parse_instant("2026-10-11"))
    assert error.value.code == "not_yet_priced"


def test_prices_by_the_time_of_day_are_refused_in_a_dated_card() -> None:
    model = Model("m", "s", "deepseek-chat", "deepseek/deepseek-chat", 64_000, 8_192)
    with pytest.raises(InputError, match=r"\[\[models.m.cost\]\]"):
        cost_card([model])


def test_the_dated_card_is_the_list_on_every_day() -> None:
    model = Model("m", "s", "o3", "openai/o3", 200_000, 100_000)
    card, prices = cost_card([model]), ListPrices()
    for month in range(1, 13):
        at = parse_instant(f"2025-{month:02d}-20")
        assert card.terms("m", "default", at).steps == prices.terms("openai", "o3", at).steps
    assert len(card.cells["m", "default"]) > 1
