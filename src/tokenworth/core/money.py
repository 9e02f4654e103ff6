"""Exact money: decimal text in, integers inside, decimal text out.

A rate is decimal text per million units with at most six decimals, so it is a whole number of pico-units (1e-12) per unit, and rating
never rounds. An amount is a whole number of nano-units (1e-9), the ledger's grain. Both are plain ints, in credits or in a currency.
"""

from decimal import Decimal, InvalidOperation

from tokenworth.core.errors import MoneyError
from tokenworth.core.exact import INT64_MAX, N, half_even

PICO_PER_NANO = 1_000
PICO = 1_000_000_000_000
NANO = 1_000_000_000
RATE_DECIMALS = 6
AMOUNT_DECIMALS = 9


def _scaled(text: str | int | Decimal, decimals: int, *, what: str) -> int:
    if not isinstance(text, (str, int, Decimal)) or isinstance(text, bool):
        raise MoneyError(f"{what} {text!r} is not decimal text", mend='write it in quotes, such as "0.25"')
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise MoneyError(f"{what} {text!r} is not a decimal number", mend='write it in quotes, such as "0.25"') from None
    if not value.is_finite() or value < 0:
        raise MoneyError(f"{what} {text} is not finite and at least zero", mend="give a finite number of zero or more")
    sign, digits, exponent = value.as_tuple()
    del sign
    number = int("".join(map(str, digits)))
    shift = int(exponent) + decimals
    if shift >= 0:
        if shift > len(str(INT64_MAX)):
            raise MoneyError(f"{what} {text} is too large", mend="check the unit of the number")
        scaled = int(number * 10**shift)
    else:
        scaled, rest = divmod(number, int(10**-shift))
        if rest:
            raise MoneyError(f"{what} {text} has more than {decimals} decimals", mend=f"round it to {decimals} decimals yourself")
    if scaled > INT64_MAX:
        raise MoneyError(f"{what} {text} is too large", mend="check the unit of the number")
    return scaled


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
