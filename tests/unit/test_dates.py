"""Dates: ages, anniversaries and dates seen from now, by the shopper's own calendar, to the millisecond."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import reference
from builders import NOON, a_bundle, an_event
from hypothesis import assume, given, note
from hypothesis import strategies as st

from cartwake.conditions.kinds import Age, Anniversary, Answer, BoundOp, Condition, Moment, Verdict
from cartwake.profiles import State, fold
from cartwake.segments import View, check
from cartwake.times import DAY, HOUR, MINUTE, NEVER, SECOND, parse_instant, read_instant, to_datetime

RULES = a_bundle(segments={}, needs={}, journeys={})
ZONES = (
    "UTC", "Europe/Warsaw", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "America/Havana", "Atlantic/Azores",
    "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati", "America/Los_Angeles",
)  # fmt: skip
"""In some of them clocks are changed at midnight; in one a whole day was left out."""
BOUND_OPS = st.sampled_from(["more_than", "less_than", "at_least", "at_most"])


def ask(condition: Condition, value: Any, now: int, zone: str = "UTC") -> Verdict:
    event = an_event("Identified", at=NOON, traits={"day": value, "timezone": zone})
    return check(condition, View(fold(State(), event, {}), RULES, now))


def holds(condition: Condition, value: Any, now: int, zone: str = "UTC") -> bool:
    return ask(condition, value, now, zone).answer is Answer.HOLDS


def check_at(condition: Condition, value: Any, now: int, zone: str) -> None:
    """See that an answer is the reference's now, until it expires, and no longer."""
    event = an_event("Identified", at=NOON, traits={"day": value, "timezone": zone})
    view, later = View(fold(State(), event, {}), RULES, now), 10_000 * DAY
    note(f"{condition} {value} {zone} {to_datetime(now)}")
    verdict = check(condition, view)
    assert verdict.until > now
    end = min(verdict.until, now + later)
    for at in (now, *(at for at in (now + HOUR, now + DAY, now + 366 * DAY) if at < end), end - 1):
        assert reference.holds(condition, reference.Past((event,), RULES, at)) == (verdict.answer is Answer.HOLDS)
    if verdict.until < NEVER:
        after = View(view.state, RULES, verdict.until)
        assert check(condition, after).answer is not verdict.answer


SHIFTS = st.one_of(st.integers(-4, 4), st.sampled_from([-181, -180, -179, -7, 7, 8, 179, 180, 181]))


@st.composite
def days_near(draw: st.DrawFn) -> tuple[str, int]:
    """A date, and an instant about an anniversary of it."""
    born = draw(
        st.one_of(st.dates(date(1925, 1, 1), date(2035, 1, 1)), st.sampled_from([date(2000, 2, 29), date(2004, 3, 1)]))
    )
    year = draw(st.integers(max(born.year - 2, 1971), 2037))
    day = date(year, born.month, min(born.day, 28)) + timedelta(days=draw(SHIFTS))
    now = parse_instant(f"{day}T00:00:00Z") + draw(st.integers(-14, 38)) * HOUR // 2 + draw(st.integers(-1, 1))
    return draw(st.sampled_from([str(born), f"--{born:%m-%d}", f"{born:%m-%d}"])), now


ANNIVERSARIES = st.one_of(
    st.just(Anniversary(trait="day")),
    st.builds(Anniversary, trait=st.just("day"), next_days=st.sampled_from([1, 3, 180])),
    st.builds(Anniversary, trait=st.just("day"), last_days=st.sampled_from([1, 7, 180])),
)
AGES = st.builds(Age, trait=st.just("day"), op=BOUND_OPS, years=st.integers(0, 100))


@given(ANNIVERSARIES, days_near(), st.sampled_from(ZONES))
def test_anniversaries_are_those_of_the_calendar(condition: Condition, near: tuple[str, int], zone: str) -> None:
    """An anniversary lies behind or ahead by so many days of the shopper's own calendar, to the millisecond."""
    check_at(condition, *near, zone)
    value, now = near
    next_at = ask(condition, value, now, zone).until
    assert next_at < now + 400 * DAY or value[:4] >= str(to_datetime(now).year - 1)


@given(AGES, days_near(), st.sampled_from(ZONES), st.integers(-1, 1))
def test_ages_are_those_of_the_calendar(condition: Age, near: tuple[str, int], zone: str, more: int) -> None:
    """Full years by the shopper's own calendar, to the millisecond."""
    value, now = near
    if len(value) == len("2000-02-29"):
        age = to_datetime(now).year - int(value[:4])
        condition = Age(trait="day", op=condition.op, years=max(0, age + more))
    check_at(condition, value, now, zone)


@given(
    st.integers(0, 40),
    st.integers(0, 60),
    st.sampled_from([{"within_ms": 1}, {"within_ms": 9}, {"ahead_ms": 1}, {"ahead_ms": 9}, {"before_ms": 9}]),
    st.sampled_from(["text", "number"]),
)
def test_dates_seen_from_now(at: int, now: int, window: dict[str, int], form: str) -> None:
    """In the last, in the next, longer ago than: half-open, to the millisecond."""
    value = to_datetime(NOON + at).isoformat() if form == "text" else NOON + at
    for later in range(now, 60):
        check_at(Moment(name="day", **window), value, NOON + later, "UTC")


ANYTHING = st.one_of(
    st.text(max_size=12), st.integers(-(2**63), 2**63), st.floats(), st.none(), st.booleans(), st.just(["2026-11-21"])
)


@given(ANYTHING)
def test_what_is_no_date_fails(value: Any) -> None:
    """No value, whatever it is, does any harm; and what is no date fails for ever."""
    zone = ZoneInfo("Pacific/Kiritimati")
    for condition in (Age(trait="day", op="at_least", years=1), Anniversary(trait="day", next_days=3)):
        verdict = ask(condition, value, NOON, "Pacific/Kiritimati")
        assert verdict.until > NOON
    assume(read_instant(value, zone) is None)
    for window in ({"within_ms": DAY}, {"ahead_ms": DAY}, {"before_ms": DAY}):
        assert ask(Moment(name="day", **window), value, NOON) == Verdict(Answer.FAILS)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-11-21T12:00:00Z", NOON),
        ("2026-11-21T13:00:00+01:00", NOON),
        (" 2026-11-21T12:00:00.000Z ", NOON),
        ("2026-11-21T13:00:00", NOON),
        ("2026-11-21", NOON - 13 * HOUR),
        ("20261121", NOON - 13 * HOUR),
        (NOON, NOON),
        (NOON // SECOND, NOON),
        (NOON / SECOND + 0.5, NOON + 500),
        (10**11, 10**11),
        (10**11 - 1, (10**11 - 1) * SECOND),
        (True, None),
        ("", None),
        ("tomorrow", None),
        ("2026-02-30", None),
        (float("nan"), None),
        (float("inf"), None),
        (2**63, None),
        (["2026-11-21"], None),
    ],
)
def test_how_dates_are_written(value: Any, instant: int | None) -> None:
    """ISO 8601, or seconds or milliseconds since 1970; what has no zone is the shopper's own."""
    assert read_instant(value, ZoneInfo("Europe/Warsaw")) == instant


@pytest.mark.parametrize(
    ("year", "day"), [(2024, "02-29"), (2026, "02-28"), (2028, "02-29"), (2100, "02-28"), (2000, "02-29")]
)
@pytest.mark.parametrize("value", ["1996-02-29", "--02-29", "02-29"])
def test_the_anniversary_of_a_leap_day(year: int, day: str, value: str) -> None:
    """It is on the last day of February: a greeting never comes too late."""
    today = parse_instant(f"{year}-{day}T00:00:00Z")
    condition = Anniversary(trait="day")
    assert not holds(condition, value, today - 1)
    assert ask(condition, value, today) == Verdict(Answer.HOLDS, today + DAY)
    assert not holds(condition, value, today + DAY)


@pytest.mark.parametrize(("year", "day"), [(2014, "03-01"), (2016, "02-29"), (2017, "03-01")])
def test_the_age_of_who_was_born_on_a_leap_day(year: int, day: str) -> None:
    """A year older on 1 March where there is no such day: of age never too early."""
    today = parse_instant(f"{year}-{day}T00:00:00Z")
    condition = Age(trait="day", op="at_least", years=year - 1996)
    assert ask(condition, "1996-02-29", today - 1) == Verdict(Answer.FAILS, today)
    assert ask(condition, "1996-02-29", today) == Verdict(Answer.HOLDS)


@pytest.mark.parametrize("op", ["less_than", "at_most", "at_least", "more_than"])
def test_who_is_not_born_yet_has_no_age(op: BoundOp) -> None:
    """A birthday that lies ahead is no age, however it is compared, until that day comes."""
    born = parse_instant("2031-06-01T00:00:00Z")
    verdict = ask(Age(trait="day", op=op, years=30), "2031-06-01", NOON)
    assert verdict.answer is Answer.FAILS
    assert holds(Age(trait="day", op=op, years=30), "2031-06-01", born) == (op in ("less_than", "at_most"))
    if op in ("less_than", "at_most"):
        assert verdict.until == born


@pytest.mark.parametrize(
    ("value", "begins"),
    [
        ("1990-11-21T00:00:00Z", "2026-11-21T05:00:00Z"),
        ("1990-11-21T00:00:00.000Z", "2026-11-21T05:00:00Z"),
        ("1990-11-21T00:00:00+00:00", "2026-11-21T05:00:00Z"),
        ("1990-11-21T00:00:01Z", "2026-11-20T05:00:00Z"),
        ("1990-11-21T00:00:00", "2026-11-21T05:00:00Z"),
    ],
)
def test_a_birthday_written_as_midnight_in_utc_is_that_day(value: str, begins: str) -> None:
    """Whoever keeps days as instants writes midnight in UTC: it is that day of the calendar, wherever one lives."""
    at = parse_instant(begins)
    for condition in (Anniversary(trait="day"), Age(trait="day", op="at_least", years=36)):
        assert not holds(condition, value, at - 1, "America/New_York")
        assert holds(condition, value, at, "America/New_York")


def test_the_day_itself_is_no_anniversary() -> None:
    """Who was born today has no birthday yet; where no year is told there is one every year."""
    today = parse_instant("2026-05-17T10:00:00Z")
    condition = Anniversary(trait="day", next_days=3)
    assert not holds(condition, "2026-05-17", today)
    assert holds(condition, "2025-05-17", today)
    assert holds(condition, "--05-17", today)


def test_an_anniversary_of_a_day_to_come() -> None:
    """Of a day that lies years ahead the first anniversary is found in time."""
    today = parse_instant("2026-05-17T10:00:00Z")
    verdict = ask(Anniversary(trait="day"), "2031-06-01", today)
    assert verdict == Verdict(Answer.FAILS, parse_instant("2032-06-01T00:00:00Z"))
    assert ask(Anniversary(trait="day"), "9998-06-01", today).answer is Answer.FAILS
    assert ask(Anniversary(trait="day"), "9999-12-31", today).answer is Answer.FAILS


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        # clocks were put forward at midnight: the day began at one
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
        # and back at midnight, to eleven of the day before: it has 25 hours
        ("America/Sao_Paulo", "2019-02-16", "2019-02-16T02:00:00Z", "2019-02-17T03:00:00Z"),
        ("America/Sao_Paulo", "2026-11-01", "2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"),
        ("Asia/Beirut", "2026-10-24", "2026-10-23T21:00:00Z", "2026-10-24T22:00:00Z"),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
    ],
)
def test_a_day_where_clocks_are_changed_at_midnight(zone: str, day: str, begins: str, ends: str) -> None:
    """A day begins with its first instant by the shopper's clock, and lasts until the next one does."""
    first, last = parse_instant(begins), parse_instant(ends)
    condition = Anniversary(trait="day")
    assert ask(condition, f"--{day[5:]}", first - 1, zone) == Verdict(Answer.FAILS, first)
    assert ask(condition, f"--{day[5:]}", first, zone) == Verdict(Answer.HOLDS, last)
    age = Age(trait="day", op="at_least", years=int(day[:4]) - 2000)
    assert ask(age, f"2000{day[4:]}", first - 1, zone) == Verdict(Answer.FAILS, first)


def test_a_birthday_told_with_its_hour_is_the_day_of_the_shoppers_clock() -> None:
    """A date is that day wherever the shopper is; an instant is the day on which it was there."""
    today, condition = parse_instant("2026-05-17T12:00:00Z"), Anniversary(trait="day")
    assert holds(condition, "1990-05-17", today, "America/Los_Angeles")
    assert holds(condition, "1990-05-17T12:00:00Z", today, "America/Los_Angeles")
    assert not holds(condition, "1990-05-17T02:00:00Z", today, "America/Los_Angeles")


def test_the_shops_timezone_where_the_shopper_has_none() -> None:
    """Without a timezone of the shopper's, or with one that there is not, the shop's clock counts."""
    rules = a_bundle(segments={}, needs={}, journeys={})
    today = parse_instant("2026-05-17T23:30:00Z")
    for zone, expected in (("", False), ("Nowhere/At", False), ("Europe/Warsaw", True), ("../UTC", False)):
        event = an_event("Identified", traits={"day": "05-18", "timezone": zone})
        view = View(fold(State(), event, {}), rules, today)
        assert (check(Anniversary(trait="day"), view).answer is Answer.HOLDS) is expected


def test_half_open_dates() -> None:
    """What is to come in the next day is so from a day before, to the millisecond, and is over when it is there."""
    ahead, behind = Moment(name="day", ahead_ms=DAY), Moment(name="day", within_ms=DAY)
    assert ask(ahead, NOON, NOON - DAY - 1) == Verdict(Answer.FAILS, NOON - DAY)
    assert ask(ahead, NOON, NOON - DAY) == Verdict(Answer.HOLDS, NOON)
    assert ask(ahead, NOON, NOON) == Verdict(Answer.FAILS)
    assert ask(behind, NOON, NOON - 1) == Verdict(Answer.FAILS, NOON)
    assert ask(behind, NOON, NOON) == Verdict(Answer.HOLDS, NOON + DAY)
    assert ask(behind, NOON, NOON + DAY) == Verdict(Answer.FAILS)
    assert ask(Moment(name="day", before_ms=MINUTE), NOON, NOON) == Verdict(Answer.FAILS, NOON + MINUTE)
    assert ask(Moment(name="day", before_ms=MINUTE), NOON, NOON + MINUTE) == Verdict(Answer.HOLDS)
