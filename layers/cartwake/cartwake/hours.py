"""Hours: when a message may go out, by the shopper's own clock."""

from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cartwake.bundles import QuietHours, Settings
from cartwake.profiles import Channel, State
from cartwake.segments import View
from cartwake.times import DAY, Instant, to_datetime, to_instant


def quiet_until(channel: Channel, view: View) -> Instant | None:
    """Return when the quiet hours of a channel end, or None when a message may go out now."""
    hours = view.rules.settings.hours.get(channel)
    if hours is None:
        return None
    zone = find_zone(view.state, view.rules.settings)
    local = to_datetime(view.now).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if hours.opens_minute <= minute < hours.closes_minute:
        return None
    return _next_opening(hours, view.now, zone)


def find_zone(state: State, settings: Settings) -> ZoneInfo:
    """Return the profile's timezone, else the shop's."""
    register = state.traits.get("timezone")
    for name in (register.value if register else None, settings.timezone):
        if isinstance(name, str):
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return ZoneInfo("UTC")


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
