"""Hours, days and months of a time zone, as instants.

The zone's rules come from the machine's or the package's time zone data through the standard library; they are facts, not settings.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tokenworth.core.errors import InputError
from tokenworth.core.instants import from_datetime, to_datetime

QUARTER_HOUR = 900_000_000
"""Microseconds. Every zone's hours, days and months begin on a quarter of an hour of UTC, since 1972."""

HOUR = 4 * QUARTER_HOUR


class Window(StrEnum):
    """A calendar period that repeats."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name, else InputError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"there is no time zone {name!r}", mend='use an IANA name, such as "Europe/Berlin"', code="unknown_zone") from None


def window_of(at: int, window: Window, zone_name: str) -> tuple[int, int]:
    """Return the first instant of the period that `at` is in, and the first of the next. Days of 23 and 25 hours are whole days."""
    return _window(at - at % QUARTER_HOUR, window, zone_name)


@lru_cache(maxsize=4096)
def _window(at: int, window: Window, zone_name: str) -> tuple[int, int]:
    here = zone(zone_name)
    local = to_datetime(at).astimezone(here)
    if window is Window.HOUR:
        return _hour(at, local.minute * 60_000_000, here)
    day = datetime(local.year, local.month, local.day if window is Window.DAY else 1, tzinfo=here)
    after = day.replace(tzinfo=None) + timedelta(days=1 if window is Window.DAY else 32)
    if window is Window.MONTH:
        after = after.replace(day=1)
    return from_datetime(day), from_datetime(after.replace(tzinfo=here))


def _hour(at: int, past: int, here: ZoneInfo) -> tuple[int, int]:
    """Return the hour on the clock, of which `past` is over, in absolute time: the hour that a clock shows twice is two hours.

    Where the clock is put forward or back within it, as by the half hour of Lord Howe Island's summer time, it is cut there.
    """
    offset, begin = _offset(at, here), at - past
    start, end = at, at + QUARTER_HOUR
    while start > begin and _offset(start - QUARTER_HOUR, here) == offset:
        start -= QUARTER_HOUR
    while end < begin + HOUR and _offset(end, here) == offset:
        end += QUARTER_HOUR
    return start, end


def _offset(at: int, here: ZoneInfo) -> timedelta | None:
    return to_datetime(at).astimezone(here).utcoffset()
