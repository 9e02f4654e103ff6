"""Rates made from rates: exact, or rounded once where the book says so."""

from dataclasses import replace
from fractions import Fraction

import pytest

from tokenworth.core.errors import InputError
from tokenworth.core.money import parse_rate
from tokenworth.measure.usage.counts import Usage
from tokenworth.price.adjust import scaled
from tokenworth.price.card import compile_terms
from tokenworth.price.hours import Hours
from tokenworth.price.rate import charge
from tokenworth.price.schedule import Form

STEPS = {0: {"input": parse_rate("3"), "output": parse_rate("15")}, 200_000: {"input": parse_rate("6"), "output": parse_rate("22.5")}}
SONNET = compile_terms(currency="USD", since=5, source="list", steps=STEPS, form=Form(packages={"output": 10}, minimum=7))


def test_batch_is_half_of_everything() -> None:
    """Anthropic's page: the Batch API is billed at 50% of the standard prices."""
    half = scaled(SONNET, Fraction(1, 2), source="batch", rounded=True)
    assert [step.rates["output"] for step in half.steps] == [parse_rate("7.5"), parse_rate("11.25")]
    assert (half.source, half.since, half.currency, half.form.packages) == ("batch", 5, "USD", {"output": 10})
    # half of 7 pico-units, half-even
    assert half.form.minimum == 4
    assert charge(Usage({"input": 100}), half).pico == 100 * parse_rate("1.5")


def test_what_is_not_exact_is_refused_or_rounded_once() -> None:
    with pytest.raises(InputError, match="more than six decimals") as error:
        scaled(SONNET, Fraction(1, 7), source="seventh")
    assert error.value.code == "inexact_rate"
    assert scaled(SONNET, Fraction(1, 7), source="seventh", rounded=True).steps[0].rates["input"] == parse_rate("0.428571")


def test_another_currency_is_named() -> None:
    made = scaled(SONNET, Fraction(100), source="in credits", currency="credits")
    assert (made.currency, made.steps[0].rates["input"]) == ("credits", parse_rate("300"))


def test_hours_are_scaled_too() -> None:
    night = replace(SONNET, hours=((Hours(0, 60), scaled(SONNET, Fraction(1, 2), source="night", rounded=True)),))
    twice = scaled(night, Fraction(2), source="dear")
    ((_, inside),) = twice.hours
    assert (twice.at(90_000_000_000).rate("input"), twice.at(0).rate("input")) == (parse_rate("6"), parse_rate("3"))
    assert inside.source == "dear 00:00-01:00 UTC"


def test_what_would_overflow_is_refused() -> None:
    with pytest.raises(InputError, match="would pass"):
        scaled(SONNET, Fraction(10**9), source="huge")
