"""A profile is a join: no order, repetition, batch or way of merging matters, whatever the rules remember."""

import random

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from spoken import END, GRID, MIDNIGHT, SEGMENTS, Scene, scenes

from cartwake.bundles import Bundle
from cartwake.conditions.behaviour import judge_count
from cartwake.conditions.kinds import Did
from cartwake.events import Event
from cartwake.profiles import Profile, State, fold, merge, pack, prepare, trim, unpack
from cartwake.segments import Signal, SignalKind, View, absorb, adopt, advance, check, finish
from cartwake.times import DAY
from cartwake.trackers import Entry, Need, Tracker, cut, join

LATER = MIDNIGHT + 14 * DAY
"""Nothing is delivered again after this."""


def fold_all(events: list[Event], rules: Bundle, *, begin: State | None = None) -> State:
    state = begin or prepare(State(), rules.needs, complete_from=0)
    for event in events:
        state = fold(state, event, rules.needs)
    return state


def answers(state: State, rules: Bundle, now: int) -> list[str]:
    return [check(rules.segments[name].where, View(state, rules, now)).answer for name in SEGMENTS]


class Listener:
    """Absorbs events, and remembers what journeys would hear of segments."""

    def __init__(self, rules: Bundle, who: str = "u#1") -> None:
        self.rules = rules
        self.profile = adopt(Profile(who=who), rules, 0)
        self.signals: list[Signal] = []

    def hear(self, event: Event) -> None:
        self.profile, signals = absorb(self.profile, event, self.rules)
        self._note(signals)

    def wait(self, now: int) -> None:
        self.profile, signals = advance(self.profile, self.rules, now)
        self._note(signals)

    def store(self, now: int) -> None:
        finished = finish(self.profile, self.rules, now)
        self.profile = msgspec.structs.replace(finished, state=unpack(pack(finished.state)))

    def _note(self, signals: list[Signal]) -> None:
        self.signals += [it for it in signals if it.kind is not SignalKind.HAPPENED]


def by_receipt(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda it: (it.received_at, it.key, it.who))


@given(scenes(15), st.randoms(use_true_random=False), st.sampled_from([*GRID[6:], END]))
def test_order_and_repetition_change_nothing(scene: Scene, shuffler: random.Random, now: int) -> None:
    """Any order, and any event any number of times, gives the same state."""
    rules, events = scene
    doubled = events + [shuffler.choice(events) for _ in range(5) if events]
    shuffler.shuffle(doubled)
    assert trim(fold_all(doubled, rules), rules.needs, now) == trim(fold_all(events, rules), rules.needs, now)


@given(scenes(), st.lists(st.booleans(), min_size=12, max_size=12))
def test_batches_change_nothing(scene: Scene, stored: list[bool]) -> None:
    """Whether a profile is stored and woken between events, or after many: memberships and signals are the same."""
    rules, events = scene
    one, other = Listener(rules), Listener(rules)
    for event, is_stored in zip(by_receipt(events), stored, strict=False):
        one.hear(event)
        for tick in GRID:
            if is_stored and tick < event.received_at:
                other.wait(tick)
        other.hear(event)
        if is_stored:
            other.store(event.received_at)
    for tick in GRID:
        other.wait(tick)
    for listener in (one, other):
        listener.wait(END)
        listener.store(END)
    assert one.signals == other.signals
    assert one.profile == other.profile


def read_all(profile: Profile) -> tuple[State, dict[str, tuple[int, int, int]]]:
    """All that is known, and who is, was and will be where; but not until when that need not be looked at."""
    state = profile.state
    members = {name: (it.since, it.entered_at, it.left_at) for name, it in state.memberships.items() if it.entered_at}
    return msgspec.structs.replace(state, memberships={}, evaluated_at=0), members


@given(scenes(), st.data())
def test_a_late_repetition_changes_nothing(scene: Scene, data: st.DataObject) -> None:
    """An event may come again up to 14 days later, after others, when entries have been cut: nothing happens.

    But for one thing: where it has been cut, what is asked of it is not known for a moment, and is looked at once more.
    """
    rules, events = scene
    once, again = Listener(rules), Listener(rules)
    heard = by_receipt(events)
    for number, event in enumerate(heard):
        once.hear(event)
        again.hear(event)
        if data.draw(st.booleans()):
            again.hear(data.draw(st.sampled_from(heard[: number + 1])))
            again.store(event.received_at)
    for now in (END, LATER):
        for listener in (once, again):
            listener.wait(now)
            listener.store(now)
        for event in data.draw(st.lists(st.sampled_from(heard), max_size=4)) if heard else ():
            again.hear(event)
        again.store(now)
        assert once.signals == again.signals
        assert read_all(once.profile) == read_all(again.profile)


def essence(state: State, rules: Bundle, now: int) -> State:
    """All that is known of somebody, but for what depends on when it was looked at and asked by nothing."""
    trimmed = trim(state, rules.needs, now)
    trackers = {key: even_out(tracker, rules.needs[key]) for key, tracker in trimmed.trackers.items()}
    return msgspec.structs.replace(trimmed, trackers=trackers, memberships={}, evaluated_at=0, lot=0)


def even_out(tracker: Tracker, need: Need) -> Tracker:
    """Where more distinct values are kept than any count needs, it does not matter what was before them.

    A value that was cut, and comes again, was cut in vain: who heard of the two at once has cut nothing.
    """
    if not need.distinct or len(tracker.entries) <= need.latest:
        return tracker
    return msgspec.structs.replace(tracker, complete_from=max(tracker.complete_from, tracker.entries[0].at))


@given(scenes(18), st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=18, max_size=18))
def test_merging_is_the_same_as_having_been_one(scene: Scene, parts: list[tuple[int, bool]]) -> None:
    """Three profiles, in whatever order they are merged, are what one would be that had heard of everything."""
    rules, events = scene
    three = [Listener(rules, who) for who in ("u#1", "a#1", "a#2")]
    told = list(zip(by_receipt(events), parts, strict=False))
    for event, (part, is_stored) in told:
        three[part].hear(event)
        if is_stored:
            three[part].store(event.received_at)
    a, b, c = (it.profile.state for it in three)
    needs, whole = rules.needs, fold_all([event for event, _ in told], rules)
    for merged in (
        merge(merge(a, b, needs), c, needs),
        merge(a, merge(c, b, needs), needs),
        merge(c, merge(a, b, needs), needs),
    ):
        assert essence(merged, rules, END) == essence(whole, rules, END)
        assert merged.lot == min(a.lot, b.lot, c.lot)
    assert merge(a, a, needs) == a
    merged = msgspec.structs.replace(merge(merge(a, b, needs), c, needs), memberships={}, lot=a.lot)
    assert answers(merged, rules, END) == answers(msgspec.structs.replace(whole, lot=a.lot), rules, END)


TOLD = st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(0, 2), st.booleans())
"""When one of three heard of one of three values, and whether it was trimmed then."""


@given(st.lists(TOLD, min_size=2, max_size=7), st.integers(1, 3), st.sampled_from([0, 3]))
@example([(2, 2, 0, False), (5, 3, 0, False), (5, 2, 1, False)], 1, 0)
def test_no_count_notices_where_distinct_values_were_cut(
    told: list[tuple[int, int, int, bool]], latest: int, within_ms: int
) -> None:
    """What one has cut and another has heard of again: all that is counted, and until when, is as if nothing were."""
    need = Need(event="Page Viewed", distinct="page", latest=latest, within_ms=within_ms)
    parts, told = [Tracker()] * 3, sorted(told)
    entries = [Entry(at, number, value) for number, (at, value, *_) in enumerate(told)]
    for entry, (at, _, part, is_trimmed) in zip(entries, told, strict=True):
        heard = cut(msgspec.structs.replace(parts[part], entries=(*parts[part].entries, entry)), need)
        parts[part] = cut(heard, need, at) if is_trimmed else heard
    now = 6
    merged = cut(join(join(parts[0], parts[1], need), parts[2], need), need, now)
    whole = cut(Tracker(entries=tuple(entries)), need, now)
    assert merged.entries == whole.entries
    counts = [("at_least", count) for count in range(1, latest + 1)]
    counts += [(op, count) for op in ("at_most", "exactly") for count in range(latest)]
    for op, count in counts:
        condition = Did(tracker="t", within_ms=within_ms, op=op, count=count)
        for at in range(now, now + 5):
            assert judge_count(condition, merged, at, None) == judge_count(condition, whole, at, None)


@given(scenes(), st.integers(0, 12))
def test_who_was_merged_goes_on_as_one(scene: Scene, at: int) -> None:
    """After a merge further events of either are folded as if it had always been one profile."""
    rules, events = scene
    left, right, rest = events[: at // 2], events[at // 2 : at], events[at:]
    merged = merge(fold_all(left, rules), fold_all(right, rules), rules.needs)
    assert essence(fold_all(rest, rules, begin=merged), rules, END) == essence(fold_all(events, rules), rules, END)
