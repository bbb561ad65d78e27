"""Sweeps: history that is read in later is as if it had been there, starts nothing, and loses nothing."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
import pytest
from builders import NEEDS, NOON, VIP_THANKS, a_bundle, an_event, an_order
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import SEGMENTS, histories

from cartwake.backfill import find_kept_from, find_lacking
from cartwake.bundles import Bundle, Segment
from cartwake.conditions.kinds import Did
from cartwake.events import KEEP_MS, Event
from cartwake.journeys import Journey, Trigger
from cartwake.profiles import Kind, Membership, Profile, State
from cartwake.segments import Signal, SignalKind, absorb, adopt, advance, finish, is_member
from cartwake.sums import MOST_EXACT, SETTLED_AFTER_MS, Sum
from cartwake.sweeps import (
    PARTS,
    Aim,
    Moved,
    Outcome,
    SweepKind,
    Tally,
    add_all,
    begin,
    compare,
    count,
    follow,
    go_on,
    is_stale,
    repair,
    tell,
)
from cartwake.times import DAY, HOUR, MINUTE, SECOND
from cartwake.trackers import Entry, Need
from cartwake.trials import name_basis, name_candidate

LATER = NOON + HOUR
DEEP = NEEDS | {
    "cities": Need(event="Order Completed", distinct="product_id", latest=5),
    "first": Need(event="Order Completed", oldest=1),
    "ever": Need(event="Order Completed", amount="revenue", whole=True),
    "autumn": Need(event="Page Viewed", from_at=NOON - 30 * DAY, latest=3),
}
READ = ("Order Completed", "Product Added", "Product Removed", "Page Viewed", "Subscribed")


def rules(generation: int, **changes: Any) -> Bundle:
    """Return rules of a generation in which every segment has changed."""
    segments = {
        name: msgspec.structs.replace(it, events=READ, changed_generation=generation) for name, it in SEGMENTS.items()
    }
    journeys = {"thanks": VIP_THANKS, "hello": Journey(title="H", status="live", trigger=Trigger(event="Page Viewed"))}
    defaults = {"generation": generation, "needs": DEEP, "segments": segments, "journeys": journeys}
    return a_bundle(**defaults | changes)


POOR = rules(1, needs={}, segments={}, journeys={})
"""Nothing is remembered."""
RICH = rules(2)


class Shopper:
    """A stored profile; every change is as a write of derive_segments or sweep_profiles."""

    def __init__(self) -> None:
        self.profile = Profile(who="u#1")
        self.signals: list[Signal] = []

    def hear(self, event: Event, rules: Bundle) -> None:
        adopted = adopt(self.profile, rules, event.received_at)
        self._write(*absorb(adopted, event, rules), rules, event.received_at)

    def sweep(self, stored: Iterable[Event], rules: Bundle, now: int) -> Outcome | None:
        outcome = repair(self.profile, rules, read_from(stored), now=now)
        if outcome is not None and outcome.is_news:
            self._write(outcome.profile, outcome.signals, rules, now)
        return outcome

    def _write(self, profile: Profile, signals: Iterable[Signal], rules: Bundle, now: int) -> None:
        finished = finish(profile, rules, now)
        self.profile = msgspec.structs.replace(finished, version=self.profile.version + 1)
        self.signals += signals

    def at(self, rules: Bundle, now: int) -> Profile:
        """Return the profile as a wake would write it."""
        adopted, _ = advance(adopt(self.profile, rules, now), rules, now)
        return finish(adopted, rules, now)

    def members(self) -> set[str]:
        return answers(self.profile)


def read_from(stored: Iterable[Event]) -> Any:
    def read(names: Collection[str]) -> Iterator[Event]:
        return (event for event in stored if event.name in names)

    return read


def by_receipt(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.received_at, event.key))


def raised(events: Iterable[Event], rules: Bundle) -> Shopper:
    """Return a shopper whose profile knew these rules from the beginning."""
    shopper = Shopper()
    for event in by_receipt(events):
        shopper.hear(event, rules)
    return shopper


def remembered(profile: Profile) -> dict[str, tuple[tuple[Entry, ...], tuple[Sum, ...]]]:
    """Return what is remembered, without from when on that is all: it may be known well enough, and no better."""
    return {key: (it.entries, it.sums) for key, it in profile.state.trackers.items()}


def answers(profile: Profile) -> set[str]:
    return {name for name, it in profile.state.memberships.items() if is_member(it)}


def poor(events: Iterable[Event]) -> Shopper:
    """Return a shopper of whom nothing was remembered."""
    return raised(events, POOR)


@given(histories())
def test_backfill_is_as_if_it_had_been_there_from_the_beginning(history: list[Event]) -> None:
    """After a sweep trackers and memberships are those of a profile that knew the rules when it was founded."""
    assume(history)
    shopper, always = poor(history), raised(history, RICH)
    shopper.sweep(history, RICH, LATER)
    assert remembered(shopper.profile) == remembered(always.at(RICH, LATER))
    assert shopper.members() == answers(always.at(RICH, LATER))


@given(histories(), st.data())
def test_backfill_races_live_events(history: list[Event], data: st.DataObject) -> None:
    """Whatever is still on its way when the history is read, comes twice, or comes before the sweep: all are one."""
    assume(history)
    events = by_receipt(history)
    passed = data.draw(st.integers(1, len(events)), "derived before the rules changed")
    adopted = data.draw(st.integers(passed, len(events)), "derived under the new rules before the sweep")
    shopper = poor(events[:passed])
    for event in events[passed:adopted]:
        shopper.hear(event, RICH)
    shopper.sweep(events, RICH, LATER)
    late = data.draw(st.permutations(events[adopted:]), "derived after it")
    for event in (*late, *data.draw(st.lists(st.sampled_from(events), max_size=3), "delivered again")):
        shopper.hear(event, RICH)
    found, wanted = shopper.at(RICH, LATER), raised(events, RICH).at(RICH, LATER)
    assert remembered(found) == remembered(wanted)
    assert answers(found) == answers(wanted)


@given(histories(), st.data())
def test_no_trigger_is_lost_on_its_way(history: list[Event], data: st.DataObject) -> None:
    """Journeys hear of each event that is still on its way when history is read, though that may know it already.

    Nothing is on its way for fifteen days; of what would be, history may have told already.
    """
    events = by_receipt(history)
    assume(events)
    passed = data.draw(st.integers(1, len(events)))
    shopper = poor(events[:passed])
    shopper.sweep(events, RICH, LATER)
    for event in events[passed:]:
        shopper.hear(event, RICH)
    heard = {it.source for it in shopper.signals if it.kind is SignalKind.HAPPENED}
    triggers = [it for it in events[passed:] if it.name == "Page Viewed"]
    assert heard <= {it.key for it in triggers}
    assert heard >= {it.key for it in triggers if it.received_at + SETTLED_AFTER_MS > LATER}


@given(histories())
def test_history_starts_nothing(history: list[Event]) -> None:
    """What a new definition and read history change is changed silently, though journeys wait for it."""
    assume(history)
    shopper = poor(history)
    outcome = shopper.sweep(history, RICH, LATER)
    assert outcome is not None
    assert outcome.signals == ()


@given(histories())
def test_a_second_look_changes_nothing(history: list[Event]) -> None:
    """Whoever was swept is not written again: doubled messages cost a read."""
    assume(history)
    shopper = poor(history)
    shopper.sweep(history, RICH, LATER)
    again = repair(shopper.profile, RICH, read_from(history), now=LATER)
    assert again is not None
    assert not again.is_news
    assert count(again) == {}


def test_what_is_complete_is_not_read_again() -> None:
    """The events of a shopper are read once; the next sweep finds that nothing lacks."""
    history = [an_order(id=f"o{index}", at=NOON - index * DAY) for index in range(9)]
    shopper = poor(history)
    shopper.sweep(history, RICH, LATER)

    def never(names: Collection[str]) -> Iterator[Event]:
        raise AssertionError(names)

    again = repair(shopper.profile, RICH, never, now=LATER)
    assert again is not None
    assert not again.backfilled


def test_an_event_on_its_way_is_left_to_the_stream() -> None:
    """An order that was received after the profile was last looked at enters the segment with a signal."""
    shopper = poor([an_order(id="a", at=NOON - 3), an_order(id="b", at=NOON - 2)])
    third = an_order(id="c", at=NOON - 1)
    shopper.sweep([an_order(id="a", at=NOON - 3), an_order(id="b", at=NOON - 2), third], RICH, NOON)
    assert "vip" not in shopper.members()
    shopper.hear(third, RICH)
    assert "vip" in shopper.members()
    assert [it.name for it in shopper.signals if it.kind is SignalKind.ENTERED] == ["vip"]


def test_a_trigger_that_history_knows_already_still_starts_its_journey() -> None:
    """An event that is late in the stream, and was read as history before, is signalled when it comes."""
    first = an_event("Page Viewed", id="first", at=NOON - 10 * SECOND)
    late = an_event("Page Viewed", id="late", occurred_at=NOON - 8 * SECOND, received_at=NOON - 5 * SECOND)
    order = an_order(at=NOON - SECOND)
    shopper = poor([first, order])
    shopper.sweep([first, late, order], RICH, NOON)
    assert len(shopper.profile.state.trackers["autumn"].entries) == 2
    shopper.hear(late, RICH)
    assert [it.source for it in shopper.signals if it.kind is SignalKind.HAPPENED] == [late.key]


@pytest.mark.parametrize("sent_time", ["", "2026-10-22T12:00:00.001Z"])
def test_what_a_client_repeated_is_history_like_any_other(sent_time: str) -> None:
    """Its row is written anew, later than all that passed, and never comes by the stream: it was the last they did."""
    then = NOON - 30 * DAY
    wished = an_event("Wishlist Added", id="w", occurred_at=then + 1, received_at=then + 2, sent_time=sent_time)
    repeated = msgspec.structs.replace(wished, received_at=then + 10 * SECOND)
    if not sent_time:
        repeated = msgspec.structs.replace(repeated, occurred_at=repeated.received_at)
    wishes = {"wish": Need(event="Wishlist Added", latest=1, whole=True)}
    never = Segment(title="Never", where=Did(tracker="wish", op="at_most", count=0), changed_generation=2)
    shopper = poor([an_order(at=then), wished])
    shopper.sweep([an_order(at=then), repeated], rules(2, needs=wishes, segments={"never": never}), NOON)
    assert shopper.members() == set()
    assert [it.id for it in shopper.profile.state.trackers["wish"].entries] == [wished.short_id]


def test_what_a_client_repeated_is_counted_once() -> None:
    """Though its row says another time, by a moment, and another receipt than what was folded."""
    then = NOON - 30 * DAY
    orders = [
        an_order(id=f"o{index}", occurred_at=then + index * SECOND, received_at=then + index * SECOND + 9)
        for index in range(MOST_EXACT + 5)
    ]
    first, last = orders[0], orders[-1]
    month = {"sum": Need(event="Order Completed", amount="revenue", within_ms=31 * DAY)}
    shopper = raised(orders, rules(1, needs=month, segments={}))
    shopper.hear(an_event(at=NOON - 2 * DAY), rules(1, needs=month, segments={}))
    moved = {"occurred_at": last.occurred_at + 3, "received_at": last.received_at + 10 * SECOND}
    rows = [first, *orders[1:-1], msgspec.structs.replace(last, **moved)]
    year = {"sum": Need(event="Order Completed", amount="revenue", within_ms=365 * DAY)}
    shopper.profile = msgspec.structs.replace(shopper.profile, state=incomplete(shopper.profile.state, "sum", then))
    shopper.sweep(rows, rules(2, needs=year, segments={}), NOON)
    tracker = shopper.profile.state.trackers["sum"]
    assert len(tracker.entries) + sum(it.count for it in tracker.sums) == len(orders)


def incomplete(state: State, key: str, complete_from: int) -> State:
    """Return the state with a tracker that knows nothing of what was before."""
    tracker = msgspec.structs.replace(state.trackers[key], complete_from=complete_from)
    return msgspec.structs.replace(state, trackers=state.trackers | {key: tracker})


def test_unnoticed_events_are_found() -> None:
    """An event that changed nothing when it came is history like any other, though nothing was written for it."""
    opened = an_event("Email Opened", at=NOON - DAY, trust="own")
    needs = {"opened": Need(event="Email Opened")}
    segments = {
        "opener": Segment(title="O", where=Did(tracker="opened"), events=("Email Opened",), changed_generation=2)
    }
    shopper = poor([an_order(at=NOON - 2 * DAY), opened])
    shopper.sweep([opened], rules(2, needs=needs, segments=segments), NOON)
    assert shopper.members() == {"opener"}


def test_time_is_signalled() -> None:
    """What time alone has changed since is signalled, as after a wake."""
    orders = [an_order(id=f"o{index}", at=NOON - index) for index in range(3)]
    shopper = raised(orders, rules(1))
    newer = rules(2, segments=rules(1).segments)
    outcome = shopper.sweep(orders, newer, NOON + 91 * DAY)
    assert outcome is not None
    # one of the three orders has gone, then the others: vip was left on the way, with its journey told
    assert [(it.kind, it.name) for it in outcome.signals] == [(SignalKind.LEFT, "vip")]


def test_imported_and_foreign_history() -> None:
    """Imports are history; bots are nobody."""
    orders = [an_order(id=f"o{index}", at=NOON - index, backfill=True) for index in range(3)]
    bot = an_order(id="bot", at=NOON - 9, bot=True)
    shopper = poor(orders)
    shopper.sweep([*orders, bot], RICH, NOON)
    assert shopper.members() == {"vip"}
    assert len(shopper.profile.state.trackers["orders"].entries) == 3


def test_history_reaches_back_as_far_as_events_are_stored() -> None:
    """Of a profile older than the stored events, trackers are complete from the oldest of these on; no more lacks."""
    first = an_order(id="first", at=NOON - KEEP_MS)
    second = an_order(id="second", at=NOON - 300 * DAY)
    shopper = poor([first, second])
    outcome = shopper.sweep([second], RICH, NOON)
    assert outcome is not None
    assert outcome.backfilled
    trackers = shopper.profile.state.trackers
    assert trackers["ever"].complete_from == find_kept_from(NOON)
    assert trackers["orders"].complete_from <= NOON - 90 * DAY
    assert find_lacking(shopper.profile.state, RICH.needs, NOON + DAY) == {}


def test_a_profile_of_the_first_version_is_taken_to_be_old() -> None:
    """Where it was not noted when a profile was founded, its history is not said to be whole."""
    order = an_order(at=NOON - DAY)
    shopper = poor([order])
    state = msgspec.structs.replace(shopper.profile.state, created_at=0, evaluated_at=NOON - 2 * DAY)
    shopper.profile = msgspec.structs.replace(shopper.profile, state=state)
    shopper.sweep([order], RICH, NOON)
    assert shopper.profile.state.trackers["ever"].complete_from == find_kept_from(NOON)
    assert len(shopper.profile.state.trackers["ever"].entries) == 1


def test_a_deeper_need_loses_no_signal_of_an_older_segment() -> None:
    """When a tracker must reach further back, an event on its way still enters the segment that read it before."""
    three = Segment(title="3", where=Did(tracker="n", count=3), events=("Order Completed",), changed_generation=1)
    ten = Segment(title="10", where=Did(tracker="n", count=10), events=("Order Completed",), changed_generation=2)
    thanks = {"thanks": Journey(title="T", status="live", trigger=Trigger(entered="three"))}
    shallow = rules(1, needs={"n": Need(event="Order Completed", latest=1)}, segments={"three": three}, journeys=thanks)
    deep = rules(
        2, needs={"n": Need(event="Order Completed", latest=10)}, segments={"three": three, "ten": ten}, journeys=thanks
    )
    orders = [an_order(id=f"o{index}", at=NOON + index) for index in range(3)]
    shopper = raised(orders[:2], shallow)
    # a wake has looked at the profile since the third order was received, which is still in the stream
    state = msgspec.structs.replace(shopper.profile.state, evaluated_at=NOON + SECOND)
    shopper.profile = msgspec.structs.replace(shopper.profile, state=state)
    shopper.sweep(orders, deep, NOON + MINUTE)
    shopper.hear(orders[2], deep)
    assert [(it.kind, it.name) for it in shopper.signals] == [(SignalKind.ENTERED, "three")]


def test_thousands_of_events_are_added_up_as_if_they_had_come_one_by_one() -> None:
    """A lifetime total over more events than a tracker holds is whole after a backfill."""
    many = [an_order(id=f"o{index}", at=NOON - 300 * DAY + index * MINUTE, revenue=1) for index in range(2_500)]
    shopper = poor(many)
    shopper.sweep(many, RICH, NOON)
    ever = shopper.profile.state.trackers["ever"]
    assert ever.complete_from == 0
    assert len(ever.entries) + sum(each.count for each in ever.sums) == 2_500
    shopper.hear(many[0], RICH)
    assert shopper.profile.state.trackers["ever"] == ever


@pytest.mark.parametrize("kind", [Kind.POINTER, Kind.TOMBSTONE])
def test_pointers_and_the_erased_are_left_alone(kind: Kind) -> None:
    """Only profiles are looked at."""
    assert repair(Profile(who="u#1", kind=kind, version=2), RICH, read_from(()), now=NOON) is None
    assert repair(Profile(who="u#1"), RICH, read_from(()), now=NOON) is None


def test_who_is_not_concerned_is_not_written() -> None:
    """A changed definition that is not met, and that time cannot bring about, costs no write."""
    segments = {"o": Segment(title="O", where=Did(tracker="orders"), events=("Order Completed",), changed_generation=2)}
    shopper = raised([an_event(at=NOON)], rules(1, segments={}))
    outcome = shopper.sweep((), rules(2, segments=segments), LATER)
    assert outcome is not None
    assert not outcome.is_news
    shopper.hear(an_order(at=LATER), rules(2, segments=segments))
    assert shopper.members() == {"o"}


def test_who_will_be_concerned_by_time_is_written() -> None:
    """If a changed segment's answer expires, it is written: only so will journeys hear of what time then changes."""
    segments = {
        "quiet": Segment(title="Q", where=Did(tracker="viewed", op="at_most", count=0, within_ms=DAY), events=READ)
    }
    before = rules(1, segments=segments)
    shopper = raised([an_event(at=NOON)], before)
    changed = {"quiet": msgspec.structs.replace(segments["quiet"], title="R", changed_generation=2)}
    outcome = shopper.sweep((), rules(2, segments=changed), LATER)
    assert outcome is not None
    assert outcome.is_news


# ---- counting


def _outcome(before: set[str], after: set[str], names: set[str]) -> Outcome:
    def of(members: set[str]) -> Profile:
        state = Profile(who="u#1").state
        memberships = {name: Membership(NOON, entered_at=NOON) for name in members}
        return Profile(who="u#1", version=1, state=msgspec.structs.replace(state, memberships=memberships))

    return Outcome(before=of(before), profile=of(after), names=frozenset(names))


def test_only_changed_segments_are_counted() -> None:
    """People who move in a changed segment count, once each; in another one they are not the change's doing."""
    page = [
        _outcome({"a"}, {"b", "c"}, {"a", "b"}),
        _outcome({"a"}, {"a", "c"}, {"a", "b"}),
        _outcome(set(), {"b"}, {"a", "b"}),
    ]
    assert tell(page, read=5, written=3) == Tally(
        read=5, written=3, people=2, moved={"a": Moved(left=1), "b": Moved(entered=2)}
    )


def test_parts_add_up() -> None:
    """The tallies of all parts and pages add up; a part without a cursor after a page is done."""
    aim = Aim(bundle="b", generation=2, began_at=NOON)
    parts = begin(SweepKind.LIVE, aim)
    assert [part.number for part in parts] == list(range(PARTS))
    page = Tally(read=2, people=1, moved={"a": Moved(1, 0)})
    once = go_on(parts[0], cursor="u#5", found=page, now=NOON + 1)
    assert (once.done, once.cursor) == (False, "u#5")
    twice = go_on(once, cursor="", found=page, now=NOON + 2)
    assert twice.done
    assert add_all([twice, once]) == Tally(read=6, people=3, moved={"a": Moved(3, 0)})


def test_a_part_without_a_message_is_found() -> None:
    """A part that is not done and has not moved for five minutes is stale."""
    part = begin(SweepKind.LIVE, Aim(bundle="b", generation=2, began_at=NOON))[0]
    assert not is_stale(part, NOON + 5 * MINUTE - 1)
    assert is_stale(part, NOON + 5 * MINUTE)
    assert not is_stale(go_on(part, cursor="", found=Tally(), now=NOON), NOON + HOUR)
    later = begin(SweepKind.LIVE, Aim(bundle="b", generation=2, began_at=NOON, opens_at=NOON + MINUTE))[0]
    assert not is_stale(later, NOON + 6 * MINUTE - 1)
    assert is_stale(later, NOON + 6 * MINUTE)


def test_a_trial_counts_what_the_change_does_and_nothing_else() -> None:
    """A candidate is compared with what the live rules make of the same instant, also when those became newer."""
    orders = [an_order(id=f"o{index}", at=NOON - index) for index in range(2)]
    any_two = Segment(title="V", where=Did(tracker="orders", count=2), events=READ, changed_generation=2)
    live = rules(1)
    candidate = follow(rules(2, segments=live.segments | {"vip": any_two}), rules(7), ["vip"])
    assert candidate.generation == 8
    shopper = raised(orders, live)
    mine = repair(shopper.profile, rules(7, segments=live.segments), read_from(orders), now=NOON + 95 * DAY)
    assert mine is not None
    tried = repair(mine.profile, candidate, read_from(orders), now=NOON + 95 * DAY)
    assert tried is not None
    assert count(compare(mine, tried, ["vip"])) == {"vip": Moved(entered=1)}


def test_a_change_is_named_by_its_files_and_what_they_mean() -> None:
    """A newer Cartwake that makes something else of the same files has a change of its own to be confirmed."""
    texts = {"segments/vip.json": "{}", "segments/old.json": None}
    names = {name_candidate(texts, rules(3)), name_candidate(texts, rules(4, segments={}))}
    assert len(names) == 2
    assert name_candidate(dict(reversed(texts.items())), rules(5)) in names


def test_what_a_count_is_compared_with_is_never_the_same_again() -> None:
    """Definitions that were changed and changed back are others: what was counted against them then counts no more."""
    assert name_basis(rules(3)) == name_basis(rules(4))
    assert name_basis(rules(3)) != name_basis(rules(3, defined_generation=3))
