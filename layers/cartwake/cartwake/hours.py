"""Hours: when a message may go out, by the shopper's own clock."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from cartwake.bundles import QuietHours
from cartwake.knowledge import find_zone
from cartwake.segments import View
from cartwake.statements import Channel
from cartwake.times import DAY, Instant, to_datetime, to_instant


def quiet_until(channel: Channel, view: View) -> Instant | None:
    """Return when the quiet hours of a channel end, or None when a message may go out now."""
    hours = view.rules.settings.hours.get(channel)
    if hours is None:
        return None
    zone = find_zone(view.state, view.rules.settings.timezone)
    local = to_datetime(view.now).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if hours.opens_minute <= minute < hours.closes_minute:
        return None
    return _next_opening(hours, view.now, zone)


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
