"""Explain: every reason that exists is shown, in the column where a program finds it and in words."""

from typing import Any

import pytest
from builders import NOON, a_bundle
from ledger import a_message, a_run

from cartwake.addresses import Address, Suppression
from cartwake.messages import MessageState
from cartwake.profiles import Kind, Membership, Profile, Register, State
from cartwake.reasons import EndReason, NotEntered, Refusal, Skip
from cartwake.runs import Slot
from cartwake.statements import Channel, Consent
from cartwake.times import DAY
from cartwake_cli import words
from cartwake_cli.explanation import explain
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
    return explain(facts, a_bundle(), {}).as_data()


@pytest.mark.parametrize("reason", list(Skip))
def test_why_a_message_was_not_sent(reason: Skip) -> None:
    """Each reason for not sending stands at its message, with words."""
    skipped = a_message(state=MessageState.SKIPPED, reason=reason.value, detail="more")
    (line,) = _explain(messages=(skipped,))["messages"]
    assert (line["state"], line["reason"]) == ("skipped", reason.value)
    assert line["why"] == f"{words.SKIPPED[reason]}: more"


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
    (line,) = explain(FACTS, a_bundle(), {Channel.EMAIL: row}).as_data()["addresses"]
    assert line["consent"] == "unsubscribed since 2026-11-21T12:00:00.000Z (one-click)"
    assert line["suppressed"].startswith("bounce since")


def test_waiting_and_held_runs_say_so() -> None:
    """A run that goes on shows where it stands and until when."""
    waiting, held = _explain(runs=(a_run(), a_run(held=True)))["runs"]
    assert waiting["why"] == "until 2026-11-21T12:00:00.000Z"
    assert held["why"] == "the journey is paused"


def test_nobody_and_the_erased() -> None:
    """Who is not known, and who was erased, are two answers."""
    nobody = explain(Facts(profile=Profile(who="u#9")), None, {}).as_data()
    assert nobody["profile"] == []
    erased = explain(Facts(profile=Profile(who="u#9", kind=Kind.TOMBSTONE, version=2)), None, {}).as_data()
    assert erased["profile"] == [{"what": "erased", "value": "yes"}]
