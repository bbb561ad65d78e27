"""Members of a segment who come into a journey as it goes live: where they would be now, or all from its first step."""

from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, an_event, publish
from shoppers import Shop, queue_event
from world import lambda_context, read_queue

from cartwake.bundles import Bundle, Segment
from cartwake.conditions.kinds import Start, Trait
from cartwake.enrolments import Enrolment
from cartwake.journeys import (
    Await,
    Branch,
    Goal,
    Happening,
    Journey,
    Send,
    Split,
    Step,
    Stop,
    Tell,
    Trigger,
    UntilDate,
    Variant,
    Wait,
)
from cartwake.placement import place
from cartwake.profiles import State
from cartwake.runs import Rules, Run
from cartwake.segments import View
from cartwake.statements import Channel
from cartwake.store import participants, runs, slots
from cartwake.times import DAY, HOUR, MINUTE
from cartwake.trackers import Entry, Tracker
from cartwake.values import Exists, Is
from functions.sweep_profiles import app as sweep_profiles
from functions.wake import app as wake

ENTERED = NOON - 50 * DAY
MAIL = Send(channel=Channel.EMAIL, template="welcome", subject="We miss you")
BACK = Journey(
    title="B", status="live", trigger=Trigger(entered="readers"), again_ms=0, steps=(Wait(for_ms=75 * DAY), MAIL)
)
READERS = Segment(title="R", where=Trait(name="reader", test=Is((True,))), traits=("reader",), changed_generation=1)


def rules(*steps: Step, **journey: Any) -> Bundle:
    told = msgspec.structs.replace(BACK, **({"steps": steps} if steps else {}) | journey)
    return a_bundle(segments={"readers": READERS}, journeys={"back": told})


def stand(*steps: Step, state: State | None = None, **journey: Any) -> Run | None:
    """Return where somebody stands at noon who entered 50 days ago."""
    bundle = rules(*steps, **journey)
    run = Run(who="u#1", journey="back", id="r", due_at=NOON + MINUTE, entered_at=NOON, start=Start(NOON), bundle="b")
    return place(run, ENTERED, Rules(bundle, bundle), View(state or State(), bundle, NOON))


def at(run: Run | None) -> tuple[str, int, int] | None:
    """Return the place, when its wait began and when it ends, in days from noon."""
    return None if run is None else (run.path, (run.wait_from - NOON) // DAY, (run.due_at - NOON) // DAY)


# ---- where somebody would be now


def test_a_wait_counts_from_back_then() -> None:
    """Who entered 50 days ago waits 25 more of 75, and counts as having entered then."""
    run = stand()
    assert at(run) == ("0", -50, 25)
    assert run is not None
    assert (run.entered_at, run.start, run.watching) == (ENTERED, Start(ENTERED), False)


def test_what_is_past_is_neither_sent_nor_said() -> None:
    """Messages and tags whose time has passed are passed over; the first wait that is not over is the place."""
    tag = Tell(event="Tag Added", properties={"tag": "x"})
    assert at(stand(MAIL, tag, Wait(for_ms=30 * DAY), MAIL, Wait(for_ms=30 * DAY), MAIL)) == ("4", -20, 10)


@pytest.mark.parametrize("steps", [(MAIL,), (Wait(for_ms=50 * DAY), MAIL), (Stop(why="x"), Wait(for_ms=99 * DAY))])
def test_who_has_nothing_ahead_stays_out(steps: tuple[Step, ...]) -> None:
    """Nothing is ever sent at once: who is past the last wait is not brought in."""
    assert stand(*steps) is None


def test_ways_are_those_of_now() -> None:
    """A branch goes by what is true now, a test by the shopper's own number, and the variant is kept."""
    long = (Wait(for_ms=60 * DAY), MAIL)
    branch = Branch(condition=Trait(name="phone", test=Exists()), then=(), otherwise=long)
    assert at(stand(branch)) == ("0.else.0", -50, 10)
    split = Split(salt="test t", test="t", variants=(Variant(name="all", micros=1_000_000, steps=long),))
    run = stand(Wait(for_ms=DAY, only_if=Trait(name="phone", test=Exists())), split)
    assert at(run) == ("1.all.0", -50, 10)
    assert run is not None
    assert run.variants == {"t": "all"}


def test_dates_that_are_over_lead_on() -> None:
    """A date that has come since was waited for; one that lay before leads into the other way at once."""
    inner = (Wait(for_ms=60 * DAY), MAIL)
    come = UntilDate(date="2026-11-01T00:00", otherwise=(Stop(why="over"),))
    assert at(stand(come, *inner)) == ("1", -21, 39)
    over = UntilDate(date="2026-01-01T00:00", otherwise=inner)
    assert at(stand(over)) == ("0.else.0", -50, 10)


def test_waits_for_something_and_goals() -> None:
    """What has come since leads on as of now; what has not is waited for; a goal that is demanded must be reached."""
    came = State(trackers={"viewed": Tracker(entries=(Entry(ENTERED + DAY, 1),))})
    delivered = Happening(name="Page Viewed", tracker="viewed")
    wait = Await(happening=delivered, at_most_ms=60 * DAY, then=(Wait(for_ms=DAY), MAIL))
    assert at(stand(wait, state=came)) == ("0.then.0", 0, 1)
    run = stand(wait)
    assert at(run) == ("0", -50, 10)
    assert run is not None
    assert run.watching
    goal = Goal(happening=delivered, or_end=True)
    assert stand(goal, Wait(for_ms=60 * DAY), MAIL) is None
    assert at(stand(goal, Wait(for_ms=60 * DAY), MAIL, state=came)) == ("1", -50, 10)


def test_a_goal_ahead_moves_who_was_placed_before_it() -> None:
    """One that was reached leads on behind it as of now; one that was not is watched for from then on."""
    came = State(trackers={"viewed": Tracker(entries=(Entry(ENTERED + DAY, 1),))})
    goal = Goal(happening=Happening(name="Page Viewed", tracker="viewed"))
    steps = (Wait(for_ms=60 * DAY), MAIL, goal, MAIL, Wait(for_ms=DAY), MAIL)
    run = stand(*steps)
    assert at(run) == ("0", -50, 10)
    assert run is not None
    assert run.watching
    run = stand(*steps, state=came)
    assert at(run) == ("4", 0, 1)
    assert run is not None
    assert not run.watching
    assert stand(*steps[:4], state=came) is None


def test_who_has_left_the_journey_since_stays_out() -> None:
    """An exit that has happened since they entered would have ended it."""
    came = State(trackers={"viewed": Tracker(entries=(Entry(ENTERED + DAY, 1),))})
    assert stand(state=came, exits=(Trigger(event="Page Viewed", tracker="viewed"),)) is None


# ---- through the functions


def member(shop: Shop, who: str, entered_at: int) -> None:
    now, shop.now = shop.now, entered_at
    shop.derive(an_event("Identified", who=who, type="identify", id=f"i-{who}", traits={"reader": True}, at=entered_at))
    shop.now = now


def go_live(shop: Shop, *, placed: bool, generation: int = 2, **journey: Any) -> None:
    told = Enrolment(segment="readers", starts_at=NOON, placed=placed)
    publish(msgspec.structs.replace(rules(**journey), generation=generation, enrolments={"back": told}))


def bring_in(shop: Shop) -> None:
    wake.handler({}, lambda_context())
    asked = read_queue("sweeps")
    assert (
        sweep_profiles.handler(queue_event(*asked), lambda_context(remaining_ms=120_000)) == {"batchItemFailures": []}
        if asked
        else True
    )


def test_members_are_placed_once_and_never_again(shop: Shop) -> None:
    """Whoever has something ahead comes in, where they would be; what is changed or published later adds nobody."""
    publish(msgspec.structs.replace(rules(status="draft"), generation=2))
    member(shop, "u#old", NOON - 80 * DAY)
    member(shop, "u#mid", ENTERED)
    go_live(shop, placed=True, generation=3)
    bring_in(shop)
    assert runs.list_runs("u#old") == []
    (run,) = runs.list_runs("u#mid")
    assert 25 * DAY <= run.due_at - NOON < 25 * DAY + 2 * HOUR
    assert slots.get_slot("u#mid", "back").entered_at == ENTERED
    shop.now = NOON + HOUR
    go_live(shop, placed=True, generation=4)
    bring_in(shop)
    assert len(runs.list_runs("u#mid")) == 1
    assert shop.mails() == []


def test_who_was_on_the_journey_before_is_not_brought_in(shop: Shop) -> None:
    """Once per journey and profile, whatever `again` says; and everybody else begins at the first step, spread."""
    publish(msgspec.structs.replace(rules(), generation=2))
    shop.now = NOON - DAY
    member(shop, "u#been", NOON - DAY)
    shop.follow()
    assert len(runs.list_runs("u#been")) == 1
    publish(msgspec.structs.replace(rules(status="draft"), generation=3))
    whos = [f"u#{number}" for number in range(6)]
    for who in whos:
        member(shop, who, NOON - DAY)
    shop.now = NOON
    go_live(shop, placed=False, generation=4)
    bring_in(shop)
    assert len(runs.list_runs("u#been")) == 1
    begun = [run.due_at - NOON for who in whos for run in runs.list_runs(who)]
    assert len(set(begun)) == 6
    assert 10 * MINUTE < max(begun) < HOUR + MINUTE


@pytest.mark.parametrize("ahead", [0, 1])
def test_who_is_placed_behind_a_test_takes_no_part_in_it(shop: Shop, ahead: int) -> None:
    """Chance gave them a variant that they only half get: they are not counted. Who comes to the test is."""
    wait, others = Wait(for_ms=75 * DAY), (Wait(for_ms=DAY),)
    test = Split(
        salt="test t",
        test="t",
        digest="d",
        within_ms=3 * DAY,
        variants=(Variant(name="all", micros=1_000_000, steps=others if ahead else (wait, MAIL)),),
    )
    steps = (wait, test) if ahead else (test,)
    publish(msgspec.structs.replace(rules(*steps, status="draft"), generation=2))
    member(shop, "u#mid", ENTERED)
    go_live(shop, placed=True, generation=3, steps=steps)
    bring_in(shop)
    (run,) = runs.list_runs("u#mid")
    assert (run.path, run.variants) == (("0", {}) if ahead else ("0.all.0", {"t": "all"}))
    shop.derive(an_event("Identified", who="u#new", type="identify", id="i-new", traits={"reader": True}, at=shop.now))
    shop.follow()
    shop.wait(27 * DAY)
    shop.wait(DAY + HOUR)
    assert [it.test for it in participants.list_participants("u#mid")] == ["t"] * ahead
    assert len(participants.list_participants("u#new")) == 1 - ahead
    if not ahead:
        assert runs.list_runs("u#mid")[0].ended is not None
