"""What profiles must remember for the rules: under which names, and how much of it is enough."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Answer, Start
from cartwake.events import Event
from cartwake.journeys import Branch
from cartwake.profiles import Profile
from cartwake.rules.compile import link
from cartwake.rules.condition_models import MODELS
from cartwake.rules.files import read_file
from cartwake.rules.leftovers import Stock, collect
from cartwake.rules.needs import deepen, derive_tracker_key
from cartwake.segments import View, absorb, adopt, check, finish
from cartwake.times import DAY
from cartwake.trackers import Need
from cartwake.values import Is, PropertyTest
from tests.builders import NOON, an_event

ORDER = "Order Completed"
SHOP = {"name": "N", "url": "https://n.example", "postal_address": "Street 1"}
SETTINGS = {"shop": SHOP, "sender": {"email": "shop@example.com"}}
SCORE = {
    "name": "E",
    "in_last": "60 days",
    "points": [{"did": "Page Viewed", "points": 9}, {"did": ORDER, "points": 20}],
}
FITTED = {
    "fitted_at": "2026-11-22",
    "customers": 9,
    "buying": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426},
    "spending": {"p": 6.25, "q": 3.74, "v": 15.44},
}
EXAMPLES = [example for model in MODELS for example in model.shown]
SINCE_START = [
    {"did": ORDER, "at_least": 2, "since": "start"},
    {"did_not": ORDER, "since": "start"},
    {"total_of": "revenue", "on": ORDER, "more_than": 20, "since": "start"},
    {"distinct_of": "category", "on": ORDER, "at_most": 1, "since": "start"},
    {"did": "Page Viewed", "since": "start", "then": {"did": ORDER, "within": "9 days"}},
]
MORE = [
    {"did": ORDER, "at_most": 2, "before": "90 days"},
    {"did": ORDER, "exactly": 2, "before": "90 days"},
    {"did": ORDER, "at_least": 2, "at_most": 4, "in_last": "200 days"},
    {"did": ORDER, "exactly": 2, "between": ["2026-01-01", "2026-08-31"]},
    {"distinct_of": "category", "on": ORDER, "exactly": 2, "after": "2026-01-01"},
    {"average_of": "revenue", "on": ORDER, "more_than": 20, "between": ["300 days", "30 days"]},
    {"did": "Page Viewed", "after": "2026-01-01", "then": {"did_not": ORDER, "within": "9 days"}},
    {"first": ORDER, "between": ["2026-01-01", "2026-08-31"], "where": {"category": "shoes"}},
    {"last": ORDER, "before": "2026-08-31", "where": {"category": "shoes"}},
]


def compile_rules(where: dict[str, Any]) -> Bundle:
    files = {
        "settings.json": SETTINGS,
        "predictions.json": FITTED,
        "scores/engagement.json": SCORE,
        "segments/vip.json": {"name": "V", "where": {"did": ORDER, "at_least": 2}},
        "templates/mail.txt": "Hello",
        "journeys/j.json": {
            "name": "J",
            "trigger": {"event": "Started"},
            "steps": [{"if": where, "then": [{"sms": "mail"}]}],
        },
    }
    linked = link(
        {
            name: read_file(name, it.encode() if isinstance(it, str) else json.dumps(it).encode())
            for name, it in files.items()
        }
    )
    assert not linked.conflicts, [str(each.fault) for each in linked.conflicts]
    return linked.bundle


def test_names_of_old_trackers_stay() -> None:
    """A tracker that was kept under an older version is found under its name: nobody's history is forgotten."""
    assert derive_tracker_key(Need(event=ORDER)) == "df1a2e08c08a"
    assert derive_tracker_key(Need(event=ORDER, amount="revenue", within_ms=DAY)) == "b94d3baab0ee"
    where = (PropertyTest("url", Is(("a",))),)
    assert derive_tracker_key(Need(event="Page Viewed", where=where, latest=9)) == "c500d05df301"


KINDS = [
    Need(event="A"),
    Need(event="A", distinct="x"),
    Need(event="A", marks=(PropertyTest("x", Is((1,))),)),
    Need(event="A", from_at=5),
    Need(event="A", before_at=5),
    Need(event="A", oldest=1),
    Need(event="A", summed=True),
    Need(event="A", whole=True),
]


def test_each_kind_of_tracker_has_a_name_of_its_own() -> None:
    """What is remembered differently is remembered apart; how much of it makes no difference."""
    assert len({derive_tracker_key(each) for each in KINDS}) == len(KINDS)
    for kind in KINDS:
        deeper = replace(kind, latest=9, within_ms=9, oldest=kind.oldest)
        assert derive_tracker_key(deeper) == derive_tracker_key(kind)
        assert deepen(kind, deeper) == deepen(deeper, kind) == deeper


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([ORDER, ORDER, "Page Viewed", "Product Viewed", "Email Opened"]),
        st.integers(0, 400 * 24).map(lambda hours: NOON - hours * DAY // 24),
        st.sampled_from(["shoes", "hats", "coats"]),
        st.sampled_from([0, 5, 60, 160]),
    ),
    max_size=12,
)
STEPS = {json.dumps(where): compile_rules(where) for where in EXAMPLES + SINCE_START + MORE}


CASES = max(20, settings.default.max_examples // 10) if settings.default else 20
"""Of each rule; there are more than ten."""


@pytest.mark.parametrize("where", STEPS)
@settings(max_examples=CASES)
@given(EVENTS, st.lists(st.integers(0, 120), min_size=1, max_size=3))
def test_what_is_kept_is_enough(where: str, events: list[tuple[str, int, str, int]], later: list[int]) -> None:
    """Whoever remembers no more than the rules need gives the same answers as somebody who remembers everything."""
    rules = STEPS[where]
    keeper = replace(rules, needs={key: deepen_all(need) for key, need in rules.needs.items()})
    (branch,) = rules.journeys["j"].steps
    assert isinstance(branch, Branch)
    cut, whole = adopt(Profile(who="u#1"), rules, 0), adopt(Profile(who="u#1"), keeper, 0)
    start = an_event("Started", at=NOON - 200 * DAY)
    for event in sorted([start, *(make(*each) for each in events)], key=lambda event: event.received_at):
        cut = finish(absorb(cut, event, rules)[0], rules, event.received_at)
        whole, _ = absorb(whole, event, keeper)
    for days in sorted(later):
        now = NOON + days * DAY
        views = (View(cut.state, rules, now, begin(start)), View(whole.state, keeper, now, begin(start)))
        assert len({check(branch.condition, view) for view in views}) == 1


def make(name: str, at: int, category: str, revenue: int) -> Event:
    products = [{"category": category, "price": revenue, "quantity": 4}]
    return an_event(name, at=at, properties={"category": category, "revenue": revenue, "products": products})


def begin(event: Event) -> Start:
    return Start(event.occurred_at, event.short_id)


def deepen_all(need: Need) -> Need:
    return replace(need, latest=500, within_ms=10**12, oldest=500 if need.oldest else 0)


@pytest.mark.parametrize("where", STEPS)
def test_steps_that_are_gone_leave_all_that_they_needed(where: str) -> None:
    """What is read from a compiled condition is what was noted when it was compiled, tracker by tracker."""
    rules = STEPS[where]
    left = collect(Stock(rules.journeys, rules.needs, rules.scores))
    wanted = {key: need for key, need in rules.needs.items() if need.event != "Started"}
    for key, need in left.items():
        assert deepen(need, wanted[key]) == wanted[key]
    alone = {key for key in wanted if key not in compile_rules({"trait": "x", "exists": True}).needs}
    assert alone <= left.keys()
    assert all(left[key] == wanted[key] for key in alone)


def test_the_last_of_two_in_one_millisecond_is_the_last() -> None:
    """That another one of the same instant was cut makes no doubt of which was the last."""
    rules = STEPS[json.dumps({"last": ORDER, "where": {"revenue": {"more_than": 100}}, "in_last": "365 days"})]
    (branch,) = rules.journeys["j"].steps
    assert isinstance(branch, Branch)
    profile = adopt(Profile(who="u#1"), rules, 0)
    for ident in ("a", "b", "c"):
        order = an_event(ORDER, id=ident, properties={"revenue": 160})
        profile = finish(absorb(profile, order, rules)[0], rules, NOON)
    assert check(branch.condition, View(profile.state, rules, NOON)).answer is Answer.HOLDS
