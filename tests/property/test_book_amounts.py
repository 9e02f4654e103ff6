"""Decimal text of a book becomes the exact integer, or is refused; nothing in between."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from tokenworth.book.fields import amount, rate


@st.composite
def decimals(draw: st.DrawFn, places: int) -> str:
    whole = draw(st.integers(0, 999_999))
    digits = draw(st.text("0123456789", max_size=places))
    return f"{whole}.{digits}" if digits else str(whole)


@given(decimals(6))
def test_a_rate_is_exact_in_pico_units(text: str) -> None:
    assert rate(text) == Fraction(text) * 10**6


@given(decimals(9))
def test_an_amount_is_exact_in_nano_units(text: str) -> None:
    assert amount(text) == Fraction(text) * 10**9


@given(decimals(6), st.sampled_from(["1", "9", "01"]))
def test_a_seventh_decimal_is_refused(text: str, more: str) -> None:
    whole, _, digits = text.partition(".")
    with pytest.raises(PydanticCustomError, match="more than 6 decimals"):
        rate(f"{whole}.{digits:0<6}{more}")


@given(st.one_of(st.floats(), st.booleans(), st.none(), st.text(), st.sampled_from(["1e3", "1_0", " 1", "+1", ".5", "5.", "٣", "0x1", "NaN"])))
def test_what_is_not_a_plain_decimal_is_refused(value: object) -> None:
    if isinstance(value, str) and value.isascii() and value.replace(".", "", 1).isdigit() and value[0] != "." and value[-1] != ".":
        return
    if isinstance(value, str) and value.startswith("as "):
        return
    with pytest.raises(PydanticCustomError):
        rate(value)
