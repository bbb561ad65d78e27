"""The laws of all conditions, as marketers write them: answers stay until they expire, and are the reference's."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest
import reference
from hypothesis import Phase, assume, given, note, settings
from hypothesis import strategies as st
from spoken import (
    BEHAVIOUR,
    END,
    FILES,
    GRID,
    MIDNIGHT,
    PERSON,
    SEGMENTS,
    STATE,
    STEP,
    Scene,
    Spoken,
    compile_files,
    lives,
    scenes,
)
from strategies import known_in_part

from cartwake.bundles import Bundle
from cartwake.conditions import kinds
from cartwake.conditions.kinds import Answer, Verdict
from cartwake.conditions.parts import walk
from cartwake.events import Event
from cartwake.profiles import NO_LOT, Profile, State, fold, pack, unpack
from cartwake.segments import View, absorb, adopt, advance, check, finish, is_member
from cartwake.times import DAY, NEVER

NOWS = st.one_of(st.sampled_from(GRID), st.integers(GRID[0] - STEP, END), st.just(MIDNIGHT + 7 * DAY))
HORIZON = 400 * DAY


def fold_all(events: list[Event], rules: Bundle) -> State:
    state = adopt(Profile(who="u#1"), rules, 0).state
    for event in events:
        state = fold(state, event, rules.needs)
    return state


@st.composite
def parts(draw: st.DrawFn, state: State) -> State:
    """The same profile, of which not everything is known."""
    part = draw(known_in_part(state, st.one_of(st.sampled_from(GRID), st.integers(GRID[0], END)), SEGMENTS))
    return part if draw(st.booleans()) else msgspec.structs.replace(part, lot=NO_LOT)


def ask(name: str, state: State, rules: Bundle, now: int) -> Verdict:
    return check(rules.segments[name].where, View(state, rules, now))


def list_later(now: int, until: int) -> Iterator[int]:
    """Instants before *until* at which something is most likely to go wrong."""
    end = min(until, now + HORIZON)
    yield end - 1
    yield from (at for tick in GRID for at in (tick - 1, tick, tick + 1) if now < at < end)
    yield from (at for days in (1, 2, 30, 180, 365) if now < (at := MIDNIGHT + days * DAY) < end)


@given(scenes(), NOWS, st.integers(1, HORIZON), st.data())
def test_an_answer_stays_until_it_expires(scene: Scene, now: int, later: int, data: st.DataObject) -> None:
    """For any condition and profile, known as little as may be, the answer is the same until its expiry."""
    rules, events = scene
    state = data.draw(parts(fold_all(events, rules)))
    for name in SEGMENTS:
        verdict = ask(name, state, rules, now)
        assert verdict.until > now
        for at in {*list_later(now, verdict.until), now + later % (min(verdict.until, now + HORIZON) - now)}:
            assert ask(name, state, rules, at).answer is verdict.answer


@given(scenes(), st.integers(0, 2 * STEP), st.data())
def test_what_is_not_known_is_never_taken_for_known(scene: Scene, later: int, data: st.DataObject) -> None:
    """An answer from a part of the past is the answer from all of it, or unknown."""
    rules, events = scene.rules, [it for it in scene.events if not it.bot]
    assume(events)
    now = max(it.received_at for it in events) + later
    part = data.draw(parts(fold_all(events, rules)))
    truth = reference.holds(rules.segments["a"].where, reference.Past(tuple(events), rules, now))
    assert ask("a", part, rules, now).answer in {Answer.UNKNOWN, Answer.HOLDS if truth else Answer.FAILS}


SIMPLE = (
    kinds.Did,
    kinds.Amount,
    kinds.Sequence,
    kinds.Edge,
    kinds.Moment,
    kinds.Age,
    kinds.Anniversary,
    kinds.Predicted,
)
"""What is not composed of others. A score is exact too, but where it is: see the tests of scores."""
LEAF = st.one_of(*BEHAVIOUR.values(), *PERSON.values(), STATE["orders"], STATE["risk"], STATE["next_order"])
TOLD = LEAF.flatmap(lambda rule: st.tuples(st.just(rule), lives(json.dumps(rule), 12)))


@given(TOLD, st.one_of(st.integers(0, STEP), st.integers(0, 200 * DAY)))
def test_the_expiry_of_what_is_not_composed_is_exact(told: tuple[Spoken, list[Event]], later: int) -> None:
    """With all events in the past, the answer at an expiry is another one: nobody is looked at for nothing."""
    rule, events = told
    rules = compile_files(FILES | {"segments/a.json": {"name": "a", "where": rule}})
    state, now = fold_all(events, rules), max([it.occurred_at for it in events], default=MIDNIGHT) + later
    for condition in walk(rules.segments["a"].where):
        verdict = check(condition, View(state, rules, now))
        note(f"{condition} {verdict} at {now}")
        assert verdict.until > now
        if isinstance(condition, SIMPLE) and verdict.until < NEVER:
            assert check(condition, View(state, rules, verdict.until)).answer is not verdict.answer


class Story:
    """A profile that hears of events one after the other, and what the reference says of it."""

    def __init__(self, rules: Bundle) -> None:
        self.profile = adopt(Profile(who="u#1"), rules, 0)
        self.rules = rules
        self._told: tuple[Event, ...] = ()
        self._entered: frozenset[str] = frozenset()

    def hear(self, event: Event, *, stored: bool) -> None:
        # what time alone brings at this very instant comes before the event
        self._step(event.received_at + 1)
        self.profile, _ = absorb(self.profile, event, self.rules)
        if not event.bot:
            self._told = (*self._told, event)
        if stored:
            finished = finish(self.profile, self.rules, event.received_at)
            self.profile = msgspec.structs.replace(finished, state=unpack(pack(finished.state)))

    def check(self, now: int) -> None:
        """See that memberships are what the reference says, now and wherever they changed on the way."""
        self._step(now)
        self.profile, _ = advance(self.profile, self.rules, now)
        self._compare(self.profile, now)

    def _step(self, end: int) -> None:
        """See it at each expiry before *end*, on the way of a profile that is looked at there."""
        stepped = self.profile
        while (at := min((it.until for it in stepped.state.memberships.values()), default=end)) < end:
            stepped, _ = advance(stepped, self.rules, at)
            self._compare(stepped, at)

    def _compare(self, profile: Profile, now: int) -> None:
        if not self._told:
            return
        past = reference.Past(self._told, self.rules, now, entered=self._entered)
        members = {name for name in SEGMENTS if reference.holds(self.rules.segments[name].where, past)}
        assert {name for name in SEGMENTS if is_member(profile.state.memberships.get(name))} == members
        self._entered |= members


@given(scenes(10), st.lists(st.booleans(), min_size=10, max_size=10))
def test_memberships_are_those_of_the_reference(scene: Scene, stored: list[bool]) -> None:
    """After each event, and whenever time passes, memberships are what the whole history says by the definitions."""
    story = Story(scene.rules)
    by_receipt = sorted(scene.events, key=lambda it: it.received_at)
    ticks = [at for tick in GRID[::2] for at in (tick - 1, tick)] + [END, MIDNIGHT + DAY, MIDNIGHT + 181 * DAY]
    for event, is_stored in zip(by_receipt, stored, strict=False):
        for tick in [it for it in ticks if it < event.received_at]:
            story.check(tick)
            ticks.remove(tick)
        story.hear(event, stored=is_stored)
        story.check(event.received_at)
    for tick in ticks:
        story.check(tick)


@pytest.mark.prove
def test_every_kind_is_reached() -> None:
    """These laws say something of every kind of condition: among what is drawn each holds, fails and expires."""
    seen: Counter[str] = Counter()

    @settings(max_examples=10_000, derandomize=True, database=None, phases=[Phase.generate])
    @given(scenes(), st.sampled_from(GRID[4:]))
    def look(scene: Scene, now: int) -> None:
        state = fold_all(scene.events, scene.rules)
        for segment in scene.rules.segments.values():
            for condition in walk(segment.where):
                verdict = check(condition, View(state, scene.rules, now))
                kind = condition.of if isinstance(condition, kinds.Predicted) else type(condition).__name__
                seen.update([f"{kind} {verdict.answer}"] + [f"{kind} expires"] * (verdict.until < NEVER))

    look()
    names = [kind.__name__ for kind in get_args(kinds.Condition) if kind is not kinds.Predicted]
    names += ["next_order", "churn_risk", "orders", "value", "rhythm", "expected_value"]
    forever = {"Trait", "Known", "Share", "orders", "value", "rhythm"}
    wanted = {f"{kind} {it}" for kind in names for it in ("holds", "fails", "expires")}
    wanted -= {f"{kind} expires" for kind in forever}
    assert [it for it in sorted(wanted) if not seen[it]] == []
