"""Conditions in words: every kind has a sentence, and it says what was written."""

from typing import Any, get_args

import pytest
from rulebook import PREDICTIONS, compile_rules

from cartwake.conditions import kinds
from cartwake.conditions.kinds import Condition
from cartwake.conditions.parts import walk
from cartwake_cli.condition_words import Speaker
from cartwake_cli.value_words import say_about, say_duration

ORDER = "Order Completed"
FILES: dict[str, Any] = {
    "segments/vip": {"name": "Our best", "where": {"did": ORDER}, "then": {"tag": "gold"}},
    "segments/once": {"name": "Once", "where": {"did": ORDER}, "then": {"tag": "silver", "sticky": True}},
    "scores/heat": {"name": "Heat", "points": [{"did": "Page Viewed", "points": 1}]},
    "predictions": PREDICTIONS,
}
SENTENCES: list[tuple[dict[str, Any], str]] = [
    ({"did": ORDER}, '"Order Completed" happened'),
    (
        {"did": ORDER, "at_least": 3, "in_last": "90 days"},
        '"Order Completed" happened at least 3 times in the last 90 days',
    ),
    ({"did": ORDER, "exactly": 1}, '"Order Completed" happened exactly once'),
    (
        {"did": ORDER, "at_most": 2, "before": "36 hours"},
        '"Order Completed" happened at most twice at least 36 hours ago',
    ),
    ({"did_not": ORDER}, '"Order Completed" never happened'),
    ({"did_not": ORDER, "in_last": "30 days"}, '"Order Completed" did not happen in the last 30 days'),
    (
        {"did": ORDER, "between": ["60 days", "30 days"]},
        '"Order Completed" happened between 60 days and 30 days ago',
    ),
    (
        {"did": ORDER, "between": ["2026-01-01", "2026-01-31"]},
        '"Order Completed" happened from 1 January 2026 until 31 January 2026',
    ),
    ({"did": ORDER, "after": "2026-01-01T10:30:00"}, '"Order Completed" happened from 1 January 2026, 10:30 on'),
    ({"did_not": ORDER, "before": "2026-02-01"}, '"Order Completed" did not happen until 31 January 2026'),
    (
        {"did": "Page Viewed", "where": {"url": {"matches": "hiszp*"}, "kind": ["a", "b"]}},
        '"Page Viewed" where kind is "a" or "b" and url matches "hiszp*" happened',
    ),
    (
        {"did": ORDER, "where": {"products": {"any_item": {"category": "shoes", "price": {"at_least": 50}}}}},
        '"Order Completed" where products has an entry whose category is "shoes" and price is at least 50 happened',
    ),
    (
        {"did": "Product Viewed", "in_last": "30 days", "then": {"did_not": ORDER, "within": "3 days"}},
        '"Product Viewed" was not followed by "Order Completed" within 3 days, in the last 30 days',
    ),
    (
        {
            "did": "Product Viewed",
            "at_least": 2,
            "in_last": "30 days",
            "then": {"did": ORDER, "within": "3 days", "then": {"did_not": "Reviewed", "within": "1 day"}},
        },
        (
            '"Product Viewed" was at least twice followed by "Order Completed" within 3 days, and that not followed by '
            '"Reviewed" within 1 day, in the last 30 days'
        ),
    ),
    (
        {"did": "A", "at_most": 0, "in_last": "9 days", "then": {"did": "B", "within": "1 hour"}},
        '"A" was never followed by "B" within 1 hour, in the last 9 days',
    ),
    (
        {"did": "A", "at_most": 0, "in_last": "9 days", "then": {"did_not": "B", "within": "1 hour"}},
        '"A" was always followed by "B" within 1 hour, in the last 9 days',
    ),
    ({"first": ORDER, "in_last": "30 days"}, 'the first "Order Completed" was in the last 30 days'),
    ({"last": "Page Viewed", "before": "30 days"}, 'the last "Page Viewed" was at least 30 days ago'),
    (
        {"last": ORDER, "in_last": "90 days", "where": {"coupon": {"exists": True}}},
        'the last "Order Completed" was in the last 90 days, and is one where coupon has a value',
    ),
    ({"first": ORDER, "where": {"coupon": "X"}}, 'the first "Order Completed" is one where coupon is "X"'),
    ({"last": ORDER, "after": "2026-01-01"}, '"Order Completed" happened from 1 January 2026 on'),
    (
        {"total_of": "revenue", "on": ORDER, "more_than": 1_200.5, "in_last": "365 days"},
        'the total of revenue over all "Order Completed" in the last 365 days is more than 1,200.5',
    ),
    ({"average_of": "revenue", "on": ORDER, "at_least": 60}, 'the average revenue of "Order Completed" is at least 60'),
    (
        {"largest_of": "revenue", "on": ORDER, "less_than": 10, "after": "2026-01-01"},
        'the largest revenue of "Order Completed" from 1 January 2026 on is less than 10',
    ),
    (
        {"distinct_of": "products.category", "on": ORDER, "at_least": 3, "in_last": "365 days"},
        'there are at least 3 different products.category in "Order Completed" in the last 365 days',
    ),
    (
        {"distinct_of": "products.category", "on": ORDER, "at_least": 1},
        'there is at least 1 different products.category in "Order Completed"',
    ),
    ({"trait": "plan", "is": ["gold", "silver", "tin"]}, 'the trait "plan" is "gold", "silver" or "tin"'),
    ({"trait": "plan", "is_not": ["gold", "silver"]}, 'the trait "plan" is neither "gold" nor "silver"'),
    ({"trait": "plan", "is_not": "gold"}, 'the trait "plan" is not "gold"'),
    ({"trait": "plan", "contains": "old"}, 'the trait "plan" contains "old"'),
    ({"trait": "phone", "exists": False}, 'the trait "phone" has no value'),
    ({"trait": "since", "more_than": "2026-01-01"}, 'the trait "since" is 2026-01-02 or later'),
    ({"trait": "news", "is": True}, 'the trait "news" is true'),
    ({"trait": "ends", "in_next": "30 days"}, 'the date in the trait "ends" lies in the next 30 days'),
    ({"trait": "ends", "before": "30 days"}, 'the date in the trait "ends" lies at least 30 days ago'),
    ({"age_of": "birthday", "at_least": 18}, 'is at least 18 years old, by the date in the trait "birthday"'),
    (
        {"anniversary_of": "birthday", "in_next": "3 days"},
        'the anniversary of the date in the trait "birthday" is today or in the next 3 days',
    ),
    (
        {"anniversary_of": "birthday", "in_last": "1 day"},
        'the anniversary of the date in the trait "birthday" is today or was in the last 1 day',
    ),
    ({"anniversary_of": "birthday", "today": True}, 'the anniversary of the date in the trait "birthday" is today'),
    ({"consent": "sms", "is": "never_asked"}, 'the consent to sms is "never asked"'),
    (
        {"consent": "email", "is": "subscribed", "method": "form"},
        'the way in which consent to email was given or withdrawn is "form"',
    ),
    (
        {"consent": "email", "in_last": "30 days"},
        "the consent to email was last given or withdrawn in the last 30 days",
    ),
    ({"reachable_by": "email"}, "marketing can reach the shopper by email"),
    ({"tag": "vip"}, 'has a tag, set by hand or by an import, that is "vip"'),
    ({"tag": "gold"}, 'is in the segment "vip" (Our best)'),
    ({"tag": "silver"}, 'is in the segment "once" (Once), or was once'),
    ({"score": "heat", "at_least": 50}, 'the score "heat" (Heat) is at least 50'),
    ({"share": 12.5, "of": "test"}, 'is among the 12.5 % that "test" draws'),
    ({"profile": "language", "is": "de"}, 'the language is "de"'),
    ({"profile": "device", "is": "mobile"}, 'the device is "mobile"'),
    (
        {"profile": "first_visit.utm_source", "is": "ads"},
        'the utm_source of the first visit that had one is "ads"',
    ),
    ({"profile": "last_seen", "before": "30 days"}, "was last seen at least 30 days ago"),
    ({"profile": "first_seen", "in_last": "1 day"}, "was first seen in the last 1 day"),
    ({"cart": "open"}, "there is something in the cart"),
    ({"cart": "open", "value": {"at_least": 50}}, "the value of the cart is at least 50"),
    ({"cart": "open", "quantity": {"at_least": 2}}, "the number of pieces in the cart is at least 2"),
    ({"cart": "open", "item": {"category": "shoes"}}, 'there is something in the cart whose category is "shoes"'),
    ({"cart": "open", "untouched_for": "2 hours"}, "the cart was last changed at least 2 hours ago"),
    ({"predicted": "next_order", "in_next": "7 days"}, "the next order is expected in the next 7 days"),
    ({"predicted": "next_order", "before": "7 days"}, "the next order was expected at least 7 days ago"),
    (
        {"predicted": "churn_risk", "more_than": 70},
        "the risk that there will be no more order, in percent, is more than 70",
    ),
    ({"predicted": "rhythm", "at_most": 45}, "the rhythm of the orders, in days, is at most 45"),
    ({"predicted": "orders", "at_least": 3}, "the number of orders until now is at least 3"),
    ({"predicted": "value", "at_least": 500}, "the value of all orders until now is at least 500"),
    (
        {"predicted": "expected_orders", "at_least": 2},
        "the number of orders expected in the next 365 days is at least 2",
    ),
    (
        {"predicted": "expected_value", "at_least": 2},
        "the value of the orders expected in the next 365 days is at least 2",
    ),
    ({"in_segment": "vip"}, 'is in the segment "vip" (Our best)'),
    ({"all": [{"cart": "open"}, {"did": ORDER}]}, "all of these hold"),
    ({"any": [{"cart": "open"}, {"did": ORDER}]}, "at least one of these holds"),
    ({"none": [{"cart": "open"}, {"did": ORDER}]}, "none of these holds"),
]


def compile_one(where: dict[str, Any]) -> tuple[list[Condition], Speaker]:
    rules = compile_rules(FILES | {"segments/s": {"where": where}})
    return list(walk(rules.segments["s"].where)), Speaker(rules)


@pytest.mark.parametrize(("where", "sentence"), SENTENCES)
def test_every_condition_has_its_sentence(where: dict[str, Any], sentence: str) -> None:
    """What is written is said in words that name the event, the window, and what is compared."""
    parts, speaker = compile_one(where)
    assert sentence in [speaker.say(part) for part in parts]


def test_every_kind_is_among_the_sentences() -> None:
    """No kind of condition is without a test of its words."""
    said = {type(part) for where, _ in SENTENCES for part in compile_one(where)[0]}
    assert said == set(get_args(Condition))


def test_since_start_is_said() -> None:
    """What counts from the start of a journey says so."""
    speaker = Speaker(compile_rules(FILES))
    condition = kinds.Did(tracker="gone", op="at_most", count=0, since_start=True)
    gone = "an event that no rule names any more"
    assert speaker.say(condition) == f'"{gone}" did not happen since the start of the journey'


def test_what_is_not_defined_is_said() -> None:
    """A segment or a score that is gone is named, and that it is gone."""
    speaker = Speaker(compile_rules(FILES))
    assert speaker.say(kinds.InSegment(segment="gone")) == 'is in the segment "gone", which is not defined'
    assert speaker.say(kinds.Score(name="gone", op="at_least", bound=1)).startswith('the score "gone", which is not')


def test_points_are_said() -> None:
    """What brings points names the event and the most that it brings, or the condition."""
    rules = compile_rules(
        FILES
        | {
            "scores/heat": {
                "points": [
                    {"did": "Page Viewed", "points": 1, "most": 20},
                    {"did": ORDER, "points": 5},
                    {"when": {"cart": "open"}, "points": -2.5},
                ]
            }
        }
    )
    assert [Speaker(rules).say_points(each) for each in rules.scores["heat"].points] == [
        '1 point for each "Page Viewed", at most 20',
        '5 points for each "Order Completed"',
        "-2.5 points while this holds: there is something in the cart",
    ]


def test_long_values_and_lists_are_cut() -> None:
    """What is shown stays readable: a long text ends in an ellipsis, of many values the first are told."""
    rules = compile_rules({"segments/s": {"where": {"trait": "t", "is": ["x" * 100, *map(str, range(9))]}}})
    said = Speaker(rules).say(rules.segments["s"].where)
    assert said == f'the trait "t" is "{"x" * 59}…", "0", "1", "2", "3" or one of 5 others'


@pytest.mark.parametrize(
    ("duration", "exact", "about"),
    [(86_400_000, "1 day", "1 day"), (129_600_000, "36 hours", "1 day"), (1_500, "1500 milliseconds", "1 second")],
)
def test_durations(duration: int, exact: str, about: str) -> None:
    """A window is told exactly; how much is known is told about, and never more than there is."""
    assert (say_duration(duration), say_about(duration)) == (exact, about)
