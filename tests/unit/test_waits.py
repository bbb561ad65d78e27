"""Rules of waits: when one is over, by the shopper's own clock and calendar."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from builders import NOON, a_bundle, an_event
from hypothesis import given
from hypothesis import strategies as st

from cartwake.journeys import UntilClock, UntilDate, Wait
from cartwake.profiles import Register, State
from cartwake.segments import View
from cartwake.times import DAY, HOUR, MINUTE, format_instant, parse_instant, to_datetime
from cartwake.waits import LONGEST_WAIT, end_at_clock, end_at_date, end_wait

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe", "UTC")


def view(zone: str | None = None, **traits: object) -> View:
    """A shopper of a shop in Berlin."""
    settings = msgspec.structs.replace(a_bundle().settings, timezone="Europe/Berlin")
    told = traits | ({"timezone": zone} if zone else {})
    registers = {name: Register(value, NOON, 1) for name, value in told.items()}
    return View(State(traits=registers), a_bundle(settings=settings), NOON)


def clock(words: str, *days: int) -> UntilClock:
    hours, minutes = words.split(":")
    return UntilClock(minute=int(hours) * 60 + int(minutes), days=days)


@pytest.mark.parametrize(
    ("wait", "began", "zone", "ends"),
    [
        (clock("09:00"), "2026-11-20T07:00:00Z", None, "2026-11-20T08:00:00Z"),
        (clock("09:00"), "2026-11-20T08:00:00Z", None, "2026-11-20T08:00:00Z"),
        (clock("09:00"), "2026-11-20T08:00:00.001Z", None, "2026-11-21T08:00:00Z"),
        (clock("09:00"), "2026-11-20T08:00:00.001Z", "America/New_York", "2026-11-20T14:00:00Z"),
        (clock("09:00"), "2026-11-20T12:00:00Z", "Nowhere/Land", "2026-11-21T08:00:00Z"),
        # a Friday: Saturday and Sunday, then Monday
        (clock("09:00", 5, 6), "2026-11-20T12:00:00Z", None, "2026-11-21T08:00:00Z"),
        (clock("09:00", 0), "2026-11-20T12:00:00Z", None, "2026-11-23T08:00:00Z"),
        (clock("09:00", 4), "2026-11-20T12:00:00Z", None, "2026-11-27T08:00:00Z"),
        # where it is Saturday already
        (clock("09:00", 5), "2026-11-20T18:00:00Z", "Pacific/Auckland", "2026-11-20T20:00:00Z"),
        # 02:30 is skipped: as much later as the clocks are put forward
        (clock("02:30"), "2026-03-28T12:00:00Z", None, "2026-03-29T01:30:00Z"),
        # 02:30 comes twice: the first time; after it, the next day
        (clock("02:30"), "2026-10-24T12:00:00Z", None, "2026-10-25T00:30:00Z"),
        (clock("02:30"), "2026-10-25T00:30:00.001Z", None, "2026-10-26T01:30:00Z"),
        # the night before the clocks change
        (clock("09:00"), "2026-03-28T20:00:00Z", None, "2026-03-29T07:00:00Z"),
        (clock("09:00"), "2028-02-28T20:00:00Z", None, "2028-02-29T08:00:00Z"),
    ],
)
def test_a_wait_that_names_a_time_of_day_is_local_time(
    wait: UntilClock, began: str, zone: str | None, ends: str
) -> None:
    """The next such time by the shopper's clock, else the shop's; also across changes of clocks and leap days."""
    assert format_instant(end_at_clock(wait, parse_instant(began), view(zone))) == format_instant(parse_instant(ends))


def test_an_elapsed_day_has_24_hours() -> None:
    """A wait that names no time of day is elapsed time, also where the clocks change."""
    began = parse_instant("2026-03-28T12:00:00Z")
    assert end_wait(Wait(for_ms=DAY), began, State()) == parse_instant("2026-03-29T12:00:00Z")


BEGAN = "2026-11-20T12:00:00Z"


@pytest.mark.parametrize(
    ("wait", "value", "ends"),
    [
        (UntilDate(date="2026-12-31"), None, "2026-12-30T23:00:00Z"),
        (UntilDate(date="2026-12-31T10:00"), None, "2026-12-31T09:00:00Z"),
        (UntilDate(date="2026-12-31T10:00:00Z"), None, "2026-12-31T10:00:00Z"),
        (UntilDate(date="2026-11-20"), None, None),
        (UntilDate(date="2027-11-20"), None, "2027-11-19T23:00:00Z"),
        (UntilDate(date="2027-11-21"), None, None),
        (UntilDate(date="12-31", minute=600, every_year=True), None, "2026-12-31T09:00:00Z"),
        (UntilDate(date="11-20", minute=779, every_year=True), None, "2027-11-20T11:59:00Z"),
        (UntilDate(date="11-20", minute=780, every_year=True), None, "2026-11-20T12:00:00Z"),
        (UntilDate(date="02-29", every_year=True), None, "2027-02-27T23:00:00Z"),
        (UntilDate(trait="due"), "2027-03-01", "2027-02-28T23:00:00Z"),
        # some software writes a day as its midnight in UTC
        (UntilDate(trait="due"), "2027-03-01T00:00:00Z", "2027-02-28T23:00:00Z"),
        (UntilDate(trait="due"), "2027-03-01T08:30:00Z", "2027-03-01T08:30:00Z"),
        (UntilDate(trait="due", minute=600), "2027-03-01T08:30:00Z", "2027-03-01T09:00:00Z"),
        (UntilDate(trait="due", shift_ms=-3 * DAY, minute=600), "2027-03-01", "2027-02-26T09:00:00Z"),
        # days are those of the calendar: a change of clocks lies between
        (UntilDate(trait="due", shift_ms=-3 * DAY, minute=600), "2027-03-30", "2027-03-27T09:00:00Z"),
        (UntilDate(trait="due", shift_ms=3 * DAY, minute=600), "2027-03-27", "2027-03-30T08:00:00Z"),
        (UntilDate(trait="due", shift_ms=-90 * MINUTE), "2027-03-01T08:30:00Z", "2027-03-01T07:00:00Z"),
        (UntilDate(trait="due"), "2026-11-01", None),
        (UntilDate(trait="due"), "soon", None),
        (UntilDate(trait="due"), None, None),
        (UntilDate(trait="due"), True, None),
        (UntilDate(trait="due"), 1e300, None),
        (UntilDate(trait="due", every_year=True, minute=540), "1990-12-24", "2026-12-24T08:00:00Z"),
        (UntilDate(trait="due", every_year=True), "1990-11-20", "2027-11-19T23:00:00Z"),
        (UntilDate(trait="due", every_year=True, shift_ms=-7 * DAY), "11-25", "2027-11-17T23:00:00Z"),
        # no such day in 2027: the day before
        (UntilDate(trait="due", every_year=True), "2000-02-29", "2027-02-27T23:00:00Z"),
    ],
)
def test_a_date_is_one_of_the_shoppers_calendar(wait: UntilDate, value: object, ends: str | None) -> None:
    """A day begins at its midnight; what is over, over a year ahead, or no date at all is no wait."""
    traits = {"due": value} if value is not None else {}
    found = end_at_date(wait, parse_instant(BEGAN), view(**traits))
    assert (found and format_instant(found)) == (ends and format_instant(parse_instant(ends)))


def test_the_next_year_may_have_366_days() -> None:
    """A day of the year that has just gone by comes again, also where a leap day lies between."""
    began = parse_instant("2027-12-31T09:00:00.001Z")
    for wait in (
        UntilDate(date="12-31", minute=600, every_year=True),
        UntilDate(trait="due", minute=600, every_year=True),
    ):
        assert end_at_date(wait, began, view(due="1990-12-31")) == parse_instant("2028-12-31T09:00:00Z")


def test_a_date_may_be_one_of_the_triggering_event() -> None:
    """A property of the event counts, whatever trait there is of its name; without it there is no date."""
    wait = UntilDate(told="product.available_at", minute=600)
    told = an_event(properties={"product": {"available_at": "2026-12-24"}})
    traits = view(product={"available_at": "2027-01-01"})
    assert end_at_date(wait, parse_instant(BEGAN), traits, told) == parse_instant("2026-12-24T09:00:00Z")
    assert end_at_date(wait, parse_instant(BEGAN), traits, an_event()) is None
    assert end_at_date(wait, parse_instant(BEGAN), traits) is None


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.integers(0, 1439), st.sets(st.integers(0, 6)), st.sampled_from(ZONES))
def test_a_waits_end_is_never_in_the_past(began: datetime, minute: int, days: set[int], zone: str) -> None:
    """Whatever the clock, the end is at or after the beginning, at most 8 days ahead, and at the time that is said."""
    at = int(began.timestamp() * 1000)
    end = end_at_clock(UntilClock(minute=minute, days=tuple(sorted(days))), at, view(zone))
    assert at <= end <= at + 9 * DAY
    local = to_datetime(end).astimezone(ZoneInfo(zone))
    shown = local.hour * 60 + local.minute
    forward = local.utcoffset() != (local - timedelta(hours=3)).utcoffset()
    assert shown == minute or (forward and 0 < shown - minute <= 60)
    assert not days or local.weekday() in days


@given(MOMENTS, st.dates(), st.integers(-400, 400), st.booleans(), st.none() | st.integers(0, 1439))
def test_a_date_is_at_most_a_year_ahead(
    began: datetime, day: object, days: int, every_year: bool, minute: int | None
) -> None:
    """Either there is no such wait, or its end lies ahead, and not further than the longest wait."""
    at = int(began.timestamp() * 1000)
    wait = UntilDate(trait="due", shift_ms=days * DAY + HOUR, minute=minute, every_year=every_year)
    end = end_at_date(wait, at, view("America/New_York", due=str(day)))
    assert end is None or at <= end <= at + LONGEST_WAIT + DAY * every_year


@pytest.mark.parametrize("date", ["2026-03-29T08:00:00Z", "2026-10-25T09:00:00Z", "2026-10-25T01:30:00Z"])
@pytest.mark.parametrize("shift", [-HOUR, -30 * MINUTE, 0, MINUTE])
def test_hours_before_a_date_are_elapsed_time(date: str, shift: int) -> None:
    """Where clocks change on that day, half an hour before is half an hour before."""
    wait = UntilDate(trait="d", shift_ms=shift)
    assert end_at_date(wait, parse_instant("2026-03-20T00:00:00Z"), view(d=date)) == parse_instant(date) + shift
