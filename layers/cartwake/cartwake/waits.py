"""Waits: when one is over, by elapsed time or by the shopper's own clock and calendar."""

from datetime import timedelta, tzinfo
from typing import Final

from cartwake.events import Event
from cartwake.journeys import UntilClock, UntilDate, Wait
from cartwake.knowledge import find_zone
from cartwake.moments import at_minute, list_moments
from cartwake.profiles import State
from cartwake.segments import View
from cartwake.times import DAY, NEVER, Instant, to_datetime
from cartwake.values import find_value

LONGEST_WAIT: Final = 365 * DAY
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
        at = at_minute(day, wait.minute, zone)
        if at >= began and (not wait.days or day.weekday() in wait.days):
            return at
    return began


def end_at_date(wait: UntilDate, began: Instant, view: View, trigger: Event | None = None) -> Instant | None:
    """Return the instant that a wait for a date is for; None: there is no such date, it is over, or too far ahead."""
    zone = _zone(view)
    value = wait.date or _find_value(wait, view.state, trigger)
    ends = list_moments(wait, value, began, zone)
    coming = min((each.at for each in ends if each.at >= began), default=NEVER)
    # the next anniversary is 366 days ahead where 29 February lies between
    longest = LONGEST_WAIT + DAY if wait.every_year else LONGEST_WAIT
    return coming if coming <= began + longest else None


def _find_value(wait: UntilDate, state: State, trigger: Event | None) -> object:
    if wait.told:
        return find_value(trigger.properties, wait.told) if trigger else None
    register = state.traits.get(wait.trait)
    return register.value if register else None


def _zone(view: View) -> tzinfo:
    return find_zone(view.state, view.rules.settings.timezone)
