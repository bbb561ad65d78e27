"""Clients' clocks: when an event happened, told by a clock that may be wrong."""

from typing import Any, Final

from cartwake.errors import BadInput
from cartwake.reasons import Refusal
from cartwake.times import DAY, Instant, parse_instant

EARLIEST_AT: Final[Instant] = parse_instant("2000-01-01T00:00:00Z")
FUTURE_MS: Final = DAY
"""An event from further ahead than this is refused; one from less far ahead counts as happening at its receipt."""
_FIRST_AT: Final[Instant] = parse_instant("1900-01-01T00:00:00Z")
_LAST_AT: Final[Instant] = parse_instant("9999-12-31T23:59:59Z")
_LONGEST: Final = 100
"""What is longer is no time; a batch's `sentAt` is read for each of its events."""
_EXAMPLE: Final = "2026-11-21T19:41:15.328Z"


def read_time(data: dict[str, Any]) -> Instant | None:
    """Return the client's own time of an event, or None when it told none.

    Raises:
        BadInput: What it told is no time.
    """
    name = "timestamp" if data.get("timestamp") is not None else "originalTimestamp"
    value = data.get(name)
    if value is None:
        return None
    found = _parse(value)
    if found is None:
        raise BadInput(Refusal.INVALID_TIME, f"{name} must be a time such as {_EXAMPLE}", where=name)
    return found


def read_sent_at(*told: object) -> Instant | None:
    """Return the first of several `sentAt` that is a time; a broken one only means that nothing is corrected."""
    return next((found for value in told if (found := _parse(value)) is not None), None)


def place(client_at: Instant | None, *, sent_at: Instant | None, received_at: Instant) -> Instant:
    """Return when an event happened: the client's time, corrected by how wrong its clock was when it sent.

    Raises:
        BadInput: Even so it lies more than a day ahead, or before the year 2000.
    """
    if client_at is None:
        return received_at
    occurred_at = client_at if sent_at is None else client_at + received_at - sent_at
    if occurred_at > received_at + FUTURE_MS:
        raise BadInput(
            Refusal.CLOCK_OFF,
            "the event lies more than a day ahead; send sentAt as well, to have it corrected",
            where="timestamp",
        )
    if occurred_at < EARLIEST_AT:
        raise BadInput(Refusal.CLOCK_OFF, "the event lies before the year 2000", where="timestamp")
    return min(occurred_at, received_at)


def _parse(value: object) -> Instant | None:
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    try:
        found = parse_instant(value.strip())
    except (ValueError, OverflowError):
        return None
    return found if _FIRST_AT <= found <= _LAST_AT else None
