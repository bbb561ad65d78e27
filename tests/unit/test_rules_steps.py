"""Rules of steps as marketers write them: what each becomes, and what is refused with a sentence that helps."""

from typing import Any

import pytest

from cartwake.journeys import Await, Goal, Split, Tell, UntilClock, UntilDate, Watch
from cartwake.rules.base import check
from cartwake.rules.faults import Fault
from cartwake.rules.models import Journey
from cartwake.rules.step_models import STEPS
from cartwake.times import DAY, HOUR
from tests.unit.test_rules_compile import compile_files, journey, refuse, segment


def compile_step(step: dict[str, Any], **files: Any) -> Any:
    """Return the first step of a journey, compiled."""
    bundle, conflicts = compile_files(journeys_j=journey(steps=[step]), **files)
    assert not conflicts, str(conflicts[0].fault)
    return bundle.journeys["j"].steps[0]


def find_fault(step: dict[str, Any]) -> Fault:
    """Return the only fault of a step."""
    faults = check(Journey, journey(steps=[step]), "journeys/j.json")
    assert isinstance(faults, list)
    (fault,) = faults
    return fault


@pytest.mark.parametrize(
    ("step", "compiled"),
    [
        ({"wait_until": "09:30"}, UntilClock(minute=570)),
        ({"wait_until": "00:00", "on": "sunday"}, UntilClock(minute=0, days=(6,))),
        ({"wait_until": "09:00", "on": ["friday", "monday", "monday"]}, UntilClock(minute=540, days=(0, 4))),
        ({"wait_until": "2026-12-31T10:00"}, UntilDate(date="2026-12-31T10:00")),
        ({"wait_until": "12-31T10:00"}, UntilDate(date="12-31", minute=600, every_year=True)),
        ({"wait_until": "02-29"}, UntilDate(date="02-29", every_year=True)),
        ({"wait_until_date_in": "due"}, UntilDate(trait="due")),
        ({"wait_until_date_in": "a.due", "of": "event"}, UntilDate(told="a.due")),
        (
            {"wait_until_date_in": "due", "before": "3 days", "at": "10:00", "every_year": True},
            UntilDate(trait="due", shift_ms=-3 * DAY, minute=600, every_year=True),
        ),
        ({"wait_until_date_in": "due", "after": "2 hours"}, UntilDate(trait="due", shift_ms=2 * HOUR)),
        ({"set": {"stage": "late", "n": 2}}, Tell(event="Traits Set", traits={"stage": "late", "n": 2})),
        ({"tag": "vip", "not_after": "1 day"}, Tell(event="Tag Added", properties={"tag": "vip"}, not_after_ms=DAY)),
        ({"untag": "vip"}, Tell(event="Tag Removed", properties={"tag": "vip"})),
    ],
)
def test_a_step_becomes_what_it_says(step: dict[str, Any], compiled: Any) -> None:
    """What a marketer writes arrives in what is run."""
    assert compile_step(step) == compiled


def test_an_awaited_event_is_remembered_and_watched() -> None:
    """Of an event that a run waits for the two latest are kept, and it moves runs of this journey."""
    step = {"wait_for": "Order Delivered", "where": {"carrier": "dhl"}, "at_most": "3 days"}
    bundle, conflicts = compile_files(journeys_j=journey(steps=[step, {"goal": "Order Completed"}]))
    assert not conflicts
    wait, goal = bundle.journeys["j"].steps
    assert isinstance(wait, Await)
    assert isinstance(goal, Goal)
    need = bundle.needs[wait.happening.tracker]
    assert (need.event, need.latest, len(need.where)) == ("Order Delivered", 2, 1)
    assert bundle.watches == {"j": Watch(events=("Order Completed", "Order Delivered"))}


def test_an_awaited_condition_is_watched_through_segments_and_scores() -> None:
    """Whatever it reads, be it through others, moves the runs; what filters and branches read does not."""
    bundle, conflicts = compile_files(
        segments_a=segment({"any": [{"in_segment": "b"}, {"trait": "size", "is": 1}]}),
        segments_b=segment({"score": "s", "at_least": 3}),
        scores_s={
            "name": "S",
            "points": [{"did": "Page Viewed", "points": 1}, {"when": {"cart": "open"}, "points": 1}],
        },
        journeys_j=journey(
            filter={"did_not": "Order Completed"},
            steps=[{"wait_for": {"in_segment": "a"}, "at_most": "1 day"}, {"if": {"did": "X"}, "then": [{"end": "x"}]}],
        ),
    )
    assert not conflicts
    assert bundle.watches == {"j": Watch(events=("Page Viewed",), traits=("size",), known=("cart",))}


def test_a_test_has_variants_and_those_held_out() -> None:
    """Percents become shares; variants without a name are a, b and so on; the name of the test is its salt."""
    ways = [{"percent": 45, "steps": []}, {"percent": 45, "name": "short", "steps": [{"email": "mail"}]}]
    found = compile_step({"test": "subject", "split": ways, "hold_out": 10})
    assert isinstance(found, Split)
    assert (found.test, found.salt) == ("subject", "test subject")
    assert [(it.name, it.micros) for it in found.variants] == [
        ("hold-out", 100_000),
        ("a", 450_000),
        ("short", 450_000),
    ]


def test_points_of_journeys_count_in_the_score() -> None:
    """A score adds up what steps give it, each number of points by itself, fading like the rest."""
    steps = [{"score": "s", "points": 10}, {"score": "s", "points": -5}, {"score": "s", "points": 10}]
    score = {"name": "S", "half_life": "30 days", "points": [{"did": "Page Viewed", "points": 1}]}
    bundle, conflicts = compile_files(scores_s=score, journeys_j=journey(steps=steps))
    assert not conflicts
    points = bundle.scores["s"].points
    assert [it.points for it in points] == [1, -5, 10]
    assert [bundle.needs[it.tracker].event for it in points[1:]] == ["Points Given", "Points Given"]


def way(percent: float, **more: Any) -> dict[str, Any]:
    return {"percent": percent, "steps": []} | more


@pytest.mark.parametrize(
    ("step", "path", "says"),
    [
        ({"wait_until": "9:00"}, "wait_until", 'mean "09:00"'),
        ({"wait_until": "25:00"}, "wait_until", "time of day"),
        ({"wait_until": "2026-13-01"}, "wait_until", "Should be a date"),
        ({"wait_until": "13-01"}, "wait_until", "time of day"),
        ({"wait_until": "02-30T10:00"}, "wait_until", "no such day"),
        ({"wait_until": "12-31", "on": "monday"}, "on", "one day alone"),
        ({"wait_until": "12-31", "else": [{"end": "x"}]}, "else", "every year"),
        ({"wait_until_date_in": "due", "of": "events"}, "of", 'mean "event"'),
        ({"wait_until": "09:00", "on": "mondays"}, "on", 'mean "monday"'),
        ({"wait_until": "2026-12-31", "on": "monday"}, "on", "one day alone"),
        ({"wait_until": "09:00", "else": [{"end": "x"}]}, "else", "always comes"),
        ({"wait_until_date_in": "due", "before": "1 day", "after": "1 day"}, "after", "Only one of"),
        ({"wait": "1 hour", "until": "09:00"}, "until", "wait_until"),
        ({"wait_for": "Order Delivered"}, "at_most", "missing"),
        ({"wait_for": {"trait": "x", "exists": True}, "where": {"a": 1}, "at_most": "1 day"}, "where", "its own"),
        ({"wait_for": {"trate": "x"}, "at_most": "1 day"}, "wait_for", 'mean "trait"'),
        ({"test": "t", "split": [way(50), way(40)]}, "split", "90 percent"),
        ({"test": "t", "split": [way(50), way(50)], "hold_out": 10}, "split", "110 percent"),
        ({"test": "t", "split": [way(100)], "hold_out": 0}, "hold_out", "more than 0"),
        ({"split": [way(90)], "hold_out": 10}, "hold_out", "says its name"),
        ({"test": "t", "splitt": [way(100)]}, "", 'mean "split"'),
        ({"split": [way(120), way(-20)]}, "split", "more than 0 percent"),
        ({"split": [way(50, name="a"), way(50, name="a")]}, "split", "two of them"),
        ({"split": [way(50, name="hold-out"), way(50)]}, "split", "held out"),
        ({"split": [way(9)] * 11}, "split", "at most 10"),
        ({"set": {"email": "x@example.com"}}, "set.email", "comes from the shop"),
        ({"set": {}}, "set", "empty"),
        ({"add_to_list": "spring"}, "", 'mean "tag"'),
        ({"email": "mail", "variant": "a"}, "variant", '{"test":'),
    ],
)
def test_what_is_wrong_is_told_with_what_is_right(step: dict[str, Any], path: str, says: str) -> None:
    """Each mistake is named at its place, in a sentence that says what to write."""
    fault = find_fault(step)
    assert fault.path.removeprefix("steps[0]").removeprefix(".") == path
    assert says in str(fault)


def nest(depth: int) -> dict[str, Any]:
    return {"split": [way(100, steps=[nest(depth - 1)] if depth else [{"email": "mail"}])]}


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([{"wait_for": "X", "at_most": "366 days"}], "at most 365 days"),
        ([{"wait_for": "X", "at_most": "30 seconds"}], "at least a minute"),
        ([{"score": "nobody", "points": 1}], 'no score "nobody"'),
        ([{"wait_for": {"in_segment": "nobody"}, "at_most": "1 day"}], 'no segment "nobody"'),
        ([{"if": {"did": "X"}, "then": [{"goal": "Y"}]}], "own list of steps"),
        ([{"split": [way(100, steps=[{"goal": "Y"}])]}], "own list of steps"),
        ([{"split": [way(100, steps=[{"email": "mail"}] * 100)]}], "101 steps; at most 100"),
        ([nest(5)], "5 deep"),
    ],
)
def test_limits(steps: list[dict[str, Any]], says: str) -> None:
    """100 steps, those inside of others too; waits from 1 minute to 1 year; goals that no run can come back to."""
    assert says in refuse(journeys_j=journey(steps=steps))


def test_steps_stand_five_deep_in_each_other() -> None:
    """What is not too deep is compiled."""
    assert not compile_files(journeys_j=journey(steps=[nest(4)]))[1]


@pytest.mark.parametrize("lead", STEPS)
def test_every_step_is_shown_as_one_would_write_it(lead: str) -> None:
    """The reference shows each kind of step, and what it shows is right."""
    assert STEPS[lead].shown
    for shown in STEPS[lead].shown:
        assert next(iter(shown)) in (lead, "test")
        assert isinstance(check(Journey, journey(steps=[shown]), "j.json"), Journey)
