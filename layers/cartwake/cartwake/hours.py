"""Hours: when a message may go out, by the shopper's own clock, or by all that it may be."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cartwake.addresses import find_country, normalise
from cartwake.bundles import QuietHours
from cartwake.knowledge import find_own_zone, find_zone, know
from cartwake.profiles import State
from cartwake.segments import View
from cartwake.statements import Channel
from cartwake.times import DAY, MINUTE, Instant, to_datetime, to_instant
from cartwake.zones import list_zones

SPREAD_MS: Final = 10 * MINUTE
"""What was held goes out within this time after the hours open, and not all at once."""
_DAYTIME: Final = QuietHours(opens_minute=9 * 60, closes_minute=20 * 60)
"""The hours of a country whose clocks share too little of the shop's: even those of Russia share one of these."""
_ENOUGH_MINUTES: Final = 60
_RINGING: Final = (Channel.SMS, Channel.PUSH)
"""These wake somebody up: where their own timezone is not known, it may be any of their country."""


def quiet_until(channel: Channel, view: View) -> Instant | None:
    """Return when a shopper's message may go out, or None when that is now: each has a place of their own in the rush.

    A place is a share of the first minutes after the hours open, and of at most half of the hours.
    """
    told = view.rules.settings.hours.get(channel)
    if told is None:
        return None
    hours, zones = _find_clocks(channel, view, told)
    if _is_open(hours, view.now, zones):
        return None
    spread = min(SPREAD_MS, (hours.closes_minute - hours.opens_minute) * MINUTE // 2)
    return _next_opening(hours, view.now, zones) + view.state.lot % spread


def begin_tomorrow(now: Instant, zone: str) -> tuple[str, Instant]:
    """Return the day that it is in a timezone, and the instant at which the next one begins."""
    local = to_datetime(now).astimezone(ZoneInfo(zone))
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
    return local.date().isoformat(), to_instant(midnight)


def _find_clocks(channel: Channel, view: View, hours: QuietHours) -> tuple[QuietHours, tuple[ZoneInfo, ...]]:
    """Return the hours, and the clocks that must all show them: the shopper's own, their country's, or the shop's."""
    if channel in _RINGING and find_own_zone(view.state) is None:
        for country in _list_countries(channel, view.state):
            zones = list_zones(country)
            for each in (hours, _DAYTIME):
                if zones and _have_enough(each, zones, view.now):
                    return each, zones
    return hours, (find_zone(view.state, view.rules.settings.timezone),)


def _list_countries(channel: Channel, state: State) -> Iterator[str]:
    """Yield where the shopper may be: an SMS goes to the country of its number, a device to the one that was told."""
    if channel is Channel.SMS:
        yield _find_country(state)
    yield know(state, "country") or ""
    if channel is not Channel.SMS:
        yield _find_country(state)


def _find_country(state: State) -> str:
    contact, country = state.contacts.get(Channel.SMS), state.country.value if state.country else None
    number = normalise(Channel.SMS, contact.value, country=country) if contact else None
    return find_country(number) if number else ""


def _have_enough(hours: QuietHours, zones: tuple[ZoneInfo, ...], now: Instant) -> bool:
    """Say whether clocks show some of the hours at the same time: an hour, or all of them where they are shorter."""
    length = hours.closes_minute - hours.opens_minute
    offsets = [to_datetime(now).astimezone(zone).utcoffset() or timedelta() for zone in zones]
    return length - (max(offsets) - min(offsets)) // timedelta(minutes=1) >= min(length, _ENOUGH_MINUTES)


def _is_open(hours: QuietHours, at: Instant, zones: tuple[ZoneInfo, ...]) -> bool:
    """Say whether all clocks show one of the hours."""
    return all(hours.opens_minute <= _read_minute(at, zone) < hours.closes_minute for zone in zones)


def _read_minute(at: Instant, zone: ZoneInfo) -> int:
    local = to_datetime(at).astimezone(zone)
    return local.hour * 60 + local.minute


def _next_opening(hours: QuietHours, now: Instant, zones: tuple[ZoneInfo, ...]) -> Instant:
    """Return the next instant at which the hours have opened on all clocks."""
    openings = sorted(opening for zone in zones for opening in _list_openings(hours, now, zone))
    return next((each for each in openings if each > now and _is_open(hours, each, zones)), now + DAY)


def _list_openings(hours: QuietHours, now: Instant, zone: ZoneInfo) -> Iterator[Instant]:
    """Yield when the hours open today, and on the days to come."""
    local = to_datetime(now).astimezone(zone)
    for days in range(3):
        day = (local + timedelta(days=days)).date()
        opening = time(hours.opens_minute // 60, hours.opens_minute % 60)
        yield to_instant(datetime.combine(day, opening, tzinfo=zone))
