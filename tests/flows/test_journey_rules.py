"""The semantics of triggers, filters, exits and `again`, one test for each promise, through the real handlers."""

import pytest
from builders import NOON, a_cart_event, an_event, an_order, publish
from marketer import WAIT_AND_MAIL, list_ends, list_runs, save, save_all
from shoppers import Shop

from cartwake.events import Trust
from cartwake.live import load_live
from cartwake.messages import MessageState
from cartwake.reasons import EndReason, NotEntered, Skip
from cartwake.store import messages, runs, slots
from cartwake.times import DAY, HOUR, MINUTE

ORDER = {"event": "Order Completed"}
BIG = {"event": "Product Added", "where": {"price": {"at_least": 100}}}


@pytest.fixture
def ada(shop: Shop) -> Shop:
    """Ada is known and was welcomed a day before; caps are off."""
    shop.known()
    return shop


def add(shop: Shop, **changes: object) -> None:
    """Put something into Ada's cart, now."""
    shop.hear(a_cart_event(at=shop.now, **changes))
    shop.now += MINUTE


def refusal() -> NotEntered | None:
    return slots.get_slot("u#1", "j").refused


def sent(shop: Shop) -> list[str]:
    return [subject for subject in shop.subjects() if subject != "Welcome"]


# --- triggers ---


def test_an_event_starts_a_run(ada: Shop) -> None:
    """What the trigger names starts one run, as of its receipt; another event starts none."""
    save()
    ada.hear(an_event("Product Viewed", at=ada.now))
    assert list_runs() == []
    add(ada)
    assert [run.entered_at for run in list_runs()] == [ada.now - MINUTE]


def test_entry_is_the_receipt_of_the_triggering_event(ada: Shop) -> None:
    """An event that comes late starts its run when it comes: the waits and `again` count from there."""
    save()
    ada.hear(a_cart_event(occurred_at=ada.now - 5 * HOUR, received_at=ada.now))
    (run,) = list_runs()
    assert (run.entered_at, run.due_at) == (ada.now, ada.now + DAY)


def test_a_triggers_own_filter_looks_at_the_event_once(ada: Shop) -> None:
    """`where` of the trigger is asked of the triggering event, and of nothing later."""
    save(trigger=BIG)
    add(ada, properties={"product_id": "a", "price": 20})
    assert list_runs() == []
    add(ada, properties={"product_id": "b", "price": 120})
    add(ada, properties={"product_id": "c", "price": 5})
    assert list_ends() == {"": "goes on"}
    ada.wait(DAY + HOUR)
    assert sent(ada) == ["one"]


def test_entering_a_segment_starts_a_run(ada: Shop) -> None:
    """The event that makes somebody a member starts the run at once; being one already starts nothing."""
    save(trigger={"segment": "buyers"}, segments={"buyers": {"did": "Order Completed"}})
    ada.hear(an_order(at=ada.now))
    assert list_ends() == {"": "goes on"}
    ada.wait(DAY + HOUR)
    ada.hear(an_order(at=ada.now))
    assert list_ends() == {"": "completed"}
    assert len(list_runs()) == 1


def test_entering_a_segment_by_time_starts_a_run(ada: Shop) -> None:
    """Who becomes a member because time passes, with no event at all, starts a run within a minute or so."""
    lapsed = {"all": [{"did": "Order Completed"}, {"did_not": "Order Completed", "in_last": "30 days"}]}
    save(trigger={"segment": "lapsed"}, segments={"lapsed": lapsed})
    ada.hear(an_order(at=ada.now))
    bought_at = ada.now
    ada.wait(30 * DAY - MINUTE)
    assert list_runs() == []
    ada.wait(2 * MINUTE)
    assert [run.entered_at for run in list_runs()] == [bought_at + 30 * DAY]


def test_leaving_a_segment_starts_a_run(ada: Shop) -> None:
    """`"on": "left"`: entering starts nothing, leaving does, be it by an event or by time."""
    fresh = {"did": "Order Completed", "in_last": "7 days"}
    save(trigger={"segment": "fresh", "on": "left"}, segments={"fresh": fresh})
    ada.hear(an_order(at=ada.now))
    assert list_runs() == []
    ada.wait(7 * DAY + MINUTE)
    assert list_ends() == {"": "goes on"}


def test_a_journey_sees_the_segments_that_its_own_event_changed(ada: Shop) -> None:
    """Membership by an event is immediate: the filter of the journey that it starts knows of it."""
    save(trigger=ORDER, filter={"in_segment": "buyers"}, segments={"buyers": {"did": "Order Completed"}})
    ada.hear(an_order(at=ada.now))
    assert list_ends() == {"": "goes on"}


def test_a_publish_starts_nothing(ada: Shop) -> None:
    """Whom a changed segment takes in is in it silently."""
    ada.hear(an_order(at=ada.now))
    save(trigger={"segment": "buyers"}, segments={"buyers": {"did": "Order Refunded"}})
    save(trigger={"segment": "buyers"}, segments={"buyers": {"did": "Order Completed"}})
    ada.hear(an_event("Page Viewed", at=ada.now + MINUTE))
    ada.wait(DAY)
    assert list_runs() == []


def test_imported_history_starts_nothing(ada: Shop) -> None:
    """What is marked as backfill counts, and moves nobody, by event or by segment."""
    journeys = {"j": {"trigger": ORDER, "steps": WAIT_AND_MAIL}}
    journeys["k"] = {"trigger": {"segment": "buyers"}, "steps": WAIT_AND_MAIL}
    save_all(journeys, segments={"buyers": {"did": "Order Completed"}})
    ada.hear(an_order(at=ada.now, backfill=True))
    assert list_runs("j") + list_runs("k") == []


def test_a_crawler_starts_nothing(ada: Shop) -> None:
    """What a known crawler does is stored and moves nobody."""
    save()
    add(ada, bot=True)
    assert list_runs() == []


def test_a_draft_starts_nothing(ada: Shop) -> None:
    """A draft is nobody's journey yet, and leaves no reason."""
    save(status="draft")
    add(ada)
    assert (list_runs(), refusal()) == ([], None)


def test_one_event_starts_one_run_however_often_it_comes(ada: Shop) -> None:
    """A stream delivers again, a client sends again: the run's id is a function of journey and event."""
    save()
    event = a_cart_event(at=ada.now)
    ada.hear(event)
    ada.wait(DAY + HOUR)
    ada.hear(event)
    ada.follow()
    assert len(list_runs()) == 1


# --- filters ---


def test_the_filter_is_checked_at_entry(ada: Shop) -> None:
    """Whom it does not let through starts nothing, and there is the reason."""
    save(filter={"tag": "wholesale"})
    add(ada)
    assert (list_runs(), refusal()) == ([], NotEntered.FILTER)


def test_the_filter_is_checked_again_before_every_message(ada: Shop) -> None:
    """What it refuses by then is skipped, and the run goes on; when it holds once more the next message is sent."""
    steps = [{"wait": "1 day"}, {"email": "one"}, {"wait": "1 day"}, {"email": "two"}]
    save(filter={"trait": "away", "exists": False}, steps=steps)
    add(ada)
    ada.hear(an_event("Identified", at=ada.now, type="identify", traits={"away": "yes"}))
    ada.wait(DAY + HOUR)
    assert sent(ada) == []
    ada.hear(an_event("Identified", at=ada.now, type="identify", traits={"away": ""}))
    ada.wait(DAY + HOUR)
    assert sent(ada) == ["two"]
    told = sorted((it.path, it.state, it.reason) for it in messages.list_messages("u#1") if it.journey == "j")
    assert told == [("1", MessageState.SKIPPED, Skip.FILTER), ("3", MessageState.ACCEPTED, "")]


def test_since_the_start_counts_from_the_triggering_event(ada: Shop) -> None:
    """What was before does not count, nor the triggering event itself; what comes after it does."""
    save(trigger=ORDER, filter={"did_not": "Order Completed", "since": "start"})
    ada.hear(an_order(at=ada.now - HOUR, id="earlier"))
    ada.wait(DAY + HOUR)
    assert sent(ada) == ["one"]
    ada.hear(an_order(at=ada.now, id="first"))
    ada.hear(an_order(at=ada.now + HOUR, id="second"))
    ada.wait(DAY + HOUR)
    assert sent(ada) == ["one"]


def test_the_filter_of_a_run_is_the_live_one(ada: Shop) -> None:
    """A filter that is changed holds for those who are under way too."""
    save()
    add(ada)
    save(filter={"tag": "wholesale"})
    ada.wait(DAY + HOUR)
    assert sent(ada) == []


# --- exits ---


@pytest.mark.parametrize(
    "step", [{"wait": "2 days"}, {"wait_until": "23:59"}, {"wait_for": "Product Reviewed", "at_most": "9 days"}]
)
def test_an_exit_ends_a_run_wherever_it_is(ada: Shop, step: dict[str, str]) -> None:
    """In whatever it waits, a run ends as the event comes, and sends nothing more."""
    save(exit=[ORDER], steps=[step, {"email": "one"}])
    add(ada)
    ada.hear(an_order(at=ada.now))
    (run,) = list_runs()
    assert (run.ended, run.ended_by, run.ended_at) == (EndReason.EXITED, "Order Completed", ada.now)
    ada.wait(10 * DAY)
    assert sent(ada) == []


def test_an_exit_looks_at_its_properties(ada: Shop) -> None:
    """Only an event that passes the exit's own tests ends the run."""
    save(exit=[ORDER | {"where": {"revenue": {"at_least": 50}}}])
    add(ada)
    ada.hear(an_order(20, at=ada.now))
    assert list_ends() == {"": "goes on"}
    ada.hear(an_order(80, at=ada.now + 1))
    assert list_ends() == {"": "exited"}


@pytest.mark.parametrize(("on", "first", "second"), [("entered", "goes on", "exited"), ("left", "exited", "exited")])
def test_a_segment_entered_or_left_ends_a_run(ada: Shop, on: str, first: str, second: str) -> None:
    """An exit by segment is a move since the start of the run, not the state of being in it."""
    save(exit=[{"segment": "away", "on": on}], segments={"away": {"trait": "away", "is": True}})
    ada.hear(an_event("Identified", at=ada.now, type="identify", traits={"away": True}))
    ada.now += MINUTE
    add(ada)
    assert list_ends() == {"": "goes on"}
    for away, expected in ((False, first), (True, second)):
        ada.hear(an_event("Identified", at=ada.now, type="identify", traits={"away": away}))
        ada.now += MINUTE
        assert list_ends() == {"": expected}


def test_an_exit_before_the_start_ends_nothing(ada: Shop) -> None:
    """What happened before the run is none of its business, also when it is told of late."""
    save(exit=[ORDER])
    ada.hear(an_order(at=ada.now - HOUR, id="earlier"))
    add(ada)
    ada.hear(an_order(id="late", occurred_at=ada.now - 2 * HOUR, received_at=ada.now))
    assert list_ends() == {"": "goes on"}


def test_exits_are_checked_from_the_state_before_a_step(ada: Shop) -> None:
    """An order whose signal was lost ends the run at its next step all the same."""
    save(exit=[ORDER])
    add(ada)
    ada.derive(an_order(at=ada.now))
    assert list_ends() == {"": "goes on"}
    ada.now += DAY
    from functions.run_step.app import step

    (run,) = list_runs()
    step({"who": run.who, "run": run.key, "seq": run.seq}, ada.now)
    assert list_ends() == {"": "exited"}


def test_the_exits_of_a_run_are_the_live_ones(ada: Shop) -> None:
    """An exit that is added holds for those who are under way too."""
    save()
    add(ada)
    save(exit=[ORDER])
    ada.hear(an_order(at=ada.now))
    assert list_ends() == {"": "exited"}


# --- again ---


def test_never_again_is_once_for_ever(ada: Shop) -> None:
    """`never` is also what holds where nothing is said."""
    save(again="never")
    add(ada)
    ada.wait(400 * DAY)
    add(ada)
    assert (len(list_runs()), refusal()) == (1, NotEntered.ENTERED_BEFORE)


def test_always_again_is_as_soon_as_the_last_run_has_ended(ada: Shop) -> None:
    """One goes on at a time; after its end the next may begin at once."""
    save(again="always")
    add(ada)
    add(ada)
    assert (len(list_runs()), refusal()) == (1, NotEntered.ALREADY_ACTIVE)
    ada.wait(DAY + HOUR)
    add(ada)
    assert len(list_runs()) == 2


def test_again_after_a_time_is_counted_from_entry(ada: Shop) -> None:
    """Seven days after the last start, to the millisecond, and not after its end."""
    save(again="after 7 days")
    add(ada)
    began = list_runs()[0].entered_at
    ada.wait(DAY + HOUR)
    ada.hear(a_cart_event(at=began + 7 * DAY - 1, id="too soon"))
    assert (len(list_runs()), refusal()) == (1, NotEntered.ENTERED_BEFORE)
    ada.hear(a_cart_event(at=began + 7 * DAY, id="in time"))
    assert len(list_runs()) == 2


def test_one_run_of_a_journey_goes_on_for_a_shopper_and_any_number_of_journeys(ada: Shop) -> None:
    """Slots are each journey's own."""
    save_all({name: {"trigger": {"event": "Product Added"}, "steps": WAIT_AND_MAIL} for name in ("j", "k")})
    add(ada)
    add(ada)
    assert [len(list_runs(name)) for name in ("j", "k")] == [1, 1]


def test_again_holds_over_all_keys_of_a_shopper(ada: Shop) -> None:
    """What a visitor began counts for the user who they turn out to be."""
    save(again="after 7 days")
    told = {"anonymous_id": "x", "trust": Trust.BROWSER}
    ada.hear(a_cart_event(at=ada.now, who="a#x", **told))
    ada.wait(DAY + HOUR)
    ada.hear(an_event("Identified", at=ada.now, type="identify", user_id="1", anonymous_id="x"))
    add(ada)
    assert (list_runs("j", "u#1"), refusal()) == ([], NotEntered.ENTERED_BEFORE)


# --- status, and what a run keeps ---


def test_pausing_holds_runs_and_takes_them_out_of_the_due_index(ada: Shop) -> None:
    """A held run is due to nobody, starts nothing, and goes on when the journey does."""
    save()
    add(ada)
    save(status="paused")
    ada.wait(DAY + HOUR)
    assert [run.held for run in list_runs()] == [True]
    assert runs.list_due(ada.now + 9 * DAY, limit=9) == []
    add(ada)
    assert refusal() is NotEntered.PAUSED
    save()
    ada.wait(HOUR)
    assert sent(ada) == ["one"]


def test_archiving_ends_runs(ada: Shop) -> None:
    """At their next step, and nothing more is sent."""
    save()
    add(ada)
    save(status="archived")
    ada.wait(DAY + HOUR)
    assert (list_ends(), sent(ada)) == ({"": "journey_archived"}, [])


def test_a_changed_wait_does_not_move_those_who_wait(ada: Shop) -> None:
    """A run keeps the waits of the rules that it began under."""
    save()
    add(ada)
    save(steps=[{"wait": "9 days"}, {"email": "one"}])
    ada.wait(DAY + HOUR)
    assert sent(ada) == ["one"]


def test_texts_of_a_run_are_the_live_ones(ada: Shop) -> None:
    """A corrected template is what goes out to those who wait already."""
    save()
    add(ada)
    bundle = load_live(ada.now)
    from msgspec.structs import replace

    fixed = replace(bundle.templates["one"], subject="corrected")
    publish(replace(bundle, generation=bundle.generation + 1, templates=bundle.templates | {"one": fixed}))
    ada.wait(DAY + HOUR)
    assert sent(ada) == ["corrected"]
    assert ada.now > NOON
