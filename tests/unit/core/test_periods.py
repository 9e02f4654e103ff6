"""Windows of time zones, against dates from the zones' published rules, and against the calendar that a clock on the wall shows."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokenworth.core.errors import InputError
from tokenworth.core.instants import format_instant, parse_instant
from tokenworth.core.periods import Window, window_of

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # half an hour
    "Asia/Kolkata",
    "Asia/Kathmandu",  # three quarters of an hour
    "Pacific/Chatham",
    "America/Santiago",  # the clock is put forward at midnight
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",  # midnight comes twice
    "America/Nuuk",
    "Australia/Lord_Howe",  # summer time is half an hour
    "Antarctica/Troll",  # and here two hours
    "Africa/Casablanca",
    "Pacific/Kiritimati",
)
HOWE_FORWARD = 1_791_041_400_000_000
"""2026-10-03T15:30Z: 02:00 becomes 02:30 on Lord Howe Island."""


@pytest.mark.parametrize(
    ("zone", "window", "at", "start", "end"),
    [
        ("UTC", "day", "2026-11-24T23:59:59.999999Z", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"),
        ("UTC", "month", "2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("UTC", "month", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        # days of 23 and of 25 hours
        ("Europe/Berlin", "day", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "day", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        # a month that begins in summer time and ends out of it
        ("America/New_York", "month", "2026-11-15T12:00:00Z", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"),
        # the hour that a clock shows twice is two hours
        ("Europe/Berlin", "hour", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
        ("Europe/Berlin", "hour", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"),
        # offsets of five hours and a half, and of five and three quarters
        ("Asia/Kolkata", "hour", "2026-06-01T12:10:00Z", "2026-06-01T11:30:00Z", "2026-06-01T12:30:00Z"),
        ("Asia/Kathmandu", "day", "2026-06-01T12:00:00Z", "2026-05-31T18:15:00Z", "2026-06-01T18:15:00Z"),
        # midnight does not exist: the day begins at 01:00
        ("America/Santiago", "day", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"),
        ("America/Santiago", "day", "2026-09-06T03:59:59Z", "2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z"),
        ("Africa/Cairo", "day", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"),
        # at midnight it is 23:00 again
        ("America/Santiago", "day", "2026-04-05T03:30:00Z", "2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z"),
        ("Africa/Cairo", "day", "2026-10-29T21:30:00Z", "2026-10-28T21:00:00Z", "2026-10-29T22:00:00Z"),
        # half an hour forward: 01:00 to 02:00, then 02:30 to 03:00; half an hour back: 01:00 to 02:00, then 01:30 to 02:00
        ("Australia/Lord_Howe", "hour", "2026-10-03T15:15:00Z", "2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z"),
        ("Australia/Lord_Howe", "hour", "2026-10-03T15:45:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"),
        ("Australia/Lord_Howe", "hour", "2026-04-04T14:45:00Z", "2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z"),
        ("Australia/Lord_Howe", "hour", "2026-04-04T15:15:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"),
    ],
)
def test_windows(zone: str, window: str, at: str, start: str, end: str) -> None:
    assert tuple(map(format_instant, window_of(parse_instant(at), Window(window), zone))) == (start, end)


def shown(at: int, window: Window, zone: str) -> tuple[object, ...]:
    """Return what a clock and a calendar on the wall show of an instant, down to the window."""
    local = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(zone))
    month = (local.year, local.month)
    return {Window.MONTH: month, Window.DAY: (*month, local.day), Window.HOUR: (*month, local.day, local.hour, local.utcoffset())}[window]


instants = st.integers(parse_instant("2020-01-01"), parse_instant("2037-01-01"))


@given(instants, st.sampled_from(list(Window)), st.sampled_from(ZONES), st.integers(0, 10**6))
@example(HOWE_FORWARD - 1, Window.HOUR, "Australia/Lord_Howe", 0)
@example(HOWE_FORWARD, Window.HOUR, "Australia/Lord_Howe", 0)
def test_windows_tile_time(at: int, window: Window, zone: str, millionths: int) -> None:
    """An instant is in one window; all of it shows the same on the wall, and its neighbours show another."""
    start, end = window_of(at, window, zone)
    assert start <= at < end
    within = start + (end - start - 1) * millionths // 10**6
    assert window_of(start, window, zone) == window_of(within, window, zone) == window_of(end - 1, window, zone) == (start, end)
    assert window_of(end, window, zone)[0] == end
    assert window_of(start - 1, window, zone)[1] == start
    here = shown(at, window, zone)
    assert shown(start, window, zone) == shown(within, window, zone) == shown(end - 1, window, zone) == here
    assert here not in (shown(start - 1, window, zone), shown(end, window, zone))


@pytest.mark.parametrize("zone", ["Nowhere/Atlantis", "", "../etc/passwd", "Europe"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(InputError, match="no time zone"):
        window_of(0, Window.DAY, zone)
