"""Dates: ages, anniversaries and dates seen from now, by the shopper's own calendar, with an exact expiry."""

import re
from calendar import isleap
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from cartwake.conditions.kinds import FAILS, Age, Anniversary, Moment, Verdict
from cartwake.conditions.spans import Span, Tally, follow
from cartwake.times import NEVER, Instant, read_instant, to_datetime, to_instant

_MIDNIGHT: Final = re.compile(r"[T ]00:00(:00([.,]0+)?)?(Z|\+00:?00)$")
_DAY_OF_YEAR: Final = re.compile(r"(?:--)?(\d{2})-(\d{2})")
_LAST_YEAR: Final = 9_000
_YEARS_SEEN: Final = 4
"""The year before, which may not be over somewhere; this one; and the next two: when this one is over, there is one."""
_LEAP_YEAR: Final = 2000


def judge_moment(condition: Moment, value: Any, zone: tzinfo, now: Instant) -> Verdict:
    """Return whether a date lies in the last, in the next, or longer ago than a time; a day begins at its midnight."""
    at = read_instant(value, zone)
    if at is None:
        return FAILS
    if condition.within_ms:
        span = Span(at, at + condition.within_ms)
    elif condition.ahead_ms:
        span = Span(at - condition.ahead_ms, at)
    else:
        span = Span(at + condition.before_ms, NEVER)
    return follow([span], _is_there, now)


def judge_age(condition: Age, value: Any, zone: tzinfo, now: Instant) -> Verdict:
    """Return the verdict on somebody's age.

    Who was born on 29 February is a year older on 1 March where the year has no such day: never too early. Who is not
    born yet has no age.
    """
    born = read_date(value, zone)
    if born is None:
        return FAILS
    more = condition.op in ("more_than", "at_most")
    year = born.year + condition.years + more
    if not 1 <= year <= _LAST_YEAR:
        return FAILS
    reached_at = begin_day(find_day(year, born.month, born.day, leap_day_after=True), zone)
    if condition.op in ("more_than", "at_least"):
        return follow([Span(reached_at, NEVER)], _is_there, now)
    return follow([Span(begin_day(born, zone), reached_at)], _is_there, now)


def judge_anniversary(condition: Anniversary, value: Any, zone: tzinfo, now: Instant) -> Verdict:
    """Return whether an anniversary lies so few days behind or ahead; the day itself is not one.

    That of 29 February is on 28 February where the year has no such day: a greeting never comes too late.
    """
    day = read_day(value, zone)
    if day is None:
        return FAILS
    first, month, number = day
    begin = max(to_datetime(now).year - 1, first + 1)
    if begin > _LAST_YEAR:
        return FAILS
    spans = [
        _span_days(find_day(year, month, number, leap_day_after=False), condition, zone)
        for year in range(begin, begin + _YEARS_SEEN)
    ]
    return follow(spans, _is_there, now)


def read_date(value: Any, zone: tzinfo) -> date | None:
    """Return the day that a value names, by the shopper's calendar; a day that is written as such is that day.

    So is one that some software wrote as its midnight in UTC.
    """
    whole = read_whole_day(value)
    if whole is not None:
        return whole
    at = read_instant(value, zone)
    try:
        return None if at is None else to_datetime(at).astimezone(zone).date()
    except (ValueError, OverflowError, OSError):
        return None


def read_whole_day(value: Any) -> date | None:
    """Return the day that a value is, if it is one and not an instant."""
    try:
        return date.fromisoformat(_MIDNIGHT.sub("", value.strip())) if isinstance(value, str) else None
    except ValueError:
        return None


def read_day(value: Any, zone: tzinfo) -> tuple[int, int, int] | None:
    """Return year, month and day; the year is 0 where only a day of the year is told ("05-17" or "--05-17")."""
    found = _DAY_OF_YEAR.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        day = read_date(value, zone)
        return None if day is None else (day.year, day.month, day.day)
    month, number = int(found[1]), int(found[2])
    try:
        date(_LEAP_YEAR, month, number)
    except ValueError:
        return None
    return 0, month, number


def find_day(year: int, month: int, number: int, *, leap_day_after: bool) -> date:
    """Return a day of a year; for 29 February, where there is none, the day before or after."""
    if (month, number) == (2, 29) and not isleap(year):
        return date(year, 3, 1) if leap_day_after else date(year, 2, 28)
    return date(year, month, number)


def _span_days(day: date, condition: Anniversary, zone: tzinfo) -> Span:
    begins = day - timedelta(days=condition.next_days)
    ends = day + timedelta(days=condition.last_days + 1)
    return Span(begin_day(begins, zone), begin_day(ends, zone))


def begin_day(day: date, zone: tzinfo) -> Instant:
    """Return when a day begins; where clocks are put forward at midnight, the first instant that there is."""
    return to_instant(datetime(day.year, day.month, day.day, tzinfo=zone))


def _is_there(tally: Tally) -> bool:
    return tally.times > 0
