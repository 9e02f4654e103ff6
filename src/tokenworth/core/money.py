"""Exact money: decimal text in, integers inside, decimal text out.

A rate is decimal text per million units with at most six decimals, so it is a whole number of pico-units (1e-12) per unit, and rating
never rounds. An amount is a whole number of nano-units (1e-9), the ledger's grain. Both are plain ints, in credits or in a currency.
"""

import re
from decimal import Decimal

from tokenworth.core.errors import MoneyError
from tokenworth.core.exact import INT64_MAX, N, half_even

PICO_PER_NANO = 1_000
PICO = 1_000_000_000_000
NANO = 1_000_000_000
RATE_DECIMALS = 6
AMOUNT_DECIMALS = 9
INT64_DIGITS = 19
PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
LONGEST_SHOWN = 40


def _scaled(text: str | int | Decimal, decimals: int, *, what: str) -> int:
    if not isinstance(text, (str, int, Decimal)) or isinstance(text, bool):
        raise MoneyError(f"{what} {text!r} is not decimal text", mend='write it in quotes, such as "0.25"')
    named = f"{what} {shown(str(text))}"
    if isinstance(text, str) and not PLAIN.fullmatch(text):
        raise MoneyError(f"{what} {shown(repr(text))} is not a plain decimal", mend="write digits and a point, such as 0.25")
    value = Decimal(text)
    if not value.is_finite() or value < 0:
        raise MoneyError(f"{named} is not finite and at least zero", mend="give a finite number of zero or more")
    # before its digits are read: a huge exponent or thousands of digits would take long
    if value and value.adjusted() + decimals > INT64_DIGITS:
        raise MoneyError(f"{named} is too large", mend=_at_most(decimals))
    top, bottom = value.as_integer_ratio()
    scaled, rest = divmod(top * int(10**decimals), bottom)
    if rest:
        raise MoneyError(f"{named} has more than {decimals} decimals", mend=f"round it to {decimals} decimals yourself")
    if scaled > INT64_MAX:
        raise MoneyError(f"{named} is too large", mend=_at_most(decimals))
    return scaled


def _at_most(decimals: int) -> str:
    return f"check the unit of the number; {INT64_MAX // 10**decimals} is the most"


def shown(text: str) -> str:
    """Return a text to quote in a message, cut where it is long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}... ({len(text)} characters)"


def _text(value: int, decimals: int) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 10**decimals)
    fraction = f"{rest:0{decimals}d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def parse_rate(text: str | int | Decimal) -> int:
    """Return pico-units per unit from decimal text per million units; at most six decimals, else MoneyError."""
    return _scaled(text, RATE_DECIMALS, what="rate")


def round_rate(price: Decimal, per: int) -> tuple[int, bool]:
    """Return a published price of `per` units in pico-units per unit, half-even, and whether it had to be rounded.

    In integers: Decimal's own arithmetic depends on the caller's context.
    """
    if not price.is_finite() or price < 0:
        raise MoneyError(f"price {price} is not finite and at least zero", mend="give a finite number of zero or more")
    top, bottom = price.as_integer_ratio()
    top, bottom = top * PICO, bottom * per
    return half_even(top, bottom) // bottom, top % bottom != 0


def format_rate(pico: int) -> str:
    """Return the decimal text per million units of a rate in pico-units per unit."""
    return _text(pico, RATE_DECIMALS)


def parse_amount(text: str | int | Decimal) -> int:
    """Return nano-units from decimal text with at most nine decimals, else MoneyError."""
    return _scaled(text, AMOUNT_DECIMALS, what="amount")


def format_amount(nano: int) -> str:
    """Return the shortest exact decimal text of an amount in nano-units."""
    return _text(nano, AMOUNT_DECIMALS)


def to_grain(pico: N) -> N:
    """Round pico-units to the ledger's grain, half-even, still in pico-units: the one rounding of a posting.

    It runs on an int and on a column; divide the result (or a sum of results) by PICO_PER_NANO, which then leaves no rest.
    """
    return half_even(pico, PICO_PER_NANO)


def to_nano(pico: int) -> int:
    """Round pico-units half-even to whole nano-units."""
    return to_grain(pico) // PICO_PER_NANO


def share(total: int, part: int, whole: int) -> int:
    """Return round-half-even(total * part / whole); a lot's recognised revenue is the difference of two of these."""
    return half_even(total * part, whole) // whole
