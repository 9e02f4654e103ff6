"""Types of fields: what the text of a book may hold, and the integer that it becomes.

Every refusal is a PydanticCustomError whose type is the problem's stable code and whose context holds the mend.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from tokenworth.core.errors import InputError
from tokenworth.core.instants import parse_instant
from tokenworth.core.money import parse_amount, parse_rate, shown
from tokenworth.core.periods import zone
from tokenworth.core.units import MAX_COUNT, UNITS

DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
AS = re.compile(r"as +([a-z0-9_]+)")
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HTTP_URL = re.compile(r"https?://[^\s/?#@]+[^\s?#@]*")
CURRENCY = re.compile(r"[A-Z]{3}")
UNIT_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")
SUBJECT = re.compile(r"account|(?:key|project):(?:\*|[A-Za-z0-9._-]+)")
WORDS = re.compile(r"\s*\S.*", re.DOTALL)
LIST_PRICE = re.compile(r"[^/\s]+/\S+")


def refusal(code: str, what: str, mend: str) -> PydanticCustomError:
    """Make an error of a field; braces in the texts are kept as they are."""
    return PydanticCustomError(code, "{what}", {"what": what, "mend": mend})


def _decimal(value: Any) -> str:
    """Return decimal text, or refuse: the core would also take 1e3 and 1_000, which hide a slip in a price."""
    if isinstance(value, float):
        text = f'"{Decimal(repr(value)):f}"' if isfinite(value) and value >= 0 else "digits and a point"
        raise refusal("float", f"{value!r} is a binary floating-point number, which is not exact", f"write it in quotes: {text}")
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise refusal("wrong_type", f"{_kind(value)} where a decimal is expected", 'write a decimal in quotes, such as "0.25"')
    if not DECIMAL.fullmatch(value):
        raise refusal("bad_amount", f"{shown(repr(value))} is not a plain decimal", 'write digits and a point in quotes, such as "0.25"')
    if value.startswith("-"):
        raise refusal("negative", f"{shown(value)} is negative", "give zero or more")
    return value


def _core(error: InputError) -> PydanticCustomError:
    return refusal(error.code, error.what, error.mend)


def amount(value: Any) -> int:
    """Return nano-units of an amount, at most nine decimals."""
    text = _decimal(value)
    try:
        return parse_amount(text)
    except InputError as error:
        raise _core(error) from None


def rate(value: Any) -> int | str:
    """Return pico-units of a rate, at most six decimals, or the unit's name of `as unit`."""
    if isinstance(value, str) and (same := AS.fullmatch(value)):
        return same[1]
    text = _decimal(value)
    try:
        return parse_rate(text)
    except InputError as error:
        raise _core(error) from None


def packages(value: Any) -> Mapping[str, int]:
    """Return sizes of packages by unit."""
    if not isinstance(value, dict):
        raise refusal("wrong_type", f"{_kind(value)} where a table is expected", "write { output = 1000 }")
    for name, size in value.items():
        if name not in UNITS:
            raise refusal("unknown_unit", f"there is no unit {shown(repr(name))}", f"use one of {', '.join(UNITS)}")
        if type(size) is not int or not 1 <= size <= MAX_COUNT:
            raise refusal("bad_value", f"a package of {shown(str(size))} {name}", f"give a whole number from 1 to {MAX_COUNT}")
    return value


def instant(value: Any) -> int:
    """Return the instant of a TOML date or offset date-time."""
    if not isinstance(value, date):
        mend = "write a date without quotes, such as 2026-01-31 or 2026-01-31T12:00:00Z"
        raise refusal("bad_instant", f"{value} is not a date", mend)
    try:
        return parse_instant(value)
    except InputError as error:
        raise _core(error) from None


def _matching(pattern: re.Pattern[str], code: str, *, what: str, mend: str) -> PlainValidator:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise refusal("wrong_type", f"{_kind(value)} where text is expected", mend)
        if not pattern.fullmatch(value):
            raise refusal(code, f"{shown(repr(value))} is not {what}", mend)
        return value

    return PlainValidator(check)


def _kind(value: object) -> str:
    """Name a TOML type as its users know it."""
    names: dict[type, str] = {
        bool: "true or false",
        int: "a whole number",
        float: "a float",
        str: "text",
        list: "a list",
        dict: "a table",
        datetime: "a time",
    }
    return names.get(type(value), "a date")


kind = _kind

Amount = Annotated[int, PlainValidator(amount)]
Rate = Annotated[int | str, PlainValidator(rate)]
Packages = Annotated[Mapping[str, int], PlainValidator(packages)]
Instant = Annotated[int, PlainValidator(instant)]
Url = Annotated[str, _matching(HTTP_URL, "bad_url", what="an http(s) address", mend='write it with its path, such as "https://api.openai.com/v1"')]
EnvironmentName = Annotated[
    str,
    _matching(ENVIRONMENT_NAME, "bad_value", what="the name of an environment variable", mend='such as "OPENAI_API_KEY"; never the key itself'),
]
Currency = Annotated[str, _matching(CURRENCY, "bad_value", what="a currency code", mend='write three capitals, such as "USD"')]
UnitName = Annotated[
    # every answer names it in a header
    str,
    _matching(UNIT_NAME, "bad_value", what="the name of a unit", mend='use at most 32 letters, digits and - _ . only, such as "credits"'),
]


def zone_name(value: Any) -> str:
    """Return the IANA name of a time zone."""
    if not isinstance(value, str):
        raise refusal("wrong_type", f"{_kind(value)} where the name of a time zone is expected", 'write an IANA name, such as "Europe/Berlin"')
    try:
        return zone(value).key
    except InputError as error:
        raise _core(error) from None


ZoneName = Annotated[str, PlainValidator(zone_name)]
Subject = Annotated[
    str,
    _matching(SUBJECT, "bad_value", what="whose spending is counted", mend='write "account", "key:*", "project:*", "key:ID" or "project:NAME"'),
]
Words = Annotated[str, _matching(WORDS, "bad_value", what="a text that says something", mend="write some words")]
ListPrice = Annotated[
    str,
    _matching(LIST_PRICE, "bad_value", what="provider/model", mend='write both names of the price list, such as "openai/gpt-5.4-mini"'),
]
