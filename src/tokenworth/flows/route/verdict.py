"""What a supplier's answer says about who failed, and whether another member of the mix may be asked instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

from tokenworth.core.instants import SECOND

OPERATORS_OWN = frozenset({401, 402, 403, 407})
"""Statuses that judge the operator's key or account, not the customer's: passed on they would accuse the customer and may quote the key."""
LONGEST = 600
"""Most seconds for which a Retry-After is heeded."""


class Fault(StrEnum):
    """Whose fault a status is."""

    NONE = "none"
    CLIENT = "client"
    """Of the request itself: every supplier would refuse it."""
    SUPPLIER = "supplier"
    BUSY = "busy"
    """Of nobody: the supplier asks to be left alone for a while."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose fault, and for a busy supplier for how many microseconds."""

    fault: Fault
    pause: int = 0

    @property
    def elsewhere(self) -> bool:
        """Whether another member may be asked: not what is the request's own fault."""
        return self.fault in (Fault.SUPPLIER, Fault.BUSY)


WELL = Verdict(Fault.NONE)


def judge(status: int, headers: Mapping[str, str], at: int) -> Verdict:
    """Judge an answer by its status and headers (small letters).

    5xx, and what concerns the operator's account, are the supplier's fault as seen from outside. A 429 is a busy supplier where it says for how
    long (Retry-After, in seconds or as a date), else the client's.
    """
    if status < 400:
        return WELL
    if status == 429 and (pause := _pause(headers.get("retry-after", ""), at)) is not None:
        return Verdict(Fault.BUSY, pause)
    if status >= 500 or status in OPERATORS_OWN:
        return Verdict(Fault.SUPPLIER)
    return Verdict(Fault.CLIENT)


def _pause(text: str, at: int) -> int | None:
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - at / SECOND
        except ValueError:
            return None
    # not a number compares as neither
    return int(min(max(seconds, 0.0), LONGEST) * SECOND) if seconds == seconds else None  # noqa: PLR0124
