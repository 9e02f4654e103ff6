"""Hours of the day, on clocks that are put forward and back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenworth.core.instants import from_datetime
from tokenworth.price.hours import Hours, bounds

DEEPSEEK = Hours(16 * 60 + 30, 30)
"""DeepSeek's off-peak hours of 2025: 16:30 to 00:30 UTC."""


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).astimezone(UTC))


@pytest.mark.parametrize(
    ("hours", "instant", "inside"),
    [
        (DEEPSEEK, "2025-06-01T16:29:59+00:00", False),
        (DEEPSEEK, "2025-06-01T16:30:00+00:00", True),
        (DEEPSEEK, "2025-06-02T00:29:59+00:00", True),
        (DEEPSEEK, "2025-06-02T00:30:00+00:00", False),
        (Hours(9 * 60, 17 * 60, "Europe/Berlin"), "2026-01-05T08:00:00+00:00", True),
        (Hours(9 * 60, 17 * 60, "Europe/Berlin"), "2026-07-06T07:00:00+00:00", True),
        # on 2026-10-25 Berlin's clock shows 02:30 twice
        (Hours(2 * 60, 3 * 60, "Europe/Berlin"), "2026-10-25T00:30:00+00:00", True),
        (Hours(2 * 60, 3 * 60, "Europe/Berlin"), "2026-10-25T01:30:00+00:00", True),
        # and on 2026-03-29 it leaves 02:30 out
        (Hours(2 * 60, 3 * 60, "Europe/Berlin"), "2026-03-29T01:00:00+00:00", False),
        (Hours(0, 0), "2026-03-29T01:00:00+00:00", True),
    ],
)
def test_hours_hold_on_the_clock(hours: Hours, instant: str, inside: bool) -> None:
    assert hours.hold(at(instant)) is inside


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York", "Pacific/Apia"])
HOURS = st.builds(Hours, st.integers(0, 1439), st.integers(0, 1439), ZONES)
CHANGES = st.sampled_from(
    [at("2026-03-29T00:00:00+00:00"), at("2026-04-04T12:00:00+00:00"), at("2026-10-25T00:00:00+00:00"), at("2026-11-01T00:00:00+00:00")]
)


@given(st.lists(HOURS, min_size=1, max_size=2), CHANGES, st.lists(st.integers(0, 3 * 86_400_000_000 - 1), min_size=5))
def test_between_bounds_nothing_begins_or_ends(several: list[Hours], since: int, offsets: list[int]) -> None:
    until = since + 3 * 86_400_000_000
    ends = [since, *bounds(several, since, until), until]
    for offset in offsets:
        instant = since + offset
        start = max(end for end in ends if end <= instant)
        assert [hours.hold(instant) for hours in several] == [hours.hold(start) for hours in several]


def test_overlaps_and_words() -> None:
    assert DEEPSEEK.overlap(Hours(0, 60))
    assert not DEEPSEEK.overlap(Hours(30, 16 * 60 + 30))
    assert DEEPSEEK.overlap(Hours(30, 60, "Asia/Shanghai"))
    assert str(DEEPSEEK) == "16:30-00:30 UTC"
