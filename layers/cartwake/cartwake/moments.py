"""Moments: the instants that a date stands for, by the shopper's own calendar, each once."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from cartwake.conditions.dates import find_day, read_day, read_whole_day
from cartwake.conditions.kinds import FAILS, Answer, Verdict
from cartwake.journeys import UntilDate
from cartwake.times import DAY, NEVER, Instant, read_instant, to_datetime, to_instant

LASTS_MS: Final = DAY
"""So long after its moment a date is still one that comes just now: who is looked at late is not passed over."""
LOOK_AGAIN_MS: Final = 300 * DAY
_LAST_YEAR: Final = 9_000
_YEARS_SEEN: Final = 6
"""Two years back, since a moment may lie a year after its date; this one; and those to come."""


class Moment(NamedTuple):
    """When a date comes.

    Attributes:
        name: Which of all that ever come of it: the date as it was told, and the year where there is one each.
    """

    at: Instant
    name: str


def list_moments(date_: UntilDate, value: object, near: Instant, zone: tzinfo) -> list[Moment]:
    """Return the moments of a date in order: the one there is, or the anniversaries around *near*.

    Args:
        date_: What is made of the date: how much before or after it, and at what time.
        value: The date as it was told; what is none has no moments.
        near: An instant.
        zone: The shopper's.
    """
    try:
        if date_.every_year:
            return _list_anniversaries(date_, value, near, zone)
        at = _find_date(date_, value, zone)
    except (ValueError, OverflowError):
        return []
    return [] if at is None else [Moment(at, str(value))]


def find_moment(date_: UntilDate, value: object, at: Instant, zone: tzinfo) -> Moment | None:
    """Return the moment that is just now, at an instant; None: none is."""
    coming = list_moments(date_, value, at, zone)
    return next((it for it in coming if it.at <= at < it.at + LASTS_MS), None)


def judge_moment(date_: UntilDate, value: object, zone: tzinfo, now: Instant) -> Verdict:
    """Return whether a moment of the date is just now, and until when that stays so."""
    coming = list_moments(date_, value, now, zone)
    for each in coming:
        if each.at <= now < each.at + LASTS_MS:
            return Verdict(Answer.HOLDS, each.at + LASTS_MS)
    ahead = min((each.at for each in coming if each.at > now), default=NEVER)
    if not coming or not date_.every_year:
        return Verdict(Answer.FAILS, ahead) if ahead < NEVER else FAILS
    return Verdict(Answer.FAILS, min(ahead, now + LOOK_AGAIN_MS))


def at_minute(day: date, minute: int, zone: tzinfo) -> Instant:
    """Return a time of day, in minutes after midnight, on a day."""
    return to_instant(datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone))


def _find_date(date_: UntilDate, value: object, zone: tzinfo) -> Instant | None:
    day = read_whole_day(value)
    if day is not None:
        return _shift(datetime.combine(day, time(), tzinfo=zone), date_, zone)
    at = read_instant(value, zone)
    return None if at is None else _shift(to_datetime(at).astimezone(zone), date_, zone)


def _list_anniversaries(date_: UntilDate, value: object, near: Instant, zone: tzinfo) -> list[Moment]:
    """Return the anniversaries around *near*; that of 29 February is on the 28th where the year has no such day."""
    told = read_day(value, zone)
    if told is None:
        return []
    first, month, number = told
    begin = max(to_datetime(near).year - 2, first + 1)
    days = [
        find_day(year, month, number, leap_day_after=False)
        for year in range(begin, min(begin + _YEARS_SEEN, _LAST_YEAR))
    ]
    return [
        Moment(_shift(datetime.combine(day, time(), tzinfo=zone), date_, zone), f"{value} {day.year}") for day in days
    ]


def _shift(moment: datetime, date_: UntilDate, zone: tzinfo) -> Instant:
    """Return a local time as much later or earlier as is said: whole days by the calendar, the rest elapsed."""
    days, rest = divmod(abs(date_.shift_ms), DAY)
    if date_.shift_ms < 0:
        days, rest = -days, -rest
    if not days and date_.minute is None:
        return to_instant(moment) + rest
    day = moment.date() + timedelta(days=days)
    at = to_instant(moment + timedelta(days=days)) if date_.minute is None else at_minute(day, date_.minute, zone)
    return at + rest
