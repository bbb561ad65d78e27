"""Reasons: a tree says what evaluating says, part by part, and what is not known says how much of it is."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, a_cart_event, a_subscription, an_event, an_identify, an_order
from hypothesis import given
from hypothesis import strategies as st
from rulebook import PREDICTIONS, compile_rules
from strategies import SEGMENTS, conditions, histories, known_in_part

from cartwake.bundles import Bundle
from cartwake.conditions.evaluate import combine
from cartwake.conditions.kinds import (
    AllOf,
    Answer,
    AnyOf,
    Condition,
    Did,
    EverIn,
    InSegment,
    NoneOf,
    Share,
    Start,
    Verdict,
)
from cartwake.events import Event
from cartwake.profiles import Membership, Profile, State, fold, prepare
from cartwake.segments import View, absorb, adopt, advance, check
from cartwake.times import DAY, HOUR, NEVER
from cartwake.trackers import Entry, Tracker
from cartwake_cli.reasons_tree import Reason, find_points, find_reason, list_lacks

RULES = a_bundle(segments=SEGMENTS)
ORDER = "Order Completed"
OPPOSITE = {Answer.HOLDS: Answer.FAILS, Answer.FAILS: Answer.HOLDS, Answer.UNKNOWN: Answer.UNKNOWN}


def pair(condition: Condition, reason: Reason, rules: Bundle) -> Iterator[tuple[Condition, Reason]]:
    """Yield every condition of a tree with its reason."""
    yield condition, reason
    match condition:
        case AllOf(of=of) | AnyOf(of=of) | NoneOf(of=of):
            below = of
        case InSegment(segment=name) | EverIn(segment=name) if name in rules.segments:
            below = (rules.segments[name].where,)
        case _:
            return
    for part, its in zip(below, reason.parts, strict=True):
        yield from pair(part, its, rules)


@given(conditions(), histories(12), st.integers(NOON - 200 * DAY, NOON + 200 * DAY), st.data())
def test_a_tree_says_what_evaluating_says(
    condition: Condition, events: list[Event], now: int, data: st.DataObject
) -> None:
    """Law: every part has the verdict and the expiry of its own, and those of the parts together make the whole's."""
    state = prepare(State(), RULES.needs, complete_from=0)
    for event in events:
        state = fold(state, event, RULES.needs)
    view = View(data.draw(known_in_part(state)), RULES, now)
    for part, reason in pair(condition, find_reason(condition, view), RULES):
        verdict = check(part, view)
        assert (reason.answer, reason.until) == (verdict.answer, verdict.until)
        below = [Verdict(each.answer, each.until) for each in reason.parts if each.answer]
        match part:
            case AllOf():
                assert combine(below, Answer.FAILS) == verdict
            case AnyOf():
                assert combine(below, Answer.HOLDS) == verdict
            case NoneOf():
                assert OPPOSITE[combine(below, Answer.HOLDS).answer] is verdict.answer
            case InSegment() if below and below[0].answer is not Answer.UNKNOWN:
                assert below[0] == verdict
            case _:
                pass
        if reason.answer is Answer.UNKNOWN:
            assert list(list_lacks(reason)), "what is not known says why"
        elif not reason.parts:
            assert reason.lack is None


@given(
    st.lists(st.integers(0, 100 * 24), max_size=8),
    st.sampled_from([0, DAY, 30 * DAY]),
    st.sampled_from([0, HOUR, 7 * DAY]),
    st.integers(0, 4),
)
def test_the_count_that_is_told_is_the_count_that_decides(
    hours: list[int], within_ms: int, before_ms: int, count: int
) -> None:
    """Law: "3 times" at a condition means that it holds for at least 3, and for no more."""
    rules = compile_rules({"segments/s": {"where": {"did": ORDER, "at_least": 99, "in_last": "100 days"}}})
    (key,) = rules.needs
    entries = tuple(Entry(NOON - each * HOUR, each) for each in sorted(hours, reverse=True))
    view = View(State(trackers={key: Tracker(0, entries)}), rules, NOON)
    condition = Did(tracker=key, count=count, within_ms=within_ms, before_ms=before_ms)
    reason = find_reason(condition, view)
    words = {"none": 0, "once": 1, "twice": 2}
    said = reason.there.partition(",")[0]
    told = words[said] if said in words else int(said.removesuffix(" times"))
    assert (reason.answer is Answer.HOLDS) == (told >= count)


FILES: dict[str, Any] = {
    "segments/buyers": {"name": "Buyers", "where": {"did": ORDER}},
    "segments/gone": {
        "name": "Gone",
        "where": {"did": ORDER, "in_last": "10 days"},
        "then": {"tag": "g", "sticky": True},
    },
    "scores/heat": {
        "name": "Heat",
        "half_life": "10 days",
        "points": [
            {"did": "Page Viewed", "points": 10, "most": 30},
            {"did": "Product Added", "points": 2},
            {"when": {"did": ORDER, "in_last": "5 days"}, "points": 5},
        ],
    },
    "predictions": PREDICTIONS,
}
EVENTS = [
    an_order(50, at=NOON - 71 * DAY, id="o1", properties={"revenue": 50, "category": "shoes", "coupon": "X"}),
    an_order(70, at=NOON - 40 * DAY, id="o2", properties={"revenue": 70, "category": "hats"}),
    an_event(at=NOON - 10 * DAY),
    a_cart_event(at=NOON - 3 * HOUR),
    a_subscription(at=NOON - DAY, properties={"channel": "email", "method": "form"}),
    an_identify(at=NOON - 2 * DAY, traits={"plan": "gold", "birthday": "1990-02-03", "ends": "2026-12-24"}),
    an_event("Tag Added", at=NOON - DAY, properties={"tag": "vip"}),
]


def see(where: dict[str, Any], *events: Event, state: State | None = None) -> Reason:
    """Return the reason of a condition in a profile that has kept everything; or in *state*."""
    rules = compile_rules(FILES | {"segments/s": {"where": where}})
    profile = adopt(Profile(who="u#1"), rules, 0)
    for event in sorted(events or EVENTS, key=lambda each: each.received_at):
        profile, _ = absorb(profile, event, rules)
    profile, _ = advance(profile, rules, NOON)
    if state is not None:
        profile = adopt(Profile(who="u#1", version=1, state=state), rules, NOON)
    return find_reason(rules.segments["s"].where, View(profile.state, rules, NOON))


@pytest.mark.parametrize(
    ("where", "there"),
    [
        ({"did": ORDER, "at_least": 3}, "twice, last on 12 October 2026"),
        ({"did_not": ORDER, "in_last": "90 days"}, "once or more, last on 12 October 2026"),
        ({"did": ORDER, "in_last": "30 days"}, "none"),
        ({"distinct_of": "category", "on": ORDER, "at_least": 3}, "2, last on 12 October 2026"),
        ({"total_of": "revenue", "on": ORDER, "at_least": 3}, "120, of 2 events"),
        ({"average_of": "revenue", "on": ORDER, "at_least": 3, "in_last": "60 days"}, "70, of 1 event"),
        ({"largest_of": "revenue", "on": ORDER, "at_least": 3}, "70, of 2 events"),
        ({"largest_of": "price", "on": ORDER, "at_least": 3}, "none"),
        ({"first": ORDER, "in_last": "80 days"}, "it was 11 September 2026"),
        ({"first": ORDER, "where": {"coupon": "X"}}, "it was 11 September 2026, and it is such a one"),
        ({"last": ORDER, "where": {"coupon": "X"}}, "it was 12 October 2026, and it is no such one"),
        ({"last": "Nothing", "in_last": "80 days"}, "there was none"),
        (
            {"did": ORDER, "in_last": "80 days", "then": {"did": "Page Viewed", "within": "3 days"}},
            '"Order Completed" twice, last on 12 October 2026',
        ),
        ({"trait": "plan", "is": "tin"}, 'it is "gold"'),
        ({"trait": "none", "exists": True}, "there is none"),
        ({"trait": "ends", "in_next": "7 days"}, "it is 24 December 2026"),
        ({"age_of": "birthday", "at_least": 18}, 'it is "1990-02-03"'),
        ({"anniversary_of": "birthday", "today": True}, 'it is "1990-02-03"'),
        ({"consent": "email"}, 'it is "subscribed"'),
        ({"consent": "sms"}, 'it is "never asked"'),
        ({"reachable_by": "email"}, ""),
        ({"tag": "gold"}, 'it is "vip"'),
        ({"profile": "last_seen", "before": "1 day"}, "it was 21 November 2026"),
        ({"predicted": "next_order", "in_next": "7 days"}, "it was 12 November 2026"),
        ({"predicted": "rhythm", "at_least": 7}, "it is 31"),
        ({"predicted": "orders", "at_least": 7}, "it is 2"),
        ({"predicted": "value", "at_least": 7}, "it is 120"),
    ],
)
def test_what_is_there_is_told(where: dict[str, Any], there: str) -> None:
    """Beside each part stands what the profile has of it."""
    assert see(where).there == there


@pytest.mark.parametrize("of", ["churn_risk", "expected_orders", "expected_value"])
def test_modelled_predictions_are_told(of: str) -> None:
    """What the model says is told as a number; of one order, that it says nothing of the risk."""
    assert see({"predicted": of, "at_least": 7}).there.startswith("it is ")
    told = see({"predicted": of, "at_least": 7}, an_order(at=NOON - DAY)).there
    assert told == "one day with orders says nothing of it" if of == "churn_risk" else told.startswith("it is ")


def test_the_lot_is_told() -> None:
    """A share says what was drawn, which is what decides."""
    reason = see({"share": 50, "of": "test"})
    drawn = float(reason.there.removeprefix("drew ").removesuffix(" of 100"))
    assert (drawn < 50) == (reason.answer is Answer.HOLDS)
    undrawn = find_reason(Share(micros=500_000, salt="test"), View(State(), RULES, NOON))
    assert (undrawn.answer, str(undrawn.lack)) == (Answer.UNKNOWN, "nothing has been drawn yet")


def test_how_often_is_told_as_far_as_it_is_known() -> None:
    """Where a profile keeps the latest two alone, two are "or more"; where it keeps all of a window, they are all."""
    orders = [an_order(at=NOON - days * DAY, id=f"o{days}") for days in range(1, 6)]
    assert see({"did": ORDER, "at_least": 2}, *orders).there == "twice or more, last on 20 November 2026"
    told = see({"did": ORDER, "at_least": 2, "between": ["30 days", "1 day"]}, *orders).there
    assert told == "5 times, last on 20 November 2026"


FOUNDED = State(evaluated_at=NOON - 120 * DAY, created_at=1)


@pytest.mark.parametrize(
    ("where", "lack"),
    [
        ({"did": ORDER, "in_last": "400 days"}, 'needs 400 days of "Order Completed", 120 days are there'),
        ({"did": ORDER}, 'needs all of the past of "Order Completed", 120 days are there'),
        (
            {"did": ORDER, "after": "2026-01-01"},
            'needs everything since 1 January 2026 of "Order Completed", 120 days are there',
        ),
        (
            {"total_of": "revenue", "on": ORDER, "where": {"a": 1}, "more_than": 1, "in_last": "130 days"},
            'needs 130 days of "Order Completed" where a is 1, 120 days are there',
        ),
        (
            {"did": "A", "in_last": "130 days", "then": {"did": "B", "within": "1 day"}},
            'needs 130 days of "A", 120 days are there',
        ),
        ({"last": ORDER, "in_last": "130 days"}, 'needs 130 days of "Order Completed", 120 days are there'),
        ({"last": ORDER, "before": "7 days"}, 'needs all of the past of "Order Completed", 120 days are there'),
        ({"first": ORDER, "in_last": "30 days"}, 'needs all of the past of "Order Completed", 120 days are there'),
        ({"predicted": "orders", "at_least": 1}, "needs all orders from the first on, 120 days are there"),
    ],
)
def test_what_is_not_known_says_how_much_is(where: dict[str, Any], lack: str) -> None:
    """An answer that is not known says what it needs, and how far back there is something."""
    reason = see(where, state=FOUNDED)
    assert reason.answer is Answer.UNKNOWN
    assert [str(each) for _, each in list_lacks(reason)] == [lack]


def test_nothing_is_there_is_said() -> None:
    """A tracker that was never kept has nothing; a profile that began today has less than a second of it."""
    reason = see({"did": ORDER, "in_last": "400 days"}, state=State(evaluated_at=NOON, created_at=1))
    assert str(reason.lack) == 'needs 400 days of "Order Completed", nothing is there'
    rules = compile_rules(FILES)
    (key,) = (key for key, need in rules.needs.items() if need.event == ORDER)
    assert str(find_reason(Did(tracker=key), View(State(), rules, NOON)).lack).endswith("nothing is there")


@pytest.mark.parametrize("poor", ["A", "B"])
def test_of_several_events_the_one_that_is_known_least_is_told(poor: str) -> None:
    """A sequence is known as far back as all of its events are."""
    where = {"did": "A", "in_last": "90 days", "then": {"did": "B", "within": "1 day"}}
    rules = compile_rules({"segments/s": {"where": where}})
    trackers = {key: Tracker(NOON - (10 if need.event == poor else 50) * DAY) for key, need in rules.needs.items()}
    reason = find_reason(rules.segments["s"].where, View(State(trackers=trackers), rules, NOON))
    assert str(reason.lack) == f'needs 90 days of "{poor}", 10 days are there'


def test_a_model_that_is_not_there_is_what_lacks() -> None:
    """With all orders known and no model, the model is what lacks."""
    rules = msgspec.structs.replace(
        compile_rules(FILES | {"segments/s": {"where": {"predicted": "churn_risk", "at_least": 1}}}), predictions=None
    )
    state = adopt(Profile(who="u#1"), rules, 0).state
    reason = find_reason(rules.segments["s"].where, View(state, rules, NOON))
    assert str(reason.lack) == "needs a model of all orders: cartwake fit"


def test_a_score_shows_what_brings_points() -> None:
    """Each thing that brings points stands below the score with what it brings now; they add up to it."""
    events = [an_event(at=NOON - 10 * DAY, id="1"), an_event(at=NOON, id="2"), an_order(at=NOON - DAY)]
    reason = see({"score": "heat", "at_least": 15}, *events)
    assert reason.there == "it is 20"
    assert [(part.answer, part.there) for part in reason.parts] == [
        (None, "15 now"),
        (None, "0 now"),
        (None, "5 now"),
    ]
    (because,) = reason.parts[2].parts
    assert (because.answer, because.says) == (Answer.HOLDS, '"Order Completed" happened in the last 5 days')


def test_a_score_of_which_not_all_is_known_shows_which_part() -> None:
    """What lacks stands at the points that need it, once."""
    reason = see({"score": "heat", "at_least": 15}, state=FOUNDED)
    assert reason.answer is Answer.UNKNOWN
    assert reason.lack is None
    assert [str(part.lack or "") for part in reason.parts] == [
        'needs 200 days of "Page Viewed", 120 days are there',
        'needs 200 days of "Product Added", 120 days are there',
        "",
    ]
    assert find_points("none", View(State(), compile_rules(FILES), NOON)) == ()


def test_another_segment_shows_its_own_reasons() -> None:
    """Why a shopper is in a segment goes on into the segments that it reads."""
    reason = see({"none": [{"in_segment": "buyers"}]})
    assert reason.answer is Answer.FAILS
    assert reason.parts[0].says == 'is in the segment "buyers" (Buyers)'
    assert [part.there for part in reason.parts[0].parts] == ["once or more, last on 12 October 2026"]


def test_a_membership_that_stays_while_it_is_not_known_says_so() -> None:
    """A member stays one while the definition cannot answer; the tree says that, and what lacks."""
    state = msgspec.structs.replace(FOUNDED, memberships={"buyers": Membership(1, NEVER, 1)})
    reason = see({"in_segment": "buyers"}, state=state)
    assert reason.answer is Answer.UNKNOWN
    assert reason.there == "as it is stored, the shopper is in it, and stays so"
    assert (
        see({"in_segment": "buyers"}, state=FOUNDED).there == "as it is stored, the shopper is not in it, and stays so"
    )
    assert [part.answer for part in reason.parts] == [Answer.UNKNOWN]


def test_a_sticky_tag_tells_since_when() -> None:
    """Who has left keeps it: that is known, whatever the definition can say now."""
    state = msgspec.structs.replace(
        FOUNDED, memberships={"gone": Membership(0, NEVER, entered_at=NOON - DAY, left_at=NOON)}
    )
    sticky = see({"tag": "g"}, state=state).parts[1]
    assert sticky.answer is Answer.HOLDS
    assert sticky.there == "last entered 20 November 2026"


def test_within_a_run_the_start_counts() -> None:
    """What is counted since the start leaves out the event that started it; without a start it is not known."""
    rules = compile_rules(FILES | {"segments/s": {"where": {"did": "Product Added", "at_least": 9}}})
    key = next(key for key, need in rules.needs.items() if need.event == "Product Added" and need.latest == 9)
    entries = tuple(Entry(NOON - days * DAY, days) for days in (3, 2, 1))
    state, condition = State(trackers={key: Tracker(0, entries)}), Did(tracker=key, count=1, since_start=True)
    reason = find_reason(condition, View(state, rules, NOON, Start(NOON - 2 * DAY, 2)))
    assert (reason.answer, reason.there) == (Answer.HOLDS, "once, last on 20 November 2026")
    unknown = find_reason(condition, View(state, rules, NOON))
    assert (str(unknown.lack), unknown.there) == ("counts from the start of a journey", "")


def test_a_tree_is_plain_data() -> None:
    """Programs find the same as people: words, answer, expiry, what is there and what lacks."""
    data = see({"all": [{"last": "Page Viewed", "before": "11 days"}]}).as_data()
    assert data == {
        "says": "all of these hold",
        "answer": "fails",
        "until": "2026-11-22T12:00:00.000Z",
        "there": "",
        "lacks": "",
        "parts": [
            {
                "says": 'the last "Page Viewed" was at least 11 days ago',
                "answer": "fails",
                "until": "2026-11-22T12:00:00.000Z",
                "there": "it was 11 November 2026",
                "lacks": "",
                "parts": [],
            }
        ],
    }
