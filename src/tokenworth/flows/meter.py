"""Meter usage payloads line by line: disjoint counts, list cost, and the price rows used; a bad line is an error line, and no other line's."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tokenworth.core.errors import InputError, TokenworthError
from tokenworth.core.instants import parse_instant
from tokenworth.flows.ports import PriceList
from tokenworth.measure.usage.counts import Usage
from tokenworth.measure.usage.dialects import meter
from tokenworth.price.rate import Charge, charge

FIELDS = ("provider", "api", "model", "at", "payload")


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
    terms = prices.terms(record["provider"], record["model"], parse_instant(record["at"]), found.context)
    usage = found.usage
    if "request" in terms.steps[0].rates:
        usage = Usage({**usage.counts, "request": 1})
    return Metered(number, record["provider"], record["model"], charge(usage, terms))


def _record(line: bytes) -> Mapping[str, Any]:
    try:
        # a byte order mark may begin a file
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", mend="one object a line", code="bad_json") from None
    if not isinstance(record, dict):
        raise InputError("not an object", mend=f"one object a line with {', '.join(FIELDS)}", code="bad_json")
    for name in FIELDS:
        if name not in record:
            raise InputError(f"{name} is missing", mend=f"a line has {', '.join(FIELDS)}", code="missing_field")
        if name != "payload" and not isinstance(record[name], str):
            raise InputError(f"{name} is {record[name]!r}, not text", mend="write it in quotes", code="bad_field")
    return record
