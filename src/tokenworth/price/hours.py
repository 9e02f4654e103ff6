"""Hours of the day at which other rates hold, on the clock of a time zone: as suppliers' off-peak prices do."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from tokenworth.core.instants import from_datetime, to_datetime
from tokenworth.core.periods import QUARTER_HOUR, zone

DAY = 24 * 60
MINUTE = 60_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` to before `end`, in minutes of the day; across midnight where the end is not after the start. `zone` is an IANA name."""

    start: int
    end: int
    zone: str = "UTC"

    def hold(self, at: int) -> bool:
        """Whether an instant is within them. An hour that the clock shows twice is within both times."""
        local = to_datetime(at).astimezone(zone(self.zone))
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def overlap(self, other: "Hours") -> bool:
        """Whether a minute of the day is in both; of two time zones nobody can tell for all days, so it counts as an overlap."""
        return self.zone != other.zone or bool(self.minutes & other.minutes)

    def __str__(self) -> str:
        """As a book states them: `16:30-00:30 UTC`."""
        return f"{_clock(self.start)}-{_clock(self.end)} {self.zone}"

    @property
    def minutes(self) -> set[int]:
        """Every minute of the day within them; of equal times the whole day."""
        length = (self.end - self.start) % DAY or DAY
        return {(self.start + minute) % DAY for minute in range(length)}


def bounds(several: Iterable[Hours], since: int, until: int) -> list[int]:
    """Return the instants of a period at which any of several hours may begin or end, ascending; between two of them none does."""
    found: set[int] = set()
    for hours in several:
        here = zone(hours.zone)
        day = to_datetime(since - 2 * DAY * MINUTE).astimezone(here).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        while (start := from_datetime(day.replace(tzinfo=here))) < until + 2 * DAY * MINUTE:
            # of a time that the clock shows twice or leaves out, both readings
            for minute in (hours.start, hours.end):
                found |= {from_datetime((day + timedelta(minutes=minute)).replace(tzinfo=here, fold=fold)) for fold in (0, 1)}
            found |= set(_shifts(start, here))
            day += timedelta(days=1)
    return sorted(at for at in found if since < at < until)


def _shifts(start: int, here: ZoneInfo) -> Iterator[int]:
    """Yield the instants of the day from `start` on at which the clock is put forward or back: on a quarter of an hour, since 1972."""
    ends = [start + quarter * QUARTER_HOUR for quarter in range(26 * 4 + 1)]
    offsets = [to_datetime(at).astimezone(here).utcoffset() for at in (ends[0], ends[-1])]
    if offsets[0] != offsets[1]:
        yield from ends


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
