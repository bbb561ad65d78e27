"""Explain: every reason that exists is shown, in the column where a program finds it and in words."""

import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, an_event, an_order
from ledger import a_message, a_run
from rulebook import PREDICTIONS, compile_rules

from cartwake.addresses import Address, Suppression
from cartwake.bundles import Bundle
from cartwake.erasure import Erasure
from cartwake.events import Event
from cartwake.messages import MessageState
from cartwake.optins import Asked
from cartwake.profiles import Kind, Membership, Profile, Register, State
from cartwake.reasons import EndReason, NotEntered, Refusal, Skip
from cartwake.runs import Slot
from cartwake.segments import absorb, adopt, advance
from cartwake.statements import Channel, Consent
from cartwake.times import DAY, HOUR
from cartwake_cli import words
from cartwake_cli.explanation import explain
from cartwake_cli.sections import Section
from cartwake_cli.tables import Facts

STATE = State(
    first_seen_at=NOON,
    traits={"city": Register("Oslo", NOON, 1)},
    contacts={Channel.EMAIL: Register("ada@example.com", NOON, 1)},
    memberships={"vip": Membership(NOON, NOON + DAY), "lost": Membership(0, NOON)},
)
FACTS = Facts(profile=Profile(who="u#1", version=1, state=STATE))


def _explain(**changes: Any) -> dict[str, Any]:
    facts = Facts(**{"profile": FACTS.profile} | changes)
    return explain(facts, a_bundle(), {}, now=NOON).as_data()


@pytest.mark.parametrize("reason", list(Skip))
def test_why_a_message_was_not_sent(reason: Skip) -> None:
    """Each reason for not sending stands at its message, with words."""
    skipped = a_message(state=MessageState.SKIPPED, reason=reason.value, detail="more")
    (line,) = _explain(messages=(skipped,))["messages"]
    assert (line["state"], line["reason"]) == ("skipped", reason.value)
    assert line["why"] == f"{words.SKIPPED[reason]}: more"


def test_what_is_not_confirmed_is_pending() -> None:
    """Who asked for a subscription is seen to wait for nothing but their own yes, until they have said it."""
    asked = msgspec.structs.replace(STATE, asked={Channel.EMAIL: Asked(NOON)})
    confirmed = msgspec.structs.replace(asked, consents={Channel.EMAIL: Consent(True, NOON + 1, 1)})
    lines = [_explain(profile=Profile(who="u#1", version=1, state=it))["profile"] for it in (asked, confirmed)]
    (pending,), none = ([it for it in found if it["what"] == "subscription by email"] for found in lines)
    assert pending["value"] == "pending: asked for 2026-11-21T12:00:00.000Z, not confirmed"
    assert none == []


@pytest.mark.parametrize("reason", list(NotEntered))
def test_why_a_journey_was_not_entered(reason: NotEntered) -> None:
    """Each reason for not starting stands at its journey, with words."""
    (line,) = _explain(slots=(Slot(who="u#1", journey="cart", refused=reason, refused_at=NOON),))["not entered"]
    assert (line["journey"], line["reason"], line["why"]) == ("cart", reason.value, words.NOT_ENTERED[reason])


@pytest.mark.parametrize("reason", list(EndReason))
def test_why_a_run_ended(reason: EndReason) -> None:
    """Each reason for ending stands at its run, with what ended it."""
    ended = a_run(ended=reason, ended_by="Order Completed", ended_at=NOON)
    (line,) = _explain(runs=(ended,))["runs"]
    assert line["stands"].startswith("ended")
    assert line["why"] == f"{words.ENDED[reason]} (Order Completed)"


@pytest.mark.parametrize("reason", list(Refusal))
def test_why_an_event_was_refused(reason: Refusal) -> None:
    """Each reason for not accepting an event stands with the place of the fault, with words."""
    (line,) = _explain(refused=((reason.value, "properties.price", NOON),))["refused events"]
    assert (line["reason"], line["where"]) == (reason.value, "properties.price")
    assert line["why"] == words.REFUSED[reason]


def test_segments_with_since_and_until() -> None:
    """A membership is shown with its beginning and the instant in which time alone may end it."""
    (line,) = _explain()["segments"]
    assert line["segment"] == "vip"
    assert (line["since"], line["until"]) == ("2026-11-21T12:00:00.000Z", "2026-11-22T12:00:00.000Z")


def test_consent_and_suppression() -> None:
    """What an address permits is read from its own row, which outlives the profile."""
    row = Address(
        key="email#1", consent=Consent(False, NOON, 1, "one-click"), suppression=Suppression.BOUNCE, suppressed_at=NOON
    )
    (line,) = explain(FACTS, a_bundle(), {Channel.EMAIL: row}, now=NOON).as_data()["addresses"]
    assert line["consent"] == "unsubscribed since 2026-11-21T12:00:00.000Z (one-click)"
    assert line["suppressed"].startswith("bounce since")


def test_waiting_and_held_runs_say_so() -> None:
    """A run that goes on shows where it stands and until when."""
    waiting, held = _explain(runs=(a_run(), a_run(held=True)))["runs"]
    assert waiting["why"] == "until 2026-11-21T12:00:00.000Z"
    assert held["why"] == "the journey is paused"


def test_a_run_says_its_variants_and_that_something_may_move_it() -> None:
    """Which variants of tests somebody got is seen at the run, as is that it waits for more than time."""
    (run,) = _explain(runs=(a_run(variants={"subject": "short"}, watching=True),))["runs"]
    assert run["stands"].endswith(", subject: short")
    assert run["why"] == "until 2026-11-21T12:00:00.000Z, or until what it waits for comes"


def test_nobody_and_the_erased() -> None:
    """Who is not known, and who was erased, are two answers."""
    nobody = explain(Facts(profile=Profile(who="u#9")), None, {}, now=NOON).as_data()
    assert nobody["profile"] == []
    gone = Facts(profile=Profile(who="u#9", kind=Kind.TOMBSTONE, version=2))
    erased = explain(gone, a_bundle(), {}, now=NOON).as_data()
    assert erased["profile"] == [{"what": "erased", "value": "yes"}]
    far = Erasure(who="u#9", keys=("u#9",), at=NOON, passes=(NOON + 1,))
    told = explain(replace(gone, erasure=far), a_bundle(), {}, now=NOON).as_data()["profile"]
    assert {line["what"]: line["value"] for line in told} == {
        "erased": "2026-11-21T12:00:00.000Z",
        "everything deleted": "2026-11-21T12:00:00.001Z",
        "deleted again": "due 2026-11-22T13:00:00.000Z",
    }
    assert erased["tags"] == erased["scores"] == erased["predictions"] == []


MARKS = compile_rules(
    {
        "segments/buyers": {"name": "Buyers", "where": {"did": "Order Completed"}, "then": {"tag": "buyer"}},
        "segments/fresh": {
            "name": "Fresh",
            "where": {"did": "Order Completed", "in_last": "10 days"},
            "then": {"tag": "was-fresh", "sticky": True},
        },
        "segments/due": {"where": {"predicted": "churn_risk", "more_than": 70}},
        "scores/heat": {
            "name": "Heat",
            "points": [
                {"did": "Page Viewed", "points": 2, "most": 20},
                {"did": "Product Viewed", "points": 5},
                {"when": {"in_segment": "buyers"}, "points": 25},
            ],
            "in_last": "30 days",
        },
        "predictions": PREDICTIONS,
    }
)


def _live(*events: Event, rules: Bundle = MARKS) -> Facts:
    profile = adopt(Profile(who="u#1"), rules, 0)
    for event in events:
        profile, _ = absorb(profile, event, rules)
    return Facts(profile=msgspec.structs.replace(advance(profile, rules, NOON)[0], version=1))


TWO_ORDERS = (
    an_order(60, at=NOON - 50 * DAY, id="o1"),
    an_order(40, at=NOON - 19 * DAY, id="o2"),
    an_event("Tag Added", at=NOON - DAY, properties={"tag": "wholesale"}),
    an_event(at=NOON - HOUR),
)


def test_tags_say_where_they_come_from() -> None:
    """By hand, by a segment, and one that stays although the segment was left."""
    assert explain(_live(*TWO_ORDERS), MARKS, {}, now=NOON).as_data()["tags"] == [
        {"tag": "buyer", "why": 'by the segment "buyers" (Buyers)'},
        {"tag": "was-fresh", "why": 'by the segment "fresh" (Fresh), and stays'},
        {"tag": "wholesale", "why": "set by hand or by an import"},
    ]


def test_scores_say_which_points_come_from_what() -> None:
    """What brings points now is told with how many; what brings none is left out."""
    (line,) = explain(_live(*TWO_ORDERS), MARKS, {}, now=NOON).as_data()["scores"]
    assert line == {
        "score": "heat",
        "title": "Heat",
        "value": "27",
        "made of": '2 (2 points for each "Page Viewed", at most 20); '
        '25 (25 points while this holds: is in the segment "buyers" (Buyers))',
    }


def test_a_score_that_is_not_known_says_what_lacks() -> None:
    """A profile that has kept too little has no score, and the reason stands there."""
    young = Facts(profile=Profile(who="u#1", version=1, state=State(evaluated_at=NOON - 20 * DAY, created_at=1)))
    (line,) = explain(young, MARKS, {}, now=NOON).as_data()["scores"]
    assert line["value"] == "not known"
    assert 'needs 30 days of "Page Viewed", 20 days are there' in line["made of"]


def test_predictions_are_sentences() -> None:
    """When the next order is expected and why, the risk, and what is expected: readable as they stand."""
    lines = explain(_live(*TWO_ORDERS), MARKS, {}, now=NOON).as_data()["predictions"]
    said = {line["what"]: line["says"] for line in lines}
    assert said["orders"] == "2 until now, worth 100 EUR"
    assert said["next order"] == "expected about 3 December 2026, from a rhythm of 31 days"
    assert re.fullmatch(r"\d+ %", said["churn risk"])
    assert re.fullmatch(r"[\d.]+ orders are expected, worth [\d.]+ EUR", said["next 365 days"])


def test_predictions_that_cannot_be_made_say_why() -> None:
    """One order, an overdue one, no model, no order, too little history, and no rule that asks: each has its words."""

    def predictions(facts: Facts, rules: Bundle = MARKS, now: int = NOON) -> Section:
        return next(each for each in explain(facts, rules, {}, now=now).sections if each.title == "predictions")

    once = dict(predictions(_live(an_order(at=NOON - DAY))).lines)
    assert once["next order"] == "one day with orders makes no rhythm"
    assert once["churn risk"] == "one day with orders says nothing of it"
    late = dict(predictions(_live(*TWO_ORDERS), now=NOON + 30 * DAY).lines)
    assert late["next order"].startswith("was expected about 3 December 2026")
    unfitted = msgspec.structs.replace(MARKS, predictions=None)
    lines = dict(predictions(_live(*TWO_ORDERS, rules=unfitted), unfitted).lines)
    assert lines["churn risk"] == "no model was fitted: cartwake fit"
    assert "next 365 days" not in lines
    assert predictions(_live(an_event())).empty == "there was no order"
    young = Facts(profile=Profile(who="u#1", version=1, state=State(evaluated_at=NOON - 20 * DAY, created_at=1)))
    assert predictions(young).empty == "needs all orders from the first on, 20 days are there"
    assert predictions(_live(an_event(), rules=a_bundle()), a_bundle()).empty == "no rule asks for any"
