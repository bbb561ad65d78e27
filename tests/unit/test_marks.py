"""Marks: tags, scores and predictions of a shopper are what conditions on them say."""

import json
from typing import Any

import pytest
from builders import NOON, an_event, an_order
from hypothesis import given
from hypothesis import strategies as st
from rulebook import PREDICTIONS, compile_rules, write_rules

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Answer, Predicted, Prediction, Score
from cartwake.events import Event, Trust
from cartwake.marks import Marks, Tag, find_orders, forecast, list_tags, name_tags, read_marks, reckon_scores
from cartwake.profiles import Profile, State
from cartwake.rules.publication import choose
from cartwake.segments import View, absorb, adopt, advance, check
from cartwake.times import DAY, HOUR
from cartwake.trackers import Tracker

FILES: dict[str, Any] = {
    "segments/buyers": {"where": {"did": "Order Completed"}, "then": {"tag": ["buyer", "Customer"]}},
    "segments/fresh": {"where": {"did": "Order Completed", "in_last": "30 days"}, "then": {"tag": "fresh"}},
    "segments/once-fresh": {
        "where": {"did": "Order Completed", "in_last": "30 days"},
        "then": {"tag": "was-fresh", "sticky": True},
    },
    "segments/tagged": {"where": {"any": [{"tag": tag} for tag in ("vip", "buyer", "fresh", "was-fresh")]}},
    "segments/hot": {"where": {"score": "heat", "at_least": 15}},
    "segments/due": {"where": {"predicted": "next_order", "in_next": "7 days"}},
    "scores/heat": {
        "half_life": "10 days",
        "cap": 100,
        "points": [
            {"did": "Page Viewed", "points": 10, "most": 30},
            {"when": {"in_segment": "buyers"}, "points": 5},
        ],
    },
    "predictions": PREDICTIONS,
}
RULES = compile_rules(FILES)
MAIL = """<mjml><mj-head><mj-title>Hi</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
TAGS = ("vip", "buyer", "Customer", "fresh", "was-fresh", "VIP", "none")


def live(*events: Event, rules: Bundle = RULES, now: int = NOON) -> State:
    profile = adopt(Profile(who="u#1"), rules, 0)
    for event in sorted(events, key=lambda each: each.received_at):
        profile, _ = absorb(profile, event, rules)
    return advance(profile, rules, now)[0].state


def tagged(tag: str, **changes: Any) -> Event:
    return an_event("Tag Added", properties={"tag": tag}, **changes)


def ask(where: dict[str, Any], state: State, now: int = NOON) -> Answer:
    rules = compile_rules(FILES | {"segments/s": {"where": where}})
    return check(rules.segments["s"].where, View(state, rules, now)).answer


def test_tags_say_why_they_are_there() -> None:
    """One set by hand stands apart from one of a segment, and both reasons of one tag are told."""
    state = live(tagged("buyer", at=NOON - DAY), tagged("vip", at=NOON - DAY), an_order(at=NOON - HOUR))
    assert list_tags(state, RULES, NOON) == [
        Tag("Customer", "buyers"),
        Tag("buyer"),
        Tag("buyer", "buyers"),
        Tag("fresh", "fresh"),
        Tag("vip"),
        Tag("was-fresh", "once-fresh", sticky=True),
    ]


def test_a_tag_goes_with_the_membership_unless_it_is_sticky() -> None:
    """Time ends the membership and takes the tag; what is sticky stays. A browser can set none."""
    state = live(an_order(at=NOON - 40 * DAY), tagged("vip", at=NOON, trust=Trust.BROWSER))
    assert name_tags(list_tags(state, RULES, NOON)) == ["Customer", "buyer", "was-fresh"]


def test_an_expired_membership_is_looked_at_again() -> None:
    """A wake that is late does not keep a tag: the segment is evaluated at the instant that is asked for."""
    state = live(an_order(at=NOON - 20 * DAY))
    assert "fresh" in name_tags(list_tags(state, RULES, NOON))
    assert "fresh" not in name_tags(list_tags(state, RULES, NOON + 11 * DAY))


def test_a_tag_stays_while_its_segment_is_not_known() -> None:
    """As the membership does: what is not known takes nothing away, and gives nothing."""
    state = live(an_order(at=NOON - DAY))
    member = state.memberships["buyers"]
    (orders,) = (
        key
        for key, need in RULES.needs.items()
        if need.event == "Order Completed" and need.latest == 1 and not need.amount
    )
    state.trackers[orders] = Tracker(NOON)
    assert ask({"tag": "buyer"}, state) is Answer.UNKNOWN
    assert "buyer" in name_tags(list_tags(state, RULES, NOON))
    assert member.since
    del state.memberships["buyers"]
    assert "buyer" not in name_tags(list_tags(state, RULES, NOON))


def test_names_of_tags_are_told_once() -> None:
    """Upper and lower case are one, as in conditions; the first one in order is told."""
    assert name_tags([Tag("VIP"), Tag("buyer"), Tag("buyer", "buyers"), Tag("vip", "vip")]) == ["VIP", "buyer"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["Tag Added", "Tag Removed", "Order Completed"]), st.integers(0, 60)), max_size=8
    ),
    st.sampled_from(TAGS),
    st.integers(0, 60),
)
def test_a_condition_on_a_tag_says_what_the_list_says(news: list[tuple[str, int]], tag: str, later: int) -> None:
    """Law: a tag is listed if and only if a condition on it holds, at any instant."""
    events = [
        an_event(name, at=NOON - days * DAY, id=f"m{index}", properties={"tag": "VIP", "revenue": 5})
        for index, (name, days) in enumerate(news)
    ]
    state, now = live(*events), NOON + later * DAY
    listed = {each.casefold() for each in name_tags(list_tags(state, RULES, now))}
    assert (tag.casefold() in listed) == (ask({"tag": tag}, state, now) is Answer.HOLDS)


def test_scores_are_reckoned_as_of_now() -> None:
    """Points halve, a cap of a part counts, and a condition brings its own."""
    views = [an_event(at=NOON - minutes * 1_000, id=f"v{minutes}") for minutes in range(2)]
    assert reckon_scores(live(*views), RULES, NOON) == {"heat": pytest.approx(20.0, abs=0.1)}
    state = live(*views, an_order(at=NOON - DAY))
    assert reckon_scores(state, RULES, NOON + 10 * DAY) == {"heat": pytest.approx(15.0, abs=0.1)}


def test_a_score_of_which_not_all_is_known_has_no_value() -> None:
    """Half of a score would be a wrong one: it is None until the window has passed."""
    state = live(an_event(at=NOON - DAY))
    (key,) = (key for key, need in RULES.needs.items() if need.event == "Page Viewed")
    state.trackers[key] = Tracker(NOON - DAY)
    assert reckon_scores(state, RULES, NOON) == {"heat": None}
    assert ask({"score": "heat", "at_least": 1}, state) is Answer.UNKNOWN


@given(st.lists(st.integers(0, 100), max_size=6), st.integers(0, 40), st.floats(-1, 120), st.booleans())
def test_a_condition_on_a_score_says_what_the_list_says(
    ages: list[int], later: int, bound: float, ordered: bool
) -> None:
    """Law: a score compared with any bound gives what the condition gives, at any instant."""
    events = [an_event(at=NOON - age * HOUR, id=f"v{index}") for index, age in enumerate(ages)]
    state, now = live(*events, *([an_order(at=NOON - DAY)] if ordered else [])), NOON + later * DAY
    value = reckon_scores(state, RULES, now)["heat"]
    verdict = check(Score(name="heat", op="at_least", bound=bound), View(state, RULES, now))
    assert value is not None
    assert (verdict.answer is Answer.HOLDS) == (value >= bound)


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300)), max_size=8),
    st.integers(0, 300),
    st.sampled_from(["orders", "value", "rhythm", "churn_risk", "expected_orders", "expected_value"]),
    st.integers(0, 40_000).map(lambda cents: cents / 100),
)
def test_a_condition_on_a_prediction_says_what_the_forecast_says(
    orders: list[tuple[int, int]], later: int, of: Prediction, bound: float
) -> None:
    """Law: whatever is forecast, compared with any bound, gives what the condition gives; what is None fails."""
    events = [an_order(value, at=NOON - days * DAY, id=f"o{index}") for index, (days, value) in enumerate(orders)]
    state, now = live(*events), NOON + later * DAY
    seen = forecast(state, RULES, now)
    assert seen is not None
    values = {
        "orders": seen.history.orders if seen.history else 0,
        "value": seen.value,
        "rhythm": seen.history.rhythm_days if seen.history else None,
        "churn_risk": seen.churn_risk,
        "expected_orders": seen.expected_orders,
        "expected_value": seen.expected_value,
    }
    condition = Predicted(of=of, tracker=find_orders(RULES) or "", op="at_least", bound=bound)
    value = values[of]
    wanted = Answer.HOLDS if value is not None and value >= bound else Answer.FAILS
    assert check(condition, View(state, RULES, now)).answer is wanted


def test_there_is_no_forecast_where_it_would_be_a_guess() -> None:
    """Where no rule asks, no orders are remembered; where the first ones are not known, nothing is said."""
    assert forecast(live(an_order()), compile_rules({"segments/buyers": FILES["segments/buyers"]}), NOON) is None
    state = live(an_order())
    state.trackers[find_orders(RULES) or ""] = Tracker(NOON - DAY)
    assert forecast(state, RULES, NOON) is None


@pytest.mark.parametrize(
    "files",
    [
        {"segments/s": {"where": {"all": [{"none": [{"predicted": "orders", "at_least": 2}]}]}}},
        {"scores/s": {"points": [{"when": {"predicted": "orders", "at_least": 2}, "points": 1}]}},
    ],
)
def test_the_orders_are_found_wherever_a_rule_asks(files: dict[str, Any]) -> None:
    """A prediction deep in a segment or in a score is enough."""
    seen = forecast(live(an_order(), rules=compile_rules(files)), compile_rules(files), NOON)
    assert seen is not None
    assert seen.history is not None
    assert (seen.history.orders, seen.value, seen.churn_risk) == (1, 100.0, None)


@pytest.mark.parametrize(
    ("files", "place", "nearest"),
    [
        ({"templates/sms.txt": "Hi\n{{ profile.scores.heet }}"}, "templates/sms.txt: line 2", "heat"),
        (
            {
                "templates/mail.mjml": MAIL,
                "journeys/j.json": {
                    "name": "J",
                    "trigger": {"event": "X"},
                    "steps": [{"wait": "1 hour"}, {"email": "mail", "subject": "{{ profile.scores.high-heat }}"}],
                },
            },
            "journeys/j.json: steps[1].subject",
            "",
        ),
        (
            {
                "templates/mail.mjml": MAIL,
                "journeys/j.json": {
                    "name": "J",
                    "trigger": {"event": "X"},
                    "steps": [{"email": "mail", "subject": "{{ profile.scores.heat }} {{ profile.scores.heatt }}"}],
                },
            },
            "journeys/j.json: steps[0].subject",
            "heat",
        ),
    ],
)
def test_a_score_that_there_is_not_keeps_a_text_from_going_live(
    files: dict[str, Any], place: str, nearest: str
) -> None:
    """A template or a subject that shows a misspelt score is refused at its place, with the nearest right one."""
    raw = write_rules(FILES) | {
        file: it.encode() if isinstance(it, str) else json.dumps(it).encode() for file, it in files.items()
    }
    status = choose(raw).files[place.partition(":")[0]]
    assert status.state == "rejected"
    assert str(status.faults[0]).startswith(place)
    assert nearest in status.faults[0].suggestion


def test_marks_for_templates() -> None:
    """Templates get the names of tags once, and every score that the rules know."""
    state = live(tagged("vip", at=NOON - DAY), tagged("buyer", at=NOON - DAY), an_order(at=NOON - HOUR))
    marks = read_marks(state, RULES, NOON)
    assert marks == Marks(("Customer", "buyer", "fresh", "vip", "was-fresh"), {"heat": 5.0})
