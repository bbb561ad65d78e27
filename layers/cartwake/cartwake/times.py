"""Instants and durations: whole milliseconds, UTC, and the words marketers use for them."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

type Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
NEVER: Final[Instant] = 2**53
"""Later than any instant; still exact in JSON."""

_SECONDS_END: Final = 10**11
"""A smaller number is seconds since 1970, a larger one milliseconds: either way a date between 1973 and 5138."""
_UNITS: Final = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": 7 * DAY}
_DURATION: Final = re.compile(r"(\d{1,6}) (second|minute|hour|day|week)s?")


def parse_duration(words: str) -> int:
    """Return the milliseconds that words such as "90 days" or "1 hour" mean.

    Raises:
        ValueError: Not a number and one of the units, separated by one space, and nothing around them.
    """
    match = _DURATION.fullmatch(words)
    if match is None:
        raise ValueError(f'"{words}" is not a duration; write for example "1 hour", "30 minutes" or "90 days"')
    return int(match[1]) * _UNITS[match[2]]


def format_duration(duration_ms: int) -> str:
    """Return the shortest words for a duration, for example "90 days"; the inverse of `parse_duration`."""
    for unit in ("week", "day", "hour", "minute"):
        count, rest = divmod(duration_ms, _UNITS[unit])
        if count and not rest and (unit != "week" or count < 5):
            return f"{count} {unit}{'s' if count != 1 else ''}"
    count = duration_ms // SECOND
    return f"{count} second{'s' if count != 1 else ''}"


def parse_instant(text: str) -> Instant:
    """Return the instant an ISO 8601 text names; without a zone it is UTC.

    Raises:
        ValueError: Not an ISO 8601 date and time.
    """
    moment = datetime.fromisoformat(text)
    return to_instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def read_instant(value: Any, zone: tzinfo) -> Instant | None:
    """Return the instant that a value names, or None: ISO 8601, or a number of seconds or milliseconds since 1970.

    A date without a time is its midnight; without a zone it is one of *zone*.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            at = int(value * SECOND) if abs(value) < _SECONDS_END else int(value)
        except (OverflowError, ValueError):
            return None
        return at if abs(at) < NEVER else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return to_instant(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        return None


def to_instant(moment: datetime) -> Instant:
    """Return the instant of an aware datetime, cut to whole milliseconds."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds // 1_000


def to_datetime(instant: Instant) -> datetime:
    """Return the aware UTC datetime of an instant."""
    return datetime.fromtimestamp(instant // SECOND, UTC).replace(microsecond=instant % SECOND * 1_000)


def format_instant(instant: Instant) -> str:
    """Return an instant as `2026-11-21T19:41:15.328Z`, sortable as text."""
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant % SECOND:03d}Z"


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
