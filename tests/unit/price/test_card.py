"""Rate cards: dates, tiers, steps, declared fall-backs, and the proof that nothing overflows."""

import pytest

from tokenworth.core.errors import InputError, PriceError, UnknownUnitError
from tokenworth.core.exact import INT64_MAX
from tokenworth.core.money import parse_amount, parse_rate
from tokenworth.core.units import MAX_COUNT
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.card import Card, Terms, compile_terms
from tokenworth.price.rate import charge, rate
from tokenworth.price.schedule import Form

JANUARY, JUNE = 1_767_225_600_000_000, 1_780_272_000_000_000


def terms(since: int, **rates: str) -> Terms:
    """Compile rates without steps."""
    return compile_terms(currency="USD", since=since, source=f"t@{since}", steps={0: {n: parse_rate(r) for n, r in rates.items()}})


CARD = Card(
    "standard",
    "USD",
    {
        ("chat", "default"): (terms(JANUARY, input="2.50", output="10"), terms(JUNE, input="2", output="8")),
        ("chat", "priority"): (terms(JANUARY, input="4.25", output="17"),),
    },
)


@pytest.mark.parametrize(
    ("at", "tier", "dollars"),
    [
        (JANUARY, "default", "0.0035"),  # 1000 x 2.50 + 100 x 10 per million
        (JUNE - 1, "default", "0.0035"),  # a past event keeps the price of its day
        (JUNE, "default", "0.0028"),
        (JUNE, "priority", "0.00595"),
    ],
)
def test_the_card_in_force_at_the_instant(at: int, tier: str, dollars: str) -> None:
    charge = rate(Usage({"input": 1000, "output": 100}), CARD, at, product="chat", tier=tier)
    assert charge.pico == parse_amount(dollars) * 1000
    assert sum(line.pico for line in charge.lines) == charge.pico


@pytest.mark.parametrize(
    ("product", "tier", "at", "code", "words"),
    [
        ("chat", "flex", JUNE, "unknown_cell", "at tiers default, priority only"),
        ("code", "default", JUNE, "unknown_cell", "not at all"),
        ("chat", "default", JANUARY - 1, "not_yet_priced", "from 2026-01-01T00:00:00Z"),
    ],
)
def test_what_is_not_on_the_card_is_an_error(product: str, tier: str, at: int, code: str, words: str) -> None:
    with pytest.raises(PriceError, match=words) as error:
        CARD.terms(product, tier, at)
    assert error.value.code == code


def test_a_unit_without_a_rate_is_named() -> None:
    with pytest.raises(PriceError, match=r"no rate for output_audio \(7 used\)"):
        rate(Usage({"input": 1, "output_audio": 7}), CARD, JUNE, product="chat")


def test_reasoning_is_billed_as_output_unless_it_has_a_rate() -> None:
    assert terms(0, input="1", output="10").rate("reasoning") == parse_rate("10")
    assert terms(0, input="1", output="10", reasoning="3").rate("reasoning") == parse_rate("3")


@pytest.mark.parametrize(("tokens", "dollars"), [(200_000, "0.25"), (200_001, "0.5000025")])
def test_a_long_context_step_holds_above_its_threshold(tokens: int, dollars: str) -> None:
    """Gemini 2.5 Pro's page: $1.25 per million up to 200k tokens of prompt, $2.50 above, for the whole prompt."""
    steps = {0: {"input": parse_rate("1.25")}, 200_000: {"input": parse_rate("2.50")}}
    card = Card("c", "USD", {("pro", "default"): (compile_terms(currency="USD", since=0, source="t", steps=steps),)})
    assert rate(Usage({"input": tokens}), card, 0, product="pro").pico == parse_amount(dollars) * 1000


def test_cached_tokens_count_towards_the_step() -> None:
    steps = {0: {"input": 1, "cache_read": 1}, 10: {"input": 5, "cache_read": 3}}
    card = Card("c", "USD", {("p", "default"): (compile_terms(currency="USD", since=0, source="t", steps=steps),)})
    assert rate(Usage({"input": 1, "cache_read": 10}), card, 0, product="p").pico == 1 * 5 + 10 * 3


def test_overflow_is_refused_at_compile_time() -> None:
    most = INT64_MAX // MAX_COUNT
    compile_terms(currency="USD", since=0, source="t", steps={0: {"request": most}})
    with pytest.raises(InputError, match="would pass 2"):
        compile_terms(currency="USD", since=0, source="t", steps={0: {"request": most + 1}})
    with pytest.raises(InputError, match="would pass 2"):
        compile_terms(currency="USD", since=0, source="t", steps={0: {"request": most}, 5: {"request": 0}})


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({5: {"input": 1}}, "below its first step"),
        ({0: {"input": 1}, 5: {"output": 1}}, "do not rate the same units: input, output"),
    ],
)
def test_steps_are_whole(steps: dict[int, dict[str, int]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        compile_terms(currency="USD", since=0, source="t", steps=steps)


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(UnknownUnitError, match="inptu"):
        terms(0, inptu="1")


@pytest.mark.parametrize(
    ("steps", "form", "words"),
    [
        ({0: {"input": 1}}, Form(packages={"output": 10}), "packages of output, and no rate"),
        ({0: {"input": 1}}, Form(packages={"input": 0}), "packages of 0 input"),
        ({0: {"input": 1}, 5: {"input": 2}}, Form(marginal=True, packages={"input": 10}), "what is above a step is no whole package"),
        ({0: {"input": 1, "output": 1}, 5: {"input": 2, "output": 3}}, Form(marginal=True), "two rates for output"),
    ],
)
def test_a_form_that_contradicts_itself_is_refused(steps: dict[int, dict[str, int]], form: Form, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        compile_terms(currency="USD", since=0, source="t", steps=steps, form=form)
    assert error.value.code == "bad_form" or words in error.value.mend


@pytest.mark.parametrize(("tokens", "billed"), [(0, 0), (1, 100), (100, 100), (101, 200), (550, 600)])
def test_a_package_that_is_begun_is_billed_whole(tokens: int, billed: int) -> None:
    made = compile_terms(currency="USD", since=0, source="t", steps={0: {"output": 5}}, form=Form(packages={"output": 100}))
    found = charge(Usage({"output": tokens} if tokens else {}), made)
    assert found.pico == billed * 5
    assert [line.count for line in found.lines] == ([billed] if billed else [])


@pytest.mark.parametrize(
    ("counts", "pico"),
    [
        # the first ten tokens at 1, those from there on at 3: the cached prefix stands first
        ({"input": 10}, 10),
        ({"input": 15}, 10 + 5 * 3),
        ({"cache_read": 12, "input": 5}, 10 * 1 + 2 * 2 + 5 * 3),
        ({"cache_read": 4, "input": 8, "output": 2}, 4 * 1 + 6 * 1 + 2 * 3 + 2 * 7),
    ],
)
def test_a_marginal_step_holds_for_what_is_above_it(counts: dict[str, int], pico: int) -> None:
    steps = {0: {"input": 1, "cache_read": 1, "output": 7}, 10: {"input": 3, "cache_read": 2, "output": 7}}
    made = compile_terms(currency="USD", since=0, source="t", steps=steps, form=Form(marginal=True))
    found = charge(Usage(counts), made)
    assert found.pico == pico == sum(line.pico for line in found.lines)


def test_the_least_of_a_request_is_a_line_of_its_own() -> None:
    made = compile_terms(currency="USD", since=0, source="t", steps={0: {"input": 2}}, form=Form(minimum=100))
    low, high = charge(Usage({"input": 3}), made), charge(Usage({"input": 51}), made)
    assert (low.pico, [(line.unit, line.pico) for line in low.lines]) == (100, [("input", 6), ("minimum", 94)])
    assert (high.pico, len(high.lines)) == (102, 1)
