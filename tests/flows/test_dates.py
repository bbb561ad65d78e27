"""Journeys that a date starts: birthdays and renewals, through the real handlers."""

from datetime import UTC
from typing import Any

import pytest
from builders import an_event
from marketer import list_ends, list_runs, save_all
from shoppers import Shop

from cartwake.events import Trust
from cartwake.live import load_live
from cartwake.reasons import NotEntered
from cartwake.store import slots
from cartwake.times import DAY, HOUR, MINUTE, Instant, read_instant

MAIL = {"steps": [{"email": "one"}]}
RENEWAL: dict[str, Any] = {"name": "Renewal", "trigger": {"date_in": "renews_at", "before": "3 days", "at": "10:00"}}
BIRTHDAY: dict[str, Any] = {"trigger": {"date_in": "birthday", "every_year": True, "at": "09:00"}}


@pytest.fixture
def shopper(shop: Shop) -> Shop:
    """Ada is known, and it is 22 November 2026, at noon in UTC."""
    shop.known()
    return shop


def at(text: str) -> Instant:
    found = read_instant(text, UTC)
    assert found is not None
    return found


def tell(shop: Shop, **traits: Any) -> None:
    """Tell something of Ada."""
    shop.now += 1
    event = an_event("Identified", at=shop.now, type="identify", id=f"i-{traits}", traits=traits)
    shop.hear(event)


def go_to(shop: Shop, text: str) -> None:
    """Let time pass until an instant, and have what is due be looked at."""
    shop.wait(at(text) - shop.now)


def save_date(journey: dict[str, Any], **more: Any) -> None:
    """Have a journey go live without a word of `again`."""
    save_all({"j": journey | MAIL | more})


def test_a_date_starts_a_run_some_time_before_it(shopper: Shop) -> None:
    """Three days before, at ten by the shop's clock, and not a minute sooner."""
    save_date(RENEWAL)
    tell(shopper, renews_at="2026-12-01")
    go_to(shopper, "2026-11-28T08:59:00Z")
    assert list_runs() == []
    go_to(shopper, "2026-11-28T09:01:00Z")
    (run,) = list_runs()
    assert run.entered_at == at("2026-11-28T09:00:00Z")
    assert shopper.subjects()[-1] == "one"


@pytest.mark.parametrize(
    ("trigger", "value", "comes"),
    [
        ({"after": "7 days", "at": "10:00"}, "2026-11-20", "2026-11-27T09:00:00Z"),
        ({}, "2026-12-01T15:30:00+01:00", "2026-12-01T14:30:00Z"),
        ({"before": "2 hours"}, "2026-12-01T15:30:00+01:00", "2026-12-01T12:30:00Z"),
        ({}, "2026-12-01", "2026-11-30T23:00:00Z"),
        ({"every_year": True, "at": "09:00"}, "1990-12-24", "2026-12-24T08:00:00Z"),
        ({"every_year": True, "at": "09:00"}, "12-24", "2026-12-24T08:00:00Z"),
        ({"every_year": True, "before": "3 days", "at": "09:00"}, "1990-01-02", "2026-12-30T08:00:00Z"),
    ],
)
def test_a_date_is_read_as_it_is_told(shopper: Shop, trigger: Any, value: str, comes: str) -> None:
    """Before or after, at a time or at its own, once or every year."""
    save_date({"trigger": {"date_in": "day"} | trigger})
    tell(shopper, day=value)
    shopper.wait(at(comes) - MINUTE - shopper.now)
    assert list_runs() == []
    shopper.wait(2 * MINUTE)
    assert [run.entered_at for run in list_runs()] == [at(comes)]


def test_a_date_whose_moment_has_passed_starts_nothing(shopper: Shop) -> None:
    """Who tells a birthday of this morning, or a renewal of tomorrow, is not written to afterwards."""
    save_date(RENEWAL)
    for day in ("2026-11-23", "2026-11-24", "2026-11-25"):
        tell(shopper, renews_at=day)
        shopper.wait(HOUR)
    shopper.wait(5 * DAY)
    assert list_runs() == []


def test_a_date_that_is_moved_counts_as_moved(shopper: Shop) -> None:
    """Moved before its moment it comes at the new one alone; moved after it, it comes once more."""
    save_date(RENEWAL)
    tell(shopper, renews_at="2026-12-01")
    tell(shopper, renews_at="2026-12-05")
    go_to(shopper, "2026-12-02T08:00:00Z")
    assert list_runs() == []
    go_to(shopper, "2026-12-02T09:01:00Z")
    tell(shopper, renews_at="2026-12-06")
    go_to(shopper, "2026-12-03T09:01:00Z")
    assert [run.entered_at for run in list_runs()] == [at("2026-12-02T09:00:00Z"), at("2026-12-03T09:00:00Z")]


def test_a_date_that_is_taken_back_starts_nothing(shopper: Shop) -> None:
    """No date, no run."""
    save_date(RENEWAL)
    tell(shopper, renews_at="2026-12-01")
    tell(shopper, renews_at="")
    shopper.wait(10 * DAY)
    assert list_runs() == []


def test_a_date_that_is_told_again_changes_nothing(shopper: Shop) -> None:
    """Every call to identify tells it once more: before, at, and after its moment."""
    save_date(RENEWAL)
    for _ in range(12):
        tell(shopper, renews_at="2026-11-28")
        shopper.wait(8 * HOUR)
    shopper.wait(5 * DAY)
    assert [run.entered_at for run in list_runs()] == [at("2026-11-25T09:00:00Z")]


def test_a_birthday_comes_every_year(shopper: Shop) -> None:
    """One run a year, each on its own day, with nothing said about `again`."""
    save_date(BIRTHDAY)
    tell(shopper, birthday="1990-12-24")
    for year in (2026, 2027, 2028):
        go_to(shopper, f"{year}-12-24T12:00:00Z")
    assert [run.entered_at for run in list_runs()] == [at(f"{year}-12-24T08:00:00Z") for year in (2026, 2027, 2028)]


def test_a_leap_day_is_kept_on_the_day_before(shopper: Shop) -> None:
    """Who was born on 29 February is greeted on the 28th, and in a leap year on the 29th."""
    save_date(BIRTHDAY)
    tell(shopper, birthday="1992-02-29")
    for day in ("2027-02-28", "2028-02-28", "2028-02-29", "2028-03-01"):
        go_to(shopper, f"{day}T12:00:00Z")
    assert [run.entered_at for run in list_runs()] == [at("2027-02-28T08:00:00Z"), at("2028-02-29T08:00:00Z")]


def test_a_date_is_that_of_the_shoppers_timezone(shopper: Shop) -> None:
    """Nine in the morning is nine where the shopper is."""
    save_date(BIRTHDAY)
    tell(shopper, birthday="1990-12-24", timezone="America/New_York")
    go_to(shopper, "2026-12-24T13:59:00Z")
    assert list_runs() == []
    go_to(shopper, "2026-12-24T14:01:00Z")
    assert len(list_runs()) == 1


def test_a_date_comes_once_though_the_shopper_travels(shopper: Shop) -> None:
    """On a flight to the west the birthday's morning comes twice; the run does not."""
    save_date(BIRTHDAY)
    tell(shopper, birthday="1990-12-24", timezone="Asia/Tokyo")
    go_to(shopper, "2026-12-24T03:00:00Z")
    assert list_ends() == {"": "completed"}
    tell(shopper, timezone="America/Los_Angeles")
    go_to(shopper, "2026-12-25T00:00:00Z")
    assert len(list_runs()) == 1


def test_a_timezone_that_brings_a_date_forward_loses_nobody(shopper: Shop) -> None:
    """Who turns out to live in the east, where it is noon already, is greeted now: the date itself is not news."""
    save_date(BIRTHDAY)
    tell(shopper, birthday="1990-12-24")
    go_to(shopper, "2026-12-24T04:00:00Z")
    assert list_runs() == []
    tell(shopper, timezone="Asia/Tokyo")
    (run,) = list_runs()
    assert (run.trigger, run.entered_at) == (None, shopper.now)
    go_to(shopper, "2026-12-24T20:00:00Z")
    assert len(list_runs()) == 1


def test_a_date_is_not_missed_by_a_late_wake(shopper: Shop) -> None:
    """When nothing was looked at for days, the run starts then, as of its moment; other rules may have changed too."""
    save_date(RENEWAL)
    tell(shopper, renews_at="2026-12-01")
    go_to(shopper, "2026-11-30T09:01:00Z")
    assert [run.entered_at for run in list_runs()] == [at("2026-11-28T09:00:00Z")]


def test_a_date_is_not_missed_when_rules_change_at_its_moment(shopper: Shop) -> None:
    """A publish that has everybody looked at anew between the moment and the wake does not swallow the start."""
    save_date(RENEWAL)
    tell(shopper, renews_at="2026-12-01")
    shopper.now = at("2026-11-28T09:00:30Z")
    save_all({"j": RENEWAL | MAIL}, segments={"new": {"trait": "renews_at", "exists": True}})
    shopper.wait(MINUTE)
    assert len(list_runs()) == 1


def test_a_new_journey_starts_nothing_for_dates_that_are_just_over(shopper: Shop) -> None:
    """Publishing tells nobody of what came before; those whose date is still to come are looked at then."""
    tell(shopper, renews_at="2026-11-25", birthday="1990-12-24")
    save_date(RENEWAL)
    shopper.wait(HOUR)
    shopper.hear(an_event("Page Viewed", at=shopper.now))
    shopper.wait(5 * DAY)
    assert list_runs() == []


def test_a_paused_journey_lets_a_date_pass(shopper: Shop) -> None:
    """What comes during a pause leaves its reason, and does not start later."""
    save_date(RENEWAL)
    tell(shopper, renews_at="2026-12-01")
    save_date(RENEWAL, status="paused")
    go_to(shopper, "2026-11-28T10:00:00Z")
    assert slots.get_slot("u#1", "j").refused is NotEntered.PAUSED
    save_date(RENEWAL)
    shopper.wait(DAY)
    assert list_runs() == []


def test_again_holds_for_dates_too(shopper: Shop) -> None:
    """Where it is said, `again` is counted as for any trigger."""
    save_date(BIRTHDAY, again="never")
    tell(shopper, birthday="1990-12-24")
    go_to(shopper, "2026-12-24T12:00:00Z")
    go_to(shopper, "2027-12-24T12:00:00Z")
    assert len(list_runs()) == 1
    assert slots.get_slot("u#1", "j").refused is NotEntered.ENTERED_BEFORE


def test_a_moved_date_is_no_trigger_any_more(shopper: Shop) -> None:
    """A date that was moved after it came, and before anybody followed that, starts nothing and says why."""
    save_date(RENEWAL)
    tell(shopper, renews_at="2026-12-01")
    shopper.now = at("2026-11-28T09:00:30Z")
    shopper.derive(an_event("Identified", at=shopper.now, type="identify", traits={"renews_at": "2026-12-20"}))
    # the signal that it had come stands in the very write that moved it
    shopper.follow()
    assert list_runs() == []
    assert slots.get_slot("u#1", "j").refused is NotEntered.DATE_MOVED


def test_merged_shoppers_have_one_run_of_a_date(shopper: Shop) -> None:
    """A visitor whose date has come, and who turns out to be somebody, does not begin once more."""
    save_date(BIRTHDAY)
    told = {"who": "a#x", "anonymous_id": "x", "trust": Trust.BROWSER, "type": "identify"}
    shopper.hear(
        an_event("Identified", at=shopper.now, traits={"birthday": "1990-11-23", "timezone": "Asia/Tokyo"}, **told)
    )
    go_to(shopper, "2026-11-23T01:00:00Z")
    assert len(list_runs("j", "a#x")) == 1
    traits = {"birthday": "1990-11-23", "timezone": "Europe/London"}
    event = an_event("Identified", at=shopper.now, type="identify", user_id="1", anonymous_id="x", traits=traits)
    shopper.hear(event)
    go_to(shopper, "2026-11-23T20:00:00Z")
    assert len(list_runs("j", "a#x", "u#1")) == 1


def test_a_draft_keeps_nobody_awake(shopper: Shop) -> None:
    """Of a journey that is not live no dates are watched, and its dates are no segments that anybody sees."""
    save_date(RENEWAL, status="draft")
    assert load_live(shopper.now).dates == {}
    save_date(RENEWAL)
    assert list(load_live(shopper.now).dates) == ["@j"]
    assert load_live(shopper.now).segments == {}
