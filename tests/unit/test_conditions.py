"""Verdicts: an answer stays until its expiry, and the expiry of the basic conditions is exact."""

from builders import NEEDS, NOON, VIP, a_bundle, an_order
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import BASIC, SEGMENTS, conditions, histories, known_in_part

from cartwake.bundles import Segment
from cartwake.conditions.kinds import AllOf, Amount, Answer, AnyOf, Condition, Did, InSegment, NoneOf, Start, Verdict
from cartwake.events import Event
from cartwake.profiles import Membership, State, fold, prepare
from cartwake.segments import View, check
from cartwake.times import DAY, HOUR, NEVER
from cartwake.trackers import Entry, Need, Tracker

RULES = a_bundle(segments=SEGMENTS)


def _state(events: list[Event], needs: dict[str, Need] = NEEDS) -> State:
    state = prepare(State(), needs, complete_from=0)
    for event in events:
        state = fold(state, event, needs)
    return state


def _check(condition: Condition, state: State, now: int = NOON, start: Start | None = None) -> Verdict:
    return check(condition, View(state, RULES, now, start))


@given(
    conditions(),
    histories(12),
    st.integers(NOON - 200 * DAY, NOON + 200 * DAY),
    st.integers(0, 10**12),
    st.data(),
)
def test_an_answer_stays_until_it_expires(
    condition: Condition, events: list[Event], now: int, a: int, data: st.DataObject
) -> None:
    """For any condition and profile, known as little as may be, the answer is the same until its expiry."""
    state = data.draw(known_in_part(_state(events)))
    verdict = _check(condition, state, now)
    assert verdict.until > now
    for step in (a, a // 1_000_000):
        later = now + step % (min(verdict.until, now + 400 * DAY) - now)
        assert _check(condition, state, later).answer is verdict.answer
    assert _check(condition, state, min(verdict.until, now + 400 * DAY) - 1).answer is verdict.answer


@given(conditions(of_segments=False), histories(12), st.integers(NOON - 200 * DAY, NOON + 200 * DAY), st.data())
def test_what_is_not_known_is_never_taken_for_known(
    condition: Condition, events: list[Event], now: int, data: st.DataObject
) -> None:
    """An answer from a part of the past is the answer from all of it, or unknown."""
    state = _state(events)
    answer = _check(condition, data.draw(known_in_part(state)), now).answer
    assert answer in {Answer.UNKNOWN, _check(condition, state, now).answer}


type Small = tuple[list[int], int, int, list[bool]]
"""When things happened, from when on it is known, now, and which of the older ones are known all the same."""
SMALL = st.tuples(
    st.lists(st.integers(0, 30), max_size=8),
    st.integers(0, 30),
    st.integers(0, 35),
    st.lists(st.booleans(), min_size=8),
)


def _know_in_part(small: Small) -> tuple[Tracker, Tracker]:
    ats, known_from, _, lucky = small
    entries = [Entry(at, index, micros=1_000_000) for index, at in enumerate(ats)]
    known = [entry for entry, it in zip(entries, lucky, strict=False) if entry.at >= known_from or it]
    return Tracker(0, tuple(sorted(entries))), Tracker(known_from, tuple(sorted(known)))


def _check_in_time(condition: Condition, small: Small, start: Start | None = None) -> None:
    """Follow the expiries, and compare at every millisecond what is said of a part with what is true of all."""
    whole, part = (State(trackers={"orders": tracker}) for tracker in _know_in_part(small))
    at, end = small[2], 60
    while at < end:
        verdict = _check(condition, part, at, start)
        assert verdict.until > at
        for until in range(at, min(verdict.until, end)):
            assert _check(condition, part, until, start).answer is verdict.answer
            assert verdict.answer in {Answer.UNKNOWN, _check(condition, whole, until, start).answer}
        at = verdict.until
    windowed = isinstance(condition, Amount) or (isinstance(condition, Did) and condition.within_ms > 0)
    assert not windowed or _check(condition, part, end).answer is not Answer.UNKNOWN


@given(st.sampled_from(["at_least", "at_most", "exactly"]), st.integers(0, 3), st.sampled_from([0, 5, 10]), SMALL)
def test_a_count_of_a_part(op: str, count: int, within: int, small: Small) -> None:
    """A count over what is known in part is right, for as long as it says, or unknown until it can be known."""
    _check_in_time(Did(tracker="orders", op=op, count=count, within_ms=within), small)


@given(st.sampled_from(["at_least", "at_most", "exactly"]), st.integers(0, 3), st.integers(0, 30), SMALL)
def test_a_count_since_the_start_of_a_part(op: str, count: int, started: int, small: Small) -> None:
    """So is a count since the start of a run."""
    assume(started <= small[2])
    _check_in_time(Did(tracker="orders", op=op, count=count, since_start=True), small, Start(started, id=0))


@given(st.sampled_from(["more_than", "less_than", "at_least", "at_most"]), st.integers(0, 4), SMALL)
def test_a_sum_of_a_part(op: str, bound: int, small: Small) -> None:
    """And a sum."""
    _check_in_time(Amount(tracker="orders", op=op, bound=bound, within_ms=10), small)


@given(BASIC, histories(12), st.integers(NOON - 200 * DAY, NOON + 100 * DAY))
def test_the_expiry_of_a_basic_condition_is_exact(condition: Condition, events: list[Event], now: int) -> None:
    """Of a count or a sum with all events in the past, the answer at its expiry is another one."""
    state = _state([event for event in events if event.occurred_at <= now])
    assume(not (isinstance(condition, Did) and condition.op == "exactly"))
    verdict = _check(condition, state, now)
    if verdict.until < NEVER:
        assert _check(condition, state, verdict.until).answer is not verdict.answer


@given(histories(15), st.integers(0, 3), st.sampled_from([HOUR, DAY, 90 * DAY]))
def test_counts_equal_counting(events: list[Event], count: int, window: int) -> None:
    """What a tracker answers equals counting the whole history."""
    times = {event.key: event.occurred_at for event in events if event.name == "Order Completed"}
    counted = sum(NOON - window < at <= NOON for at in times.values())
    answers = {
        op: _check(Did(tracker="orders", op=op, count=count, within_ms=window), _state(events)).answer is Answer.HOLDS
        for op in ("at_least", "at_most", "exactly")
    }
    assert answers == {"at_least": counted >= count, "at_most": counted <= count, "exactly": counted == count}


def test_windows_are_half_open() -> None:
    """An event counts from its own millisecond on, and no longer at the end of the window."""
    condition = Did(tracker="orders", within_ms=DAY)
    state = _state([an_order(at=NOON)])
    assert _check(condition, state, NOON) == Verdict(Answer.HOLDS, NOON + DAY)
    assert _check(condition, state, NOON + DAY - 1).answer is Answer.HOLDS
    assert _check(condition, state, NOON + DAY) == Verdict(Answer.FAILS)


def test_incomplete_state_is_unknown() -> None:
    """Over a past that was not recorded, "did not" is unknown until the window lies in what was."""
    state = State(trackers={"orders": Tracker(complete_from=NOON - HOUR)})
    condition = Did(tracker="orders", op="at_most", count=0, within_ms=DAY)
    assert _check(condition, state) == Verdict(Answer.UNKNOWN, NOON - HOUR + DAY - 1)
    assert _check(condition, state, NOON - HOUR + DAY - 1).answer is Answer.HOLDS
    assert _check(Did(tracker="missing"), state).answer is Answer.UNKNOWN


def test_enough_is_enough_on_incomplete_state() -> None:
    """At least once holds as soon as one is there, whatever is not known."""
    state = State(trackers={"orders": Tracker(NOON, _state([an_order(at=NOON)]).trackers["orders"].entries)})
    assert _check(Did(tracker="orders", within_ms=DAY), state).answer is Answer.HOLDS


def test_since_start_does_not_count_the_trigger() -> None:
    """What happened at the very instant of the trigger counts, the trigger itself does not."""
    trigger, other = an_order(id="trigger"), an_order(id="other")
    condition = Did(tracker="orders", since_start=True)
    start = Start(NOON, trigger.short_id)
    assert _check(condition, _state([trigger]), start=start).answer is Answer.FAILS
    assert _check(condition, _state([trigger, other]), start=start).answer is Answer.HOLDS
    assert _check(condition, _state([trigger])).answer is Answer.UNKNOWN


def test_composition_of_expiries() -> None:
    """`all` lasts until its earliest child while it holds; failing, until the latest failing child recovers."""
    state = _state([an_order(at=NOON - HOUR, id="a"), an_order(at=NOON, id="b")])
    once, twice = Did(tracker="orders", within_ms=DAY), Did(tracker="orders", count=2, within_ms=DAY)
    never = Did(tracker="orders", count=9, within_ms=DAY)
    assert _check(AllOf(of=(once, twice)), state) == Verdict(Answer.HOLDS, NOON - HOUR + DAY)
    assert _check(AnyOf(of=(once, twice)), state) == Verdict(Answer.HOLDS, NOON + DAY)
    assert _check(AllOf(of=(once, never)), state) == Verdict(Answer.FAILS, NEVER)
    assert _check(NoneOf(of=(once, never)), state) == Verdict(Answer.FAILS, NOON + DAY)


def test_sum_expires_with_the_entry_that_carries_it() -> None:
    """A sum changes its answer in the millisecond in which the deciding order leaves the window."""
    state = _state([an_order(150, at=NOON - HOUR), an_order(100, at=NOON)])
    condition = Amount(tracker="revenue", op="more_than", bound=200, within_ms=90 * DAY)
    assert _check(condition, state) == Verdict(Answer.HOLDS, NOON - HOUR + 90 * DAY)


def test_in_segment_is_evaluated_not_remembered() -> None:
    """Another segment's stored membership is not believed when its definition says otherwise."""
    rules = a_bundle(segments={"vip": Segment(title="VIP", where=VIP)})
    state = _state([an_order(90, at=NOON, id=str(index)) for index in range(3)])
    stale = State(trackers=state.trackers, memberships={"vip": Membership(0)})
    verdict = check(InSegment(segment="vip"), View(stale, rules, NOON))
    assert verdict == Verdict(Answer.HOLDS, NOON + 90 * DAY)


def test_in_segment_is_unknown_where_the_segment_is() -> None:
    """Where a segment is unknown, so is who refers to it: nobody is mailed because they are not known to be in it."""
    state = State(memberships={"vip": Membership(NOON)})
    assert check(InSegment(segment="vip"), View(state, RULES, NOON)).answer is Answer.UNKNOWN
    assert check(NoneOf(of=(InSegment(segment="vip"),)), View(State(), RULES, NOON)).answer is Answer.UNKNOWN
    soon = State(trackers={key: Tracker(NOON - DAY) for key in NEEDS}, memberships={"vip": Membership(NOON)})
    known_at = NOON - DAY + 90 * DAY - 1
    assert check(InSegment(segment="vip"), View(soon, RULES, NOON)) == Verdict(Answer.UNKNOWN, known_at)
    assert check(InSegment(segment="vip"), View(soon, RULES, known_at)).answer is Answer.FAILS
