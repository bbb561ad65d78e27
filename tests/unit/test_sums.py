"""Sums: beyond 200 events old ones are added up by the hour, and nothing else changes."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import msgspec
import pytest
import reference
from builders import NOON, a_bundle, an_event, an_order
from hypothesis import given, note
from hypothesis import strategies as st

from cartwake import sums, trackers
from cartwake.conditions.kinds import Amount, Answer, Condition, Points, Score, ScoreRule, Verdict
from cartwake.events import Event
from cartwake.profiles import State, fold, merge, pack, prepare, trim, unpack
from cartwake.segments import View, check
from cartwake.sums import MOST_EXACT, Sum, join_sums
from cartwake.times import DAY, HOUR, NEVER
from cartwake.trackers import EMPTY, MOST_SPARE, Need, Tracker, limit, remember_all
from cartwake.values import MICROS

EXACT, HOUR_MS, SETTLED_MS, END = 3, 4, 6, 75
NEEDS = {
    "lately": Need(event="a", amount="v", within_ms=30),
    "ever": Need(event="a", amount="v", whole=True),
    "points": Need(event="a", summed=True, within_ms=30),
}
POINTS = ScoreRule(title="S", points=(Points(points=1.0, tracker="points"),), within_ms=30)
RULES = a_bundle(needs=NEEDS, segments={}, journeys={}, scores={"s": POINTS})
BOUND_OPS = st.sampled_from(["more_than", "less_than", "at_least", "at_most"])
BOUNDS = st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, 5.0])
AMOUNTS = st.builds(
    lambda window, **more: Amount(**window, **more),
    st.sampled_from([{"tracker": "lately", "within_ms": it} for it in (7, 30)] + [{"tracker": "ever"}]),
    of=st.sampled_from(["total", "average", "largest"]),
    op=BOUND_OPS,
    bound=BOUNDS,
)
SCORES = st.builds(Score, name=st.just("s"), op=BOUND_OPS, bound=st.sampled_from([1.0, 3.0, 4.0, 5.0]))
CONDITIONS = st.one_of(AMOUNTS, SCORES)


@contextmanager
def small_world() -> Iterator[None]:
    """Add up beyond three events, in hours of four milliseconds, when six have passed."""
    with ExitStack() as stack:
        for module, name, value in (
            (sums, "HOUR", HOUR_MS),
            (sums, "SETTLED_AFTER_MS", SETTLED_MS),
            (sums, "MOST_EXACT", EXACT),
            (trackers, "MOST_EXACT", EXACT),
            (trackers, "HOUR", HOUR_MS),
        ):
            stack.enter_context(patch.object(module, name, value))
        yield


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """Events in order of their receipt; some happened long before."""
    told = draw(
        st.lists(
            st.tuples(st.integers(1, 34), st.sampled_from([0, 0, 0, 1, 3, 12]), st.sampled_from([0, 1, 2, 3, -1])),
            min_size=draw(st.sampled_from([0, 12])),
            max_size=14,
        )
    )
    events = [
        an_event("a", id=str(number), sent_time="", occurred_at=at, received_at=at + delay, properties={"v": value})
        for number, (at, delay, value) in enumerate(told)
    ]
    return sorted(events, key=lambda it: (it.received_at, it.id))


def fold_all(events: list[Event], cuts: list[int], redelivered: list[int]) -> State:
    """Fold events as they are received, cut now and then, and hear of some again before they are settled."""
    state = prepare(State(), NEEDS, complete_from=0)
    for number, event in enumerate(events):
        state = fold(state, event, NEEDS)
        if number in cuts:
            state = trim(state, NEEDS, event.received_at)
        again = events[redelivered[number % len(redelivered)] % (number + 1)]
        if event.received_at < again.received_at + SETTLED_MS:
            state = fold(state, again, NEEDS)
    return state


def check_in_time(condition: Condition, state: State, events: list[Event], summed_at: int) -> None:
    """Follow the expiries, and compare with the reference in every millisecond."""
    at = summed_at
    note(f"{condition}\n{[(it.occurred_at, it.received_at, it.properties['v']) for it in events]}\n{state.trackers}")
    while at < END:
        verdict = check(condition, View(state, RULES, at))
        assert verdict.until > at
        for now in range(at, min(verdict.until, END)):
            past = reference.Past(
                tuple(events), RULES, now, summed_at=summed_at, exact=EXACT, hour_ms=HOUR_MS, settled_ms=SETTLED_MS
            )
            truth = Answer.HOLDS if reference.holds(condition, past) else Answer.FAILS
            assert verdict.answer is truth
            assert check(condition, View(state, RULES, now)).answer is truth
        if verdict.until < NEVER:
            assert check(condition, View(state, RULES, verdict.until)).answer is not verdict.answer
        at = verdict.until


CUTS = st.lists(st.integers(0, 14), max_size=6)
REDELIVERED = st.lists(st.integers(0, 14), min_size=1, max_size=14)


@given(CONDITIONS, stories(), CUTS, REDELIVERED, st.integers(0, 12))
def test_sums_are_those_of_the_reference(
    condition: Condition, events: list[Event], cuts: list[int], redelivered: list[int], later: int
) -> None:
    """However often entries were cut on the way, and whatever came again: what is added up is what the words say."""
    with small_world():
        summed_at = max((it.received_at for it in events), default=0) + later
        state = trim(fold_all(events, cuts, redelivered), NEEDS, summed_at)
        check_in_time(condition, state, events, summed_at)


@given(CONDITIONS, stories(), CUTS, REDELIVERED, st.integers(0, 14))
def test_sums_of_who_was_merged(
    condition: Condition, events: list[Event], cuts: list[int], redelivered: list[int], split: int
) -> None:
    """Two profiles that have both added up are together what one would be."""
    with small_world():
        summed_at = max((it.received_at for it in events), default=0) + split % 4
        left, right = ([it for it in events if (int(it.id) % 2 == 0) is side] for side in (True, False))
        a, b = (fold_all(part, cuts, redelivered) for part in (left, right))
        for merged in (merge(a, b, NEEDS), merge(b, a, NEEDS)):
            check_in_time(condition, trim(merged, NEEDS, summed_at), events, summed_at)
        assert merge(a, a, NEEDS) == trackers_cut(a)


def trackers_cut(state: State) -> State:
    return msgspec.structs.replace(
        state, trackers={key: trackers.cut(state.trackers[key], NEEDS[key]) for key in NEEDS}
    )


def reached(state: State, now: int) -> dict[str, tuple[object, ...]]:
    """What a window reaches: how much of what none does is still there is a matter of when it was cut."""
    found: dict[str, tuple[object, ...]] = {}
    for key, it in state.trackers.items():
        after = now - NEEDS[key].within_ms if NEEDS[key].within_ms else -1
        assert it.complete_from <= max(after + 1, 0)
        kept = (tuple(each for each in both if each.at > after) for both in (it.entries, it.sums))
        found[key] = tuple(kept)
    return found


@given(stories(), CUTS, REDELIVERED, st.randoms(use_true_random=False))
def test_what_is_added_up_does_not_depend_on_when(
    events: list[Event], cuts: list[int], redelivered: list[int], shuffler: random.Random
) -> None:
    """In whatever order events come that are not settled yet, and whenever entries are cut: the sums are the same."""
    with small_world():
        summed_at = max((it.received_at for it in events), default=0) + SETTLED_MS
        whole = trim(fold_all(events, [], [0]), NEEDS, summed_at)
        shuffled = sorted(events, key=lambda it: it.received_at // SETTLED_MS + shuffler.random())
        on_the_way = fold_all(events, cuts, redelivered)
        for state in (on_the_way, fold_all(shuffled, [], [0])):
            assert reached(trim(state, NEEDS, summed_at), summed_at) == reached(whole, summed_at)


def orders(count: int, *, at: int = NOON, every: int = HOUR) -> list[Event]:
    return [an_order(1.0, id=f"o{number}", at=at - number * every) for number in range(count)]


def test_up_to_200_everything_is_exact() -> None:
    """Of 200 entries none is added up, of 201 the oldest; and only when it was received more than 15 days ago."""
    need = Need(event="Order Completed", amount="revenue", whole=True)
    for count in (MOST_EXACT, MOST_EXACT + 1):
        tracker = trackers.cut(remember_all(EMPTY, orders(count), need), need, NOON + 15 * DAY)
        assert (len(tracker.entries), sum(it.count for it in tracker.sums)) == (MOST_EXACT, count - MOST_EXACT)
    fresh = trackers.cut(remember_all(EMPTY, orders(210, every=1), need), need, NOON + 15 * DAY - 300)
    assert not fresh.sums
    assert len(fresh.entries) == 210


def test_a_lifetime_of_orders_stays_small() -> None:
    """Thousands of orders are some hundred entries and one sum; what they are worth together is exact."""
    need = Need(event="Order Completed", amount="revenue", whole=True)
    tracker = EMPTY
    for number in range(5_000):
        event = an_order(1.5, id=f"o{number}", at=NOON + number * HOUR)
        tracker = trackers.remember(tracker, event, need)
        if number % 50 == 0:
            tracker = trackers.cut(tracker, need, event.received_at)
    rules = a_bundle(needs={"ever": need}, segments={})
    view = View(State(trackers={"ever": tracker}), rules, NOON + 5_000 * HOUR)
    assert len(tracker.sums) == 1
    assert len(pack(view.state)) < 20_000
    assert check(Amount(tracker="ever", op="at_least", bound=7_500.0), view) == Verdict(Answer.HOLDS)
    assert check(Amount(tracker="ever", op="more_than", bound=7_500.0), view) == Verdict(Answer.FAILS)


def test_a_repetition_after_all_is_settled_is_not_counted() -> None:
    """What was received more than 15 days before the last cut is in the sums already: it is not taken in again."""
    need = Need(event="Order Completed", amount="revenue", whole=True)
    old = orders(250)
    tracker = trackers.cut(remember_all(EMPTY, old, need), need, NOON + 16 * DAY)
    assert remember_all(tracker, old, need) is tracker


def test_an_entry_of_the_first_version_is_known_again() -> None:
    """The first version did not note when an event was received: such an event that comes again is the same one."""
    need = Need(event="Order Completed", amount="revenue", within_ms=90 * DAY)
    event = an_order(10)
    entry = trackers.Entry(event.occurred_at, event.short_id, 10 * MICROS)
    written = {"trackers": {"revenue": [0, [[entry.at, entry.id, entry.micros]]]}, "evaluated_at": NOON}
    state = unpack(msgspec.msgpack.encode(written))
    assert fold(state, event, {"revenue": need}).trackers == state.trackers
    joined = trackers.join(state.trackers["revenue"], trackers.remember(EMPTY, event, need), need)
    assert [it.micros for it in joined.entries] == [10 * MICROS]


def test_amounts_beyond_all_reason_can_be_stored() -> None:
    """No amount, and no sum of many, is larger than what a state can hold."""
    need = Need(event="Order Completed", amount="products.price", whole=True)
    largest = [{"price": 999_999_999_999}] * 400
    for sign in (1, -1):
        products = [{"price": sign * it["price"]} for it in largest]
        events = [an_order(id=str(n), at=NOON + n, properties={"products": products}) for n in range(300)]
        tracker = trackers.cut(remember_all(EMPTY, events, need), need, NOON + 20 * DAY)
        state = State(trackers={"t": tracker})
        assert unpack(pack(state)) == state
        rules = a_bundle(needs={"t": need}, segments={})
        condition = Amount(tracker="t", op="more_than" if sign > 0 else "less_than", bound=sign * 1e11)
        assert check(condition, View(state, rules, NOON + DAY)).answer is Answer.HOLDS


def test_two_lives_are_added_together() -> None:
    """What each of two profiles has added up counts once when they become one; merged with itself, nothing doubles."""
    need, now = Need(event="Order Completed", amount="revenue", whole=True), NOON + 20 * DAY
    rules = a_bundle(needs={"t": need}, segments={})
    a, b = (
        trackers.cut(remember_all(EMPTY, orders(count, at=NOON - shift), need), need, now)
        for count, shift in ((250, 0), (230, 60_000))
    )
    assert a.sums
    assert b.sums
    for one, other, total in ((a, b, 480.0), (b, a, 480.0), (a, a, 250.0)):
        view = View(State(trackers={"t": trackers.join(one, other, need)}), rules, now)
        assert check(Amount(tracker="t", op="at_least", bound=total), view).answer is Answer.HOLDS
        assert check(Amount(tracker="t", op="more_than", bound=total), view).answer is Answer.FAILS


def test_whose_history_is_not_read_yet_can_still_be_told_of_it() -> None:
    """Who has added up is joined with who has not: what the other one did long ago, and is read in now, counts."""
    need, now = Need(event="Order Completed", amount="revenue", whole=True), NOON + 20 * DAY
    summed = trackers.cut(remember_all(EMPTY, orders(250), need), need, now)
    other = an_order(1.0, id="long ago", at=NOON - 30 * DAY)
    for joined in (trackers.join(summed, EMPTY, need), trackers.join(EMPTY, summed, need)):
        assert len(trackers.remember(joined, other, need).entries) == len(joined.entries) + 1


def test_what_is_dropped_is_not_taken_for_known() -> None:
    """A window that becomes longer does not reach over what has been added up and dropped."""
    need = Need(event="Order Completed", amount="revenue", within_ms=30 * DAY)
    now = NOON + 40 * DAY
    tracker = trackers.cut(remember_all(EMPTY, orders(210, at=NOON) + orders(5, at=now), need), need, now)
    assert tracker.complete_from > NOON
    long = Amount(tracker="t", op="at_least", bound=1.0, within_ms=365 * DAY)
    rules = a_bundle(needs={"t": msgspec.structs.replace(need, within_ms=365 * DAY)}, segments={})
    view = View(State(trackers={"t": tracker}), rules, now)
    assert check(long, view).answer is Answer.UNKNOWN
    assert check(msgspec.structs.replace(long, within_ms=30 * DAY), view).answer is Answer.HOLDS


def test_hours_are_joined() -> None:
    """One sum for each hour: counts and amounts are added, the largest stays; in any order."""
    left, right = (Sum(0, 2, 5, 4), Sum(HOUR, 1, 1, 1)), (Sum(0, 1, 7, 7),)
    joined = (Sum(0, 3, 12, 7), Sum(HOUR, 1, 1, 1))
    assert join_sums(left, right) == join_sums(right, left) == joined
    assert join_sums(left, right, by_hour=False) == (Sum(0, 4, 13, 7),)


def test_sums_are_limited_too() -> None:
    """Of too many hours the oldest are dropped, over all trackers; each says from when on it is complete."""
    needs = {key: Need(event=key, summed=True, within_ms=400 * DAY) for key in "ab"} | {
        "c": Need(event="c", summed=True, whole=True)
    }
    hours = tuple(Sum(NOON + number * HOUR, 1, 0, 0) for number in range(MOST_SPARE))
    kept = {"a": Tracker(0, (), hours), "b": Tracker(0, (), hours[-10:]), "c": Tracker(0, (), (Sum(0, 9, 9, 9),))}
    limited = limit(kept, needs)
    assert limited["a"].sums == hours[10:]
    assert limited["a"].complete_from == hours[9].at + HOUR
    assert limited["b"] == kept["b"]
    assert limited["c"] == kept["c"]


@pytest.mark.parametrize("before", [1, 2])
def test_hours_begin_with_the_hour(before: int) -> None:
    """What is added up counts as if it had happened when its hour began: it leaves a window up to an hour early."""
    need = Need(event="Order Completed", amount="revenue", within_ms=90 * DAY)
    half_past = NOON + 30 * 60_000
    events = [an_order(1, id=str(number), at=half_past) for number in range(MOST_EXACT + before)]
    tracker = trackers.cut(remember_all(EMPTY, events, need), need, NOON + 16 * DAY)
    rules = a_bundle(needs={"t": need}, segments={})
    condition = Amount(tracker="t", op="at_least", bound=float(MOST_EXACT + 1), within_ms=90 * DAY)
    verdict = check(condition, View(State(trackers={"t": tracker}), rules, NOON + 16 * DAY))
    assert verdict == Verdict(Answer.HOLDS, NOON + 90 * DAY)
