"""The demo's timeline and summary: what is stored, told in plain words."""

from typing import Any

from cartwake.events import Trust
from cartwake.messages import MessageState
from cartwake.profiles import Membership, Profile, State
from cartwake.reasons import EndReason, NotEntered, Skip
from cartwake.runs import Slot
from cartwake.statements import Channel, Consent
from cartwake.times import DAY, NEVER, SECOND
from cartwake_cli.demo import state, timeline
from cartwake_cli.demo.state import Sent, Shopper
from cartwake_cli.tables import Facts
from tests.builders import NOON, a_bundle, a_cart_event, a_subscription, an_event, an_identify, an_order
from tests.ledger import a_message, a_run

RULES = a_bundle()


def facts(**changes: Any) -> Facts:
    return Facts(changes.pop("profile", Profile(who="u#1", version=1)), **changes)


def titles(known: Facts, **subjects: str) -> list[str]:
    return [entry.title for entry in timeline.tell(known, RULES, subjects=subjects)]


def test_the_newest_comes_first_and_a_cause_before_its_effect() -> None:
    """Entries run backwards; at one instant the event stands below the journey that it began."""
    known = facts(events=(an_event(at=NOON - SECOND, properties={"title": "Home"}), a_cart_event()), runs=(a_run(),))
    assert titles(known) == ["Journey “Abandoned cart” began", "Put Trail Runner in the cart", "Visited Home"]


def test_who_said_it_is_told() -> None:
    """An event of a browser, of a server and of our own are told apart, and a crawler's counts for nothing."""
    for event, said in (
        (an_event(trust=Trust.BROWSER), "told by the browser"),
        (an_event(), "told by the shop's server"),
        (an_event(trust=Trust.OWN), "told by Cartwake"),
        (an_event(bot=True), "by a crawler: kept, and counts for nothing"),
    ):
        assert [entry.detail for entry in timeline.tell(facts(events=(event,)), RULES, subjects={})] == [said]


def test_an_identify_with_both_ids_tells_of_the_merge() -> None:
    """Becoming known joins the anonymous visits."""
    (entry,) = timeline.tell(facts(events=(an_identify(user_id="1", anonymous_id="a"),)), RULES, subjects={})
    assert entry.kind == "merge"
    assert entry.title == "Became known as ada@example.com"
    assert "joined" in entry.detail


def test_consent_and_withdrawal_are_told_with_their_channel() -> None:
    """Agreeing and unsubscribing name the channel; without one it is e-mail."""
    left = an_event("Unsubscribed", at=NOON + 1, trust=Trust.OWN, properties={"method": "page"})
    assert titles(facts(events=(a_subscription("sms"), left))) == ["Unsubscribed from e-mail", "Agreed to SMS"]


def test_history_and_what_a_message_tells_are_left_out() -> None:
    """Imported events and our own "sent" events are not told again."""
    known = facts(events=(an_order(backfill=True), an_event("Email Sent", trust=Trust.OWN)))
    assert titles(known) == []


def test_a_sent_message_has_the_subject_of_the_engines_record() -> None:
    """The subject is that of the mail that went out, by the provider's id."""
    sent = a_message(state=MessageState.ACCEPTED, accepted_at=NOON, provider_id="p1")
    assert titles(facts(messages=(sent,)), p1="You left it") == ["E-mail sent: You left it"]


def test_every_no_has_its_reason_in_words() -> None:
    """A skipped message, a journey that did not begin, one that an order ended, and a refused event all say why."""
    known = facts(
        messages=(a_message(state=MessageState.SKIPPED, reason=Skip.UNSUBSCRIBED, settled_at=NOON + 4),),
        slots=(Slot(who="u#1", journey="welcome", refused=NotEntered.PAUSED, refused_at=NOON + 3),),
        runs=(a_run(ended=EndReason.EXITED, ended_by="Order Completed", ended_at=NOON + 2),),
        refused=(("clock_off", "", NOON + 1),),
    )
    entries = timeline.tell(known, RULES, subjects={})[:4]
    assert [(entry.title, entry.detail) for entry in entries] == [
        ("E-mail not sent: the shopper has unsubscribed", "journey “Abandoned cart”, reason unsubscribed"),
        ("Journey “Welcome” did not begin", "it is paused"),
        ("Journey “Abandoned cart” ended: nothing more is sent", "because of Order Completed"),
        ("Event not accepted", "its clock is far off"),
    ]
    assert {entry.kind for entry in entries} == {"unsent"}


def test_a_run_says_what_it_waits_for() -> None:
    """The next message and what would prevent it are told, also when the message stands in a branch."""
    first, second = a_run(path="0", due_at=NOON + 8), a_run(path="2", id="r2", due_at=NOON + 9)
    told = timeline.list_waiting(facts(runs=(second, first)), RULES)
    assert [(wait.due_at - NOON, wait.detail) for wait in told] == [
        (8, "then E-mail “cart-1”, unless Order Completed"),
        (9, "then SMS “cart-sms” or E-mail “cart-2”, unless Order Completed"),
    ]


def test_a_held_or_ended_run_waits_for_nothing() -> None:
    """Only a run that goes on waits."""
    ended = a_run(ended=EndReason.COMPLETED)
    assert timeline.list_waiting(facts(runs=(ended, a_run(held=True))), RULES) == []


def test_the_summary_is_the_outcome_of_each_journey() -> None:
    """Sent, not sent with the reason, and under way are told for the latest journeys."""
    cart = a_run(entered_at=NOON + 1, ended=EndReason.EXITED, ended_by="Order Completed")
    welcome = a_run(journey="welcome", ended=EndReason.COMPLETED)
    sent = a_message(run="welcome#r", state=MessageState.ACCEPTED)
    outcomes = state.sum_up(facts(runs=(welcome, cart), messages=(sent,)), RULES)
    assert [(it.tone, it.title, it.text) for it in outcomes] == [
        ("warn", "Abandoned cart", "nothing sent: Order Completed came first"),
        ("good", "Welcome", "1 sent"),
    ]
    assert [it.tone for it in state.sum_up(facts(runs=(a_run(),)), RULES)] == ["busy"]
    assert [it.title for it in state.sum_up(facts(), RULES)] == ["No journey yet"]


def test_a_shopper_shows_contacts_consent_and_memberships() -> None:
    """Segments are told with their end, where there is one; those that one is not in are not."""
    known = State(
        consents={Channel.EMAIL: Consent(subscribed=False, at=NOON, id=1)},
        memberships={"vip": Membership(NOON, NOON + 30 * DAY), "gone": Membership(NOON, NEVER)},
    )
    shown = state.show_shopper(
        Shopper("ada", "Ada", ("u#1",)), facts(profile=Profile(who="u#1", state=known)), RULES, subjects={}
    )
    assert shown["consents"] == [{"text": "E-mail unsubscribed", "tone": "warn"}]
    assert shown["segments"] == [{"text": "vip until 21 Dec 2026"}]


def test_the_inbox_is_newest_first_and_knows_whose_it_is() -> None:
    """Each message stands with its shopper; the preview has no addresses of pages."""
    mails = [
        Sent(f"m{at}", "email", "s", to, "S", "Look: https://x.example/a now", "", at)
        for at, to in ((1, "a"), (2, "b"))
    ]
    shown = state.show_sent(mails, {"a": "ada"})
    assert [(it["id"], it["shopper"], it["preview"]) for it in shown] == [
        ("m2", "", "Look: now"),
        ("m1", "ada", "Look: now"),
    ]


def test_the_tour_ticks_what_happened() -> None:
    """Each step of the tour is done when its outcome is stored."""
    waits = {"cart": 8}
    assert [step["done"] for step in state.show_tour(facts(), waits)] == [False] * 4
    cart = a_run(ended=EndReason.EXITED, ended_by="Order Completed")
    welcome = a_run(journey="welcome", trigger=a_subscription())
    known = facts(
        runs=(cart, welcome),
        messages=(
            a_message(state=MessageState.ACCEPTED),
            a_message(run="welcome#r", state=MessageState.ACCEPTED),
            a_message(id="m2", state=MessageState.SKIPPED, reason=Skip.UNSUBSCRIBED),
        ),
    )
    assert [step["done"] for step in state.show_tour(known, waits)] == [True] * 4
