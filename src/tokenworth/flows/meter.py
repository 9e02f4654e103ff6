"""Meter usage payloads line by line: disjoint counts, list cost, and the price rows used; a bad line is an error line, and no other line's."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.core.errors import InputError, PriceError, TokenworthError
from tokenworth.core.instants import parse_instant
from tokenworth.flows.ports import PriceList
from tokenworth.measure.usage.dialects import meter, provider_id
from tokenworth.measure.usage.fields import shown
from tokenworth.price.card import Terms
from tokenworth.price.rate import Charge, charge, with_request

FIELDS = ("provider", "api", "model", "at", "payload")
SNAPSHOT = re.compile(r"-[0-9]{4}-?[0-9]{2}-?[0-9]{2}")
"""What the name of a dated version has after its model's."""


@dataclass(frozen=True, slots=True)
class Metered:
    """One line that could be read: whose usage it is, and its list cost in dollars (pico-units), explained by unit."""

    line: int
    provider: str
    model: str
    cost: Charge


@dataclass(frozen=True, slots=True)
class Failed:
    """One line that could not."""

    line: int
    error: TokenworthError


def meter_lines(lines: Iterable[bytes], prices: PriceList) -> Iterator[Metered | Failed]:
    """Yield a result for every line (UTF-8) that is not blank, in order; nothing is kept, so a file may be of any length."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _meter(number, line, prices)
            except TokenworthError as error:
                yield Failed(number, error)


def _meter(number: int, line: bytes, prices: PriceList) -> Metered:
    record = _record(line)
    found = meter(record["provider"], record["api"], record["payload"])
    terms = _terms(record, found.model, found.context, prices)
    return Metered(number, record["provider"], record["model"], charge(with_request(found.usage, terms), terms))


def _terms(record: Mapping[str, Any], served: str, context: Mapping[str, str], prices: PriceList) -> Terms:
    """Return the list prices of the model that a line names; InputError where the payload says that another one, listed apart, served."""
    provider, asked, at = provider_id(record["provider"]), record["model"], parse_instant(record["at"])
    terms = prices.terms(provider, asked, at, context)
    if served and served != asked:
        try:
            same = prices.terms(provider, served, at, context).source == terms.source
        except PriceError as error:
            # a version that is not listed costs what its model does
            version = served.removeprefix(asked)
            same = error.code == "unknown_model" and version != served and SNAPSHOT.fullmatch(version) is not None
        if not same:
            what = f"the line is of model {shown(asked)}, its payload of {shown(served)}, which the price list does not have as one"
            raise InputError(what, mend="name the model that served", code="other_model")
    return terms


def _record(line: bytes) -> Mapping[str, Any]:
    try:
        # a byte order mark may begin a file
        record = json.loads(line.decode("utf-8-sig"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", mend="one object a line", code="bad_json") from None
    if not isinstance(record, dict):
        raise InputError("not an object", mend=f"one object a line with {', '.join(FIELDS)}", code="bad_json")
    for name in FIELDS:
        if name not in record:
            raise InputError(f"{name} is missing", mend=f"a line has {', '.join(FIELDS)}", code="missing_field")
        if name != "payload" and not isinstance(record[name], str):
            raise InputError(f"{name} is {shown(record[name])}, not text", mend="write it in quotes", code="bad_field")
        if name != "payload" and not record[name].isprintable():
            raise InputError(f"{name} is {shown(record[name])}, which cannot be printed", mend="check the name", code="bad_field")
    return record


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that states a name twice: readers differ about which of the two holds."""
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise InputError(f"an object has {shown(twice)} more than once", mend="state each name once", code="duplicate_key")
    return values
