"""Days and moments of a request: written as a day, or as a time with its zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import AwareDatetime, BeforeValidator

NANOSECONDS = 1_000_000_000
"""In a second."""
_SMALLEST = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _from_day(value: Any, at: time) -> Any:
    """A day as a moment of it; anything else as it is."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, at, UTC)
    return value


def _beginning(value: Any) -> Any:
    return _from_day(value, time.min)


def _end(value: Any) -> Any:
    return _from_day(value, time.max)


Beginning: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_beginning)]
"""A moment; a day is its first one, in UTC."""
End: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_end)]
"""A moment; a day is its last one, in UTC."""


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970 (UTC) of a moment, exactly.

    >>> nanoseconds(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000000
    """
    return (moment - _EPOCH) // _SMALLEST * 1000


def moment(nanoseconds_: int) -> datetime:
    """The moment so many nanoseconds after 1970, cut to microseconds.

    >>> moment(86_400_000_000_000).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=nanoseconds_ // 1000)


def in_words(instant: datetime) -> str:
    """A moment in UTC, to the second; a day where it is the first or last moment of one.

    >>> in_words(datetime(2026, 1, 2, tzinfo=UTC)), in_words(datetime(2026, 1, 2, 3, tzinfo=UTC))
    ('2026-01-02', '2026-01-02 03:00:00 UTC')
    """
    utc = instant.astimezone(UTC)
    if utc.time() in {time.min, time.max}:
        return utc.date().isoformat()
    return utc.strftime("%Y-%m-%d %H:%M:%S UTC")


def end_in_words(instant: datetime) -> str:
    """A last moment in UTC, to the second; a day where all of it counts.

    >>> end_in_words(datetime.combine(date(2026, 1, 2), time.max, UTC))
    '2026-01-02 (UTC)'
    >>> end_in_words(datetime(2026, 1, 2, tzinfo=UTC))
    '2026-01-02 00:00:00 UTC'
    """
    utc = instant.astimezone(UTC)
    whole = utc.time() == time.max
    return utc.strftime("%Y-%m-%d (UTC)" if whole else "%Y-%m-%d %H:%M:%S UTC")
