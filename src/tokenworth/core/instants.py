"""Instants as whole microseconds since 1970-01-01 UTC, and their text."""

from datetime import UTC, date, datetime, timedelta

from tokenworth.core.errors import InstantError

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)


def from_datetime(value: datetime) -> int:
    """Return the instant of an aware datetime, else InstantError."""
    if value.tzinfo is None:
        raise InstantError(f"{value.isoformat()} has no offset", mend="add the offset, such as 2026-01-31T12:00:00Z")
    try:
        return (value.astimezone(UTC) - EPOCH) // MICRO
    except OverflowError:
        raise InstantError(f"{value.isoformat()} is not within the years 1 to 9999 of UTC", mend="give a time inside them") from None


def to_datetime(instant: int) -> datetime:
    """Return an instant as a UTC datetime."""
    return EPOCH + instant * MICRO


def parse_instant(value: str | date | datetime) -> int:
    """Return the instant of a date (its midnight UTC) or of an ISO 8601 time with an offset, else InstantError."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value or " " in value else date.fromisoformat(value)
        except ValueError:
            raise InstantError(f"{value!r} is not a date or time", mend="write 2026-01-31 or 2026-01-31T12:00:00Z") from None
    if isinstance(value, datetime):
        return from_datetime(value)
    return from_datetime(datetime(value.year, value.month, value.day, tzinfo=UTC))


def format_instant(instant: int) -> str:
    """Return ISO 8601 text in UTC, with as many decimals of a second as needed."""
    value = to_datetime(instant)
    text = value.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{value.microsecond:06d}Z" if value.microsecond else f"{text}Z"
