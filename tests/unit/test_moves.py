"""Rules of moves: awaited events and conditions, goals, splits, and steps with conditions of their own."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from builders import CART, NEEDS, NOON, a_bundle, an_event
from hypothesis import given
from hypothesis import strategies as st

from cartwake.conditions.kinds import Did, Start, Trait
from cartwake.events import short_id
from cartwake.journeys import (
    Await,
    Branch,
    Goal,
    Happening,
    Send,
    Split,
    Step,
    Stop,
    Tell,
    UntilClock,
    UntilDate,
    Variant,
    Wait,
)
from cartwake.moves import choose, decide
from cartwake.profiles import Profile, Register, State, fold, prepare
from cartwake.reasons import EndReason, Skip
from cartwake.runs import Advance, End, Move, Replan, Rules, Run, follow, tell
from cartwake.segments import View
from cartwake.statements import Channel
from cartwake.times import DAY, HOUR, MINUTE
from cartwake.values import Exists

MAIL = Send(channel=Channel.EMAIL, template="cart-1")
SMS = Send(channel=Channel.SMS, template="cart-sms")
PHONE = Trait(name="phone", test=Exists())
SEEN = Happening(name="Page Viewed", tracker="viewed")
KNOWN = Happening(name="trait", condition=PHONE)
TAG = Tell(event="Tag Added", properties={"tag": "vip"})


def rules(*steps: Step, **changes: object) -> Rules:
    journey = msgspec.structs.replace(CART, steps=steps, filter=None, exits=(), **changes)
    bundle = a_bundle(journeys={"cart": journey})
    return Rules(bundle, bundle)


def a_run(**changes: object) -> Run:
    run = Run(who="u#1", journey="cart", id="r", due_at=NOON, entered_at=NOON, start=Start(NOON), bundle="b")
    return msgspec.structs.replace(run, **changes)


def a_profile(*seen_at: int, lot: int = 7, **traits: object) -> Profile:
    state = prepare(State(lot=lot), NEEDS, complete_from=0)
    for at in seen_at:
        state = fold(state, an_event("Page Viewed", at=at), NEEDS)
    registers = {name: Register(value, NOON, 1) for name, value in traits.items()}
    return Profile(who="u#1", version=1, state=msgspec.structs.replace(state, traits=registers))


def advance(move: Move) -> Advance:
    assert isinstance(move, Advance), move
    return move


def planned(move: Move) -> tuple[str, Skip | None] | None:
    """The path of the message that a move plans, and why it is not sent."""
    assert isinstance(move, Advance | End)
    return (move.planned.path, move.planned.skip) if move.planned else None


AWAIT = Await(happening=SEEN, at_most_ms=DAY, then=(MAIL,), otherwise=(SMS,))
WAITING = {"path": "0", "seq": 3, "wait_from": NOON, "due_at": NOON + DAY, "watching": True}


def test_a_wait_for_an_event_ends_when_it_happens() -> None:
    """It comes back when its time is over, is looked at whenever asked, and goes one way or the other."""
    begun = advance(decide(a_run(seq=1), a_profile(), rules(AWAIT), NOON))
    assert (begun.due_at, begun.wait_from, begun.watching) == (NOON + DAY, NOON, True)
    waiting = a_run(**WAITING)
    assert decide(waiting, a_profile(), rules(AWAIT), NOON + HOUR) == Replan(due_at=NOON + DAY)
    assert planned(decide(waiting, a_profile(NOON + MINUTE), rules(AWAIT), NOON + HOUR)) == ("0.then.0", None)
    assert planned(decide(waiting, a_profile(), rules(AWAIT), NOON + DAY)) == ("0.else.0", None)


def test_what_happened_before_the_wait_does_not_end_it() -> None:
    """An event counts from the beginning of the wait on: an opening of the first mail is none of the second."""
    waiting = a_run(**WAITING)
    assert isinstance(decide(waiting, a_profile(NOON - 1), rules(AWAIT), NOON + HOUR), Replan)
    assert planned(decide(waiting, a_profile(NOON), rules(AWAIT), NOON + HOUR)) == ("0.then.0", None)


def test_the_event_that_started_the_run_is_not_the_one_it_waits_for() -> None:
    """Where a journey begins with such a wait, all that happened after the starting event counts, and not that one."""
    seen = an_event("Page Viewed", at=NOON - MINUTE)
    start = Start(seen.occurred_at, seen.short_id)
    begun = decide(a_run(start=start), a_profile(NOON - MINUTE), rules(AWAIT), NOON)
    assert advance(begun).wait_from == NOON
    both = a_profile(NOON - MINUTE, NOON - 1)
    assert planned(decide(a_run(start=start), both, rules(AWAIT), NOON)) == ("0.then.0", None)


def test_a_wait_for_a_condition_comes_back_when_time_alone_may_change_it() -> None:
    """An answer has an expiry: a wait for "no visit for 6 hours" is looked at when that may be so."""
    quiet = Did(tracker="viewed", op="at_most", count=0, within_ms=6 * HOUR)
    step = Await(happening=Happening(name="did_not", condition=quiet), at_most_ms=DAY, then=(MAIL,))
    waiting, seen = a_run(**WAITING), a_profile(NOON - HOUR)
    assert decide(waiting, seen, rules(step), NOON + HOUR) == Replan(due_at=NOON + 5 * HOUR)
    again = msgspec.structs.replace(waiting, due_at=NOON + 5 * HOUR)
    assert planned(decide(again, seen, rules(step), NOON + 5 * HOUR)) == ("0.then.0", None)


def test_a_look_that_changes_nothing_writes_nothing() -> None:
    """Whoever comes back too early waits on as was planned, also where the answer has got a later expiry."""
    quiet = Did(tracker="viewed", op="at_most", count=0, within_ms=6 * HOUR)
    step = Await(happening=Happening(name="did_not", condition=quiet), at_most_ms=DAY)
    waiting = a_run(**(WAITING | {"due_at": NOON + 5 * HOUR}))
    assert decide(waiting, a_profile(NOON + HOUR), rules(step), NOON + HOUR) == Replan(due_at=NOON + 5 * HOUR)


def test_an_unknown_condition_has_not_come() -> None:
    """Over incomplete state a wait goes on, and takes the other way in the end."""
    step = Await(happening=Happening(name="did", condition=Did(tracker="nobody kept it")), at_most_ms=DAY)
    waiting = a_run(**WAITING)
    assert isinstance(decide(waiting, a_profile(), rules(step), NOON + HOUR), Replan)
    assert decide(waiting, a_profile(), rules(step), NOON + DAY) == End(reason=EndReason.COMPLETED, variants={})


GOAL = Goal(happening=SEEN)


def test_a_goal_is_jumped_to_from_wherever_before_it() -> None:
    """As soon as it is reached the run goes on behind it, out of any wait, and whatever lay between is left out."""
    steps = rules(Wait(for_ms=DAY), Branch(condition=PHONE, then=(Wait(for_ms=DAY), MAIL)), SMS, GOAL, MAIL)
    seen = a_profile(NOON + MINUTE)
    for path in ("0", "1", "1.then.0", "2"):
        waiting = a_run(path=path, seq=3, wait_from=NOON, due_at=NOON + DAY, watching=True)
        assert planned(decide(waiting, seen, steps, NOON + HOUR)) == ("4", None)


def test_what_comes_behind_a_goal_is_as_fresh_as_the_goal() -> None:
    """Not as old as the message that sending hours held before it, which is left out."""
    held = a_run(path="0", seq=3, due_at=NOON + 12 * HOUR, quiet_from=NOON, watching=True)
    move = decide(held, a_profile(NOON + MINUTE), rules(SMS, GOAL, MAIL), NOON + HOUR)
    assert isinstance(move, End)
    assert move.planned is not None
    assert (move.planned.path, move.planned.due_at) == ("2", NOON + HOUR)


def test_a_goal_counts_from_the_start() -> None:
    """What happened before the run began does not reach it; before it is reached nothing changes."""
    waiting = a_run(path="0", seq=3, wait_from=NOON, due_at=NOON + DAY, watching=True)
    assert decide(waiting, a_profile(NOON - 1), rules(Wait(for_ms=DAY), GOAL), NOON + HOUR) == Replan(due_at=NOON + DAY)


def test_a_run_never_goes_back_to_a_goal() -> None:
    """Behind a goal it is a thing of the past: no run goes in a circle."""
    run = a_run(path="1", seq=3, wait_from=NOON, due_at=NOON + DAY)
    assert decide(run, a_profile(NOON + 1), rules(GOAL, Wait(for_ms=DAY)), NOON + HOUR) == Replan(due_at=NOON + DAY)


def test_the_furthest_goal_counts() -> None:
    """Of several that are reached, the last in the list."""
    steps = rules(Wait(for_ms=DAY), GOAL, MAIL, Goal(happening=KNOWN), SMS)
    assert planned(decide(a_run(), a_profile(NOON + 1, phone="+49"), steps, NOON + 1)) == ("4", None)
    assert planned(decide(a_run(), a_profile(NOON + 1), steps, NOON + 1)) == ("2", None)


@pytest.mark.parametrize(("or_end", "path"), [(False, "1"), (True, None)])
def test_who_comes_to_a_goal_without_it(or_end: bool, path: str | None) -> None:
    """The run goes on, or ends there if the file says so."""
    move = decide(a_run(), a_profile(), rules(Goal(happening=SEEN, or_end=or_end), MAIL), NOON)
    assert isinstance(move, End)
    assert (move.planned.path if move.planned else None) == path
    assert move.by == ("goal" if or_end else "")


def test_only_runs_that_something_can_move_are_watched() -> None:
    """Before a goal, and in a wait for something, a run is looked at when something happens; else only when due."""
    wait = Wait(for_ms=HOUR)
    for steps, path, watching in (
        ((wait, GOAL), "0", True),
        ((GOAL, wait), "1", False),
        ((wait,), "0", False),
        ((AWAIT,), "0", True),
    ):
        assert advance(decide(a_run(), a_profile(), rules(*steps), NOON)).watching is watching
        assert advance(decide(a_run(), a_profile(), rules(*steps), NOON)).path == path


def test_a_condition_of_a_messages_own() -> None:
    """Where it does not hold the message is kept as skipped, with the reason; the run goes on."""
    step = msgspec.structs.replace(SMS, only_if=PHONE)
    assert planned(decide(a_run(), a_profile(), rules(step), NOON)) == ("0", Skip.CONDITION)
    assert planned(decide(a_run(), a_profile(phone="+49"), rules(step), NOON)) == ("0", None)


@pytest.mark.parametrize(
    "step",
    [
        Wait(for_ms=HOUR, only_if=PHONE),
        UntilClock(minute=0, only_if=PHONE),
        UntilDate(date="2026-12-31", only_if=PHONE),
        Await(happening=SEEN, at_most_ms=DAY, only_if=PHONE),
        Branch(condition=PHONE, otherwise=(SMS,), only_if=PHONE),
        Split(salt="s", variants=(Variant(name="a", micros=1_000_000, steps=(SMS,)),), only_if=PHONE),
        Stop(why="known", only_if=PHONE),
        Goal(happening=SEEN, or_end=True, only_if=PHONE),
        msgspec.structs.replace(TAG, only_if=PHONE),
    ],
)
def test_any_step_may_have_a_condition(step: Step) -> None:
    """Where it does not hold as the run comes there, the run passes over the step, and all that is inside of it."""
    move = decide(a_run(), a_profile(), rules(step, MAIL), NOON)
    assert isinstance(move, End)
    assert planned(move) == ("1", None)
    assert move.told == ()


def test_a_wait_is_not_left_because_its_condition_fails_later() -> None:
    """The condition is judged as the run comes there, and not again while it waits."""
    step = msgspec.structs.replace(AWAIT, only_if=PHONE)
    waiting = a_run(**WAITING)
    assert decide(waiting, a_profile(), rules(step, MAIL), NOON + MINUTE) == Replan(due_at=NOON + DAY)


@pytest.mark.parametrize(("late_ms", "told"), [(HOUR, 1), (HOUR + 1, 0)])
def test_a_step_has_a_last_useful_moment(late_ms: int, told: int) -> None:
    """A run that comes later than not_after, because it was held, passes over the step."""
    step = msgspec.structs.replace(TAG, not_after_ms=HOUR)
    move = decide(a_run(), a_profile(), rules(step), NOON + late_ms)
    assert isinstance(move, End)
    assert len(move.told) == told


def test_what_a_step_tells_is_an_event_of_our_own() -> None:
    """Its id is a function of run and step; it says who told it, and a server's trust lets it set a tag."""
    step = Tell(event="Traits Set", traits={"stage": "late"})
    move = decide(a_run(), a_profile(), rules(TAG, step), NOON)
    assert isinstance(move, End)
    tag, trait = tell(a_run(), move, NOON)
    assert tag.properties == {"tag": "vip", "journey": "cart"}
    assert trait.traits == {"stage": "late"}
    assert tag.id != trait.id
    assert tell(a_run(), move, NOON) == [tag, trait]
    state = fold(fold(State(), tag, {}), trait, {})
    assert (state.tags["vip"].value, state.traits["stage"].value) == ("vip", "late")


def test_of_what_is_told_at_once_the_later_step_counts() -> None:
    """A tag that is set and taken away within a millisecond is gone: no two events of a run have the same time."""
    untag = msgspec.structs.replace(TAG, event="Tag Removed")
    move = decide(a_run(), a_profile(), rules(TAG, untag, TAG, untag), NOON)
    told = tell(a_run(told_at=NOON + 5), move, NOON)
    assert [event.occurred_at - NOON for event in told] == [6, 7, 8, 9]
    state = State()
    for event in reversed(told):
        state = fold(state, event, {})
    assert state.tags["vip"].value == ""


def test_not_everything_is_told_at_once() -> None:
    """So many steps in a row become several moves, each of which fits in a transaction."""
    run, told, moves = a_run(), 0, 0
    steps = rules(*[TAG] * 45)
    while True:
        move = decide(run, a_profile(), steps, NOON)
        assert isinstance(move, Advance | End)
        assert len(move.told) <= 20
        told, moves = told + len(move.told), moves + 1
        if isinstance(move, End):
            break
        run = msgspec.structs.replace(follow(run, move), seq=run.seq + 1)
    assert (told, moves) == (45, 3)


def test_an_end_in_the_middle() -> None:
    """`end` ends the run, says why, and what was planned before it is sent."""
    steps = rules(MAIL, Branch(condition=PHONE, otherwise=(Stop(why="no phone"),)), SMS)
    move = decide(a_run(), a_profile(), steps, NOON)
    assert isinstance(move, End)
    assert (move.reason, move.by, planned(move)) == (EndReason.COMPLETED, "no phone", ("0", None))


TEST = Split(
    salt="test subject",
    test="subject",
    variants=(
        Variant(name="hold-out", micros=100_000),
        Variant(name="a", micros=450_000, steps=(MAIL,)),
        Variant(name="b", micros=450_000, steps=(SMS,)),
    ),
)


def test_a_variant_is_kept_at_the_run_and_its_messages() -> None:
    """From the test on every message says which variants led to it; who is held out goes on behind."""
    found = {}
    for lot in range(40):
        move = decide(a_run(), a_profile(lot=lot), rules(TEST), NOON)
        assert isinstance(move, End)
        assert move.variants is not None
        found[move.variants["subject"]] = move.planned and (move.planned.path, move.planned.variant)
    assert found == {"hold-out": None, "a": ("0.a.0", "subject=a"), "b": ("0.b.0", "subject=b")}


@given(st.integers(0, 2**62), st.text(max_size=20), st.integers(1, 999_999))
def test_a_variant_is_stable(lot: int, salt: str, micros: int) -> None:
    """One shopper and one test always give the same variant, whatever the journey, the run and the time."""
    step = Split(salt=salt, variants=(Variant(name="a", micros=micros), Variant(name="b", micros=1_000_000 - micros)))
    state = State(lot=lot)
    one = choose(step, View(state, a_bundle(), NOON), "u#1")
    assert one == choose(step, View(state, a_bundle(), NOON + DAY), "u#2")
    wider = Split(salt=salt, variants=(Variant(name="a", micros=1_000_000), Variant(name="b", micros=0)))
    assert choose(wider, View(state, a_bundle(), NOON), "u#1").name == "a"


def test_variants_get_the_share_that_is_said() -> None:
    """Of many shoppers each way gets about its share, and one test says nothing of another."""
    drawn = [short_id(f"u#{number}") for number in range(20_000)]
    other = msgspec.structs.replace(TEST, salt="test other")
    pairs = Counter(
        tuple(choose(step, View(State(lot=lot), a_bundle(), NOON), "u").name for step in (TEST, other)) for lot in drawn
    )
    for one, share in (("hold-out", 0.1), ("a", 0.45), ("b", 0.45)):
        for two, beside in (("hold-out", 0.1), ("a", 0.45), ("b", 0.45)):
            assert pairs[one, two] / 20_000 == pytest.approx(share * beside, abs=0.01)


def list_steps(depth: int) -> st.SearchStrategy[tuple[Step, ...]]:
    """Steps of every kind, in each other."""
    conditions = st.none() | st.just(PHONE)
    leaves: list[st.SearchStrategy[Step]] = [
        st.sampled_from([MAIL, SMS, TAG, Wait(for_ms=HOUR), Stop(why="so")]),
        st.builds(
            UntilClock, minute=st.integers(0, 1439), days=st.sampled_from([(), (0,), (5, 6)]), only_if=conditions
        ),
        st.builds(Wait, for_ms=st.just(MINUTE), only_if=conditions, not_after_ms=st.sampled_from([0, HOUR])),
    ]
    if depth == 0:
        return st.lists(st.one_of(leaves), max_size=3).map(tuple)
    below = list_steps(depth - 1)
    happening = st.sampled_from([SEEN, KNOWN])
    ways: st.SearchStrategy[Any] = st.tuples(below, below).map(
        lambda both: (
            Variant(name="a", micros=300_000, steps=both[0]),
            Variant(name="b", micros=700_000, steps=both[1]),
        )
    )
    inner: list[st.SearchStrategy[Step]] = [
        st.builds(Branch, condition=st.just(PHONE), then=below, otherwise=below, only_if=conditions),
        st.builds(Await, happening=happening, at_most_ms=st.just(DAY), then=below, otherwise=below, only_if=conditions),
        st.builds(UntilDate, trait=st.just("due"), every_year=st.booleans(), otherwise=below),
        st.builds(Split, salt=st.just("s"), test=st.sampled_from(["", "t"]), variants=ways),
    ]
    return st.lists(st.one_of(leaves + inner), max_size=3).map(tuple)


MOST_LOOKS = 4_000
"""Nine waits for an anniversary follow one another at most, and a goal is looked for each day of their years."""


@given(
    list_steps(2),
    st.lists(st.builds(Goal, happening=st.sampled_from([SEEN, KNOWN]), or_end=st.booleans()), max_size=2),
    st.lists(st.integers(0, 30), max_size=3),
    st.sampled_from([{}, {"phone": "+49"}, {"due": "2026-12-01"}]),
    st.lists(st.integers(1, 20), max_size=5),
)
def test_a_walk_always_ends(
    steps: tuple[Step, ...], goals: list[Goal], hours: list[int], traits: dict[str, str], early: list[int]
) -> None:
    """Whatever the steps, the events and the looks between: each due time lies ahead, and the run comes to its end."""
    own = rules(*steps, *goals, MAIL)
    run, now, seen, messages = a_run(), NOON, sorted(NOON + hour * HOUR for hour in hours), []
    for count in range(MOST_LOOKS):
        profile = a_profile(*(at for at in seen if at <= now), **traits)
        move = decide(run, profile, own, now)
        assert isinstance(move, Advance | End | Replan)
        if isinstance(move, Advance | End) and move.planned is not None:
            messages.append(move.planned.path)
        if isinstance(move, End):
            break
        assert move.due_at >= min(now, run.due_at)
        run = follow(run, move) if isinstance(move, Advance) else msgspec.structs.replace(run, due_at=move.due_at)
        run = msgspec.structs.replace(run, seq=run.seq + 1)
        # looks in between are harmless
        now = min(now + HOUR, run.due_at) if count in early else max(now, run.due_at)
    else:
        raise AssertionError("the run never ended")
    assert len(messages) == len(set(messages))


@pytest.mark.parametrize(
    "steps", [(AWAIT,), (TAG, AWAIT), (Branch(condition=PHONE, then=(MAIL,), otherwise=(AWAIT,)),)]
)
def test_what_came_before_the_first_look_counts(steps: tuple[Step, ...]) -> None:
    """At a journey's beginning all that came after what started it counts, also behind a branch or a tag."""
    move = decide(a_run(), a_profile(NOON + MINUTE), rules(*steps), NOON + HOUR)
    assert planned(move) is not None
    assert move.planned.step == MAIL  # type: ignore[union-attr]


def test_a_run_keeps_its_variant() -> None:
    """Also where two profiles turn out to be one shopper, whose number is another one then."""
    ways = tuple(Variant(name=name, micros=500_000, steps=(MAIL,)) for name in "ab")
    twice = rules(split := Split(salt="test s", test="s", variants=ways), Wait(for_ms=DAY), split)
    run = follow(a_run(), advance(decide(a_run(), a_profile(lot=7), twice, NOON)))
    run = msgspec.structs.replace(run, seq=1)
    later = [decide(run, a_profile(lot=lot), twice, run.due_at) for lot in range(40)]
    assert {move.planned.variant for move in later if isinstance(move, Advance | End) and move.planned} == {
        f"s={run.variants['s']}"
    }


def test_a_goal_that_time_alone_brings_about_is_looked_for() -> None:
    """A run comes back when the answer may change, and once a day: what only a publish changes tells nobody."""
    quiet = Did(tracker="viewed", op="at_most", count=0, within_ms=HOUR)
    journey = rules(Wait(for_ms=30 * DAY), Goal(happening=Happening(name="no visit", condition=quiet)), MAIL)
    seen = a_profile(NOON - MINUTE)
    begun = advance(decide(a_run(), seen, journey, NOON))
    assert NOON + HOUR - MINUTE <= begun.due_at <= NOON + HOUR
    waiting = msgspec.structs.replace(follow(a_run(), begun), seq=1)
    assert planned(decide(waiting, seen, journey, begun.due_at)) == ("2", None)
    never = rules(Wait(for_ms=30 * DAY), Goal(happening=KNOWN), MAIL)
    assert advance(decide(a_run(), a_profile(), never, NOON)).due_at == NOON + DAY


def test_all_messages_are_late_after_a_pause() -> None:
    """The second of two in a row was due when the first was."""
    move = advance(decide(a_run(held=True), a_profile(), rules(MAIL, SMS), NOON + 3 * DAY))
    assert (move.path, move.due_at) == ("1", NOON)
