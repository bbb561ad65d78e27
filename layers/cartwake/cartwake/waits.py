"""Waits: when one is over, by elapsed time or by the shopper's own clock and calendar."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from cartwake.conditions.dates import find_day, read_day, read_whole_day
from cartwake.events import Event
from cartwake.journeys import UntilClock, UntilDate, Wait
from cartwake.knowledge import find_zone
from cartwake.profiles import State
from cartwake.segments import View
from cartwake.times import DAY, NEVER, Instant, read_instant, to_datetime, to_instant
from cartwake.values import find_value

LONGEST_WAIT: Final = 365 * DAY
_LAST_YEAR: Final = 9_000
_WEEK_AND_MORE: Final = 9
"""Days: wherever a calendar skips one, there is still each day of the week among them."""


def end_wait(wait: Wait, began: Instant, state: State) -> Instant:
    """Return when a wait ends: each named activity since it began starts it anew, up to its maximum."""
    if not wait.of_quiet:
        return began + wait.for_ms
    activities = [
        tracker.entries[-1].at for key in wait.of_quiet if (tracker := state.trackers.get(key)) and tracker.entries
    ]
    quiet = max([began, *activities]) + wait.for_ms
    return min(quiet, began + wait.at_most_ms) if wait.at_most_ms else quiet


def end_at_clock(wait: UntilClock, began: Instant, view: View) -> Instant:
    """Return the first instant, not before *began*, at which the shopper's clock shows a time on one of the days.

    What clocks that are put forward skip comes as much later; what they show twice, the first time.
    """
    zone = _zone(view)
    today = to_datetime(began).astimezone(zone).date()
    for days in range(_WEEK_AND_MORE):
        day = today + timedelta(days=days)
        at = _at(day, wait.minute, zone)
        if at >= began and (not wait.days or day.weekday() in wait.days):
            return at
    return began


def end_at_date(wait: UntilDate, began: Instant, view: View, trigger: Event | None = None) -> Instant | None:
    """Return the instant that a wait for a date is for; None: there is no such date, it is over, or too far ahead."""
    zone = _zone(view)
    value = wait.date or _find_value(wait, view.state, trigger)
    try:
        ends = _list_anniversaries(wait, value, began, zone) if wait.every_year else [_find_date(wait, value, zone)]
    except (ValueError, OverflowError):
        return None
    coming = min((at for at in ends if at is not None and at >= began), default=NEVER)
    # the next anniversary is 366 days ahead where 29 February lies between
    longest = LONGEST_WAIT + DAY if wait.every_year else LONGEST_WAIT
    return coming if coming <= began + longest else None


def _find_value(wait: UntilDate, state: State, trigger: Event | None) -> object:
    if wait.told:
        return find_value(trigger.properties, wait.told) if trigger else None
    register = state.traits.get(wait.trait)
    return register.value if register else None


def _find_date(wait: UntilDate, value: object, zone: tzinfo) -> Instant | None:
    day = read_whole_day(value)
    if day is not None:
        return _shift(datetime.combine(day, time(), tzinfo=zone), wait, zone)
    at = read_instant(value, zone)
    return None if at is None else _shift(to_datetime(at).astimezone(zone), wait, zone)


def _list_anniversaries(wait: UntilDate, value: object, began: Instant, zone: tzinfo) -> list[Instant]:
    """Return the anniversaries around *began*; that of 29 February is on the 28th where the year has no such day."""
    told = read_day(value, zone)
    if told is None:
        return []
    first, month, number = told
    this = to_datetime(began).year
    years = range(max(this - 2, first + 1), min(this + 4, _LAST_YEAR))
    days = [find_day(year, month, number, leap_day_after=False) for year in years]
    return [_shift(datetime.combine(day, time(), tzinfo=zone), wait, zone) for day in days]


def _shift(moment: datetime, wait: UntilDate, zone: tzinfo) -> Instant:
    """Return a local time as much later or earlier as the wait says: whole days by the calendar, the rest elapsed."""
    days, rest = divmod(abs(wait.shift_ms), DAY)
    if wait.shift_ms < 0:
        days, rest = -days, -rest
    if not days and wait.minute is None:
        return to_instant(moment) + rest
    day = moment.date() + timedelta(days=days)
    at = to_instant(moment + timedelta(days=days)) if wait.minute is None else _at(day, wait.minute, zone)
    return at + rest


def _at(day: date, minute: int, zone: tzinfo) -> Instant:
    return to_instant(datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone))


def _zone(view: View) -> tzinfo:
    return find_zone(view.state, view.rules.settings.timezone)
