"""Hours: when a message may go out, by the shopper's own clock."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cartwake.bundles import QuietHours
from cartwake.knowledge import find_zone
from cartwake.segments import View
from cartwake.statements import Channel
from cartwake.times import DAY, MINUTE, Instant, to_datetime, to_instant

SPREAD_MS: Final = 10 * MINUTE
"""What was held goes out within this time after the hours open, and not all at once."""


def quiet_until(channel: Channel, view: View) -> Instant | None:
    """Return when a shopper's message may go out, or None when that is now: each has a place of their own in the rush.

    A place is a share of the first minutes after the hours open, and of at most half of the hours.
    """
    hours = view.rules.settings.hours.get(channel)
    if hours is None:
        return None
    zone = find_zone(view.state, view.rules.settings.timezone)
    local = to_datetime(view.now).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if hours.opens_minute <= minute < hours.closes_minute:
        return None
    spread = min(SPREAD_MS, (hours.closes_minute - hours.opens_minute) * MINUTE // 2)
    return _next_opening(hours, view.now, zone) + view.state.lot % spread


def begin_tomorrow(now: Instant, zone: str) -> tuple[str, Instant]:
    """Return the day that it is in a timezone, and the instant at which the next one begins."""
    local = to_datetime(now).astimezone(ZoneInfo(zone))
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
    return local.date().isoformat(), to_instant(midnight)


def _next_opening(hours: QuietHours, now: Instant, zone: ZoneInfo) -> Instant:
    """Return the next instant at which the local hours open."""
    local = to_datetime(now).astimezone(zone)
    for days in range(3):
        day = (local + timedelta(days=days)).date()
        opening = local.replace(
            year=day.year,
            month=day.month,
            day=day.day,
            hour=hours.opens_minute // 60,
            minute=hours.opens_minute % 60,
            second=0,
            microsecond=0,
            fold=0,
        )
        if to_instant(opening) > now:
            return to_instant(opening)
    return now + DAY
