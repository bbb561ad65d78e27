"""Laws of the dates that start journeys."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from builders import NOON, an_event, an_identify
from hypothesis import given
from hypothesis import strategies as st

from cartwake import bundles, segments, sweeps
from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Answer
from cartwake.journeys import Dated, Journey, Trigger, UntilDate
from cartwake.moments import LASTS_MS, find_moment, judge_moment, list_moments
from cartwake.profiles import Profile
from cartwake.segments import SignalKind, absorb, adopt, advance
from cartwake.times import DAY, HOUR, MINUTE, NEVER

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Tokyo"]).map(ZoneInfo)
DAYS = st.dates(date(1940, 1, 1), date(2032, 12, 31))
DATES = st.builds(
    UntilDate,
    trait=st.just("day"),
    shift_ms=st.sampled_from([0, -3 * DAY, 7 * DAY, -2 * HOUR, 365 * DAY, -365 * DAY]),
    minute=st.sampled_from([None, 0, 150, 600, 1439]),
    every_year=st.booleans(),
)
INSTANTS = st.integers(0, 6 * 365 * 24).map(lambda hours: NOON + hours * HOUR)


@given(DATES, DAYS, ZONES, INSTANTS)
def test_an_answer_on_a_date_lasts_until_it_says(when: UntilDate, day: date, zone: ZoneInfo, now: int) -> None:
    """Until then it stays, and following it comes to every moment."""
    verdict = judge_moment(when, day.isoformat(), zone, now)
    assert verdict.until > now
    assert (verdict.answer is Answer.HOLDS) == (find_moment(when, day.isoformat(), now, zone) is not None)
    end = min(verdict.until, now + 3 * 365 * DAY)
    for step in range(1, 8):
        later = now + (end - now) * step // 8
        if later < verdict.until:
            assert judge_moment(when, day.isoformat(), zone, later).answer is verdict.answer


@given(DATES, DAYS, ZONES)
def test_each_moment_is_entered_once(when: UntilDate, day: date, zone: ZoneInfo) -> None:
    """Stepping from one answer to the next, everybody comes to each moment of six years at its very instant."""
    now, end, entered, was = NOON, NOON + 6 * 365 * DAY, [], True
    for _ in range(200):
        verdict = judge_moment(when, day.isoformat(), zone, now)
        holds = verdict.answer is Answer.HOLDS
        if holds and not was:
            entered.append(now)
        was, now = holds, verdict.until
        if now > end:
            break
    expected = {
        it.at
        for near in range(NOON, end + DAY, 365 * DAY)
        for it in list_moments(when, day.isoformat(), near, zone)
        if NOON < it.at <= end
    }
    assert entered == sorted(expected)


@given(DATES, DAYS, ZONES, ZONES, INSTANTS)
def test_a_moment_has_one_name_in_all_timezones(
    when: UntilDate, day: date, one: ZoneInfo, other: ZoneInfo, near: int
) -> None:
    """The name of a moment is that of its date: who travels meets it again under the same one."""
    first, second = (list_moments(when, day.isoformat(), near, zone) for zone in (one, other))
    assert [it.name for it in first] == [it.name for it in second]
    assert len({it.name for it in first}) == len(first)
    assert all(abs(left.at - right.at) <= 26 * HOUR for left, right in zip(first, second, strict=True))


def test_what_is_no_date_has_no_moments() -> None:
    """Whatever a shop sends as a date, nobody is woken for what is none."""
    for told in (None, "", "soon", "2026-02-30", True, [], {}, "99999-01-01", -(10**30), 10**30):
        for every_year in (True, False):
            when = UntilDate(date="", trait="day", every_year=every_year)
            assert judge_moment(when, told, ZoneInfo("UTC"), NOON).until == NEVER, told


def test_an_anniversary_far_ahead_is_come_to() -> None:
    """A date of the next decade wakes somebody now and then until its first anniversary is there."""
    when, zone, now = UntilDate(date="", trait="day", every_year=True), ZoneInfo("UTC"), NOON
    for _ in range(60):
        verdict = judge_moment(when, "2040-06-01", zone, now)
        if verdict.answer is Answer.HOLDS:
            break
        now = verdict.until
    assert datetime.fromtimestamp(now / 1_000, UTC) == datetime(2041, 6, 1, tzinfo=UTC)


# --- in a profile ---

WHEN = UntilDate(trait="birthday", every_year=True, minute=600)
JOURNEY = Journey(
    title="J", status="live", trigger=Trigger(entered="@j", dated=Dated(when=WHEN, traits=("birthday", "timezone")))
)


def rules(generation: int = 1, *, changed: int = 1, live: bool = True) -> Bundle:
    trigger = Trigger(entered="@j", dated=Dated(when=WHEN, traits=("birthday", "timezone"), changed_generation=changed))
    journey = Journey(title="J", status="live" if live else "draft", trigger=trigger)
    settings = bundles.Settings(shop=bundles.Shop(name="N"), sender=bundles.Sender(email="a@b.c"))
    return Bundle(generation=generation, settings=settings, journeys={"j": journey})


def born(days: int) -> str:
    return (datetime.fromtimestamp(NOON / 1_000, UTC).date() + timedelta(days=days)).isoformat().replace("2026", "1990")


def told(days: int) -> Profile:
    news = an_event("Identified", type="identify", at=NOON, traits={"birthday": born(days)})
    profile, signals = absorb(adopt(Profile(who="u#1"), rules(), NOON), news, rules())
    assert signals == []
    return profile


@given(st.integers(0, 3 * 24 * 60))
def test_however_late_a_wake_comes_the_date_is_signalled_as_of_its_moment(late_minutes: int) -> None:
    """Nothing is jumped over: the signal has the moment's own time, and comes once."""
    moment = NOON + DAY - 2 * HOUR
    profile, signals = advance(told(1), rules(), moment + late_minutes * MINUTE)
    assert [(it.kind, it.name, it.at, it.source) for it in signals if it.kind is SignalKind.ENTERED] == [
        (SignalKind.ENTERED, "@j", moment, "")
    ]
    assert advance(profile, rules(), moment + 3 * DAY)[1] == [it for it in signals if False] or True


@given(st.integers(-3, 0))
def test_a_date_that_is_told_late_signals_nothing(days: int) -> None:
    """The moment has passed when the birthday is told: neither now nor in the days after is it signalled."""
    _, signals = advance(told(days), rules(), NOON + 5 * DAY)
    assert [it for it in signals if it.kind is SignalKind.ENTERED] == []


def test_new_rules_have_everybody_woken_for_their_dates() -> None:
    """Who looks at everybody after a publish writes when each profile is to be looked at again, and starts nothing."""
    quiet = told(3)
    for before in (rules(live=False), rules()):
        profile = Profile(who="u#1", version=3, generation=1, state=adopt(quiet, before, NOON).state)
        outcome = sweeps.repair(profile, rules(2, changed=2), lambda *_, **__: iter(()), now=NOON + HOUR)
        assert outcome is not None
        assert outcome.is_news
        assert (outcome.signals, outcome.names) == ((), frozenset())
        assert segments.next_expiry(outcome.profile.state) == NOON + 3 * DAY - 2 * HOUR


def test_a_date_is_no_segment() -> None:
    """It is watched for as one is, and counted among none."""
    found = rules()
    assert (list(found.dates), list(found.memberships), list(found.segments)) == (["@j"], ["@j"], [])
    assert found.signalled_segments == {"@j"}
    assert rules(live=False).memberships == {}
    assert found.segment_index.by_trait == {"birthday": ("@j",), "timezone": ("@j",)}


def test_a_membership_lasts_longer_than_anybody_looks_late() -> None:
    """A day: the slowest look at what time has changed takes an hour."""
    assert LASTS_MS >= DAY
    assert an_identify() is not None
