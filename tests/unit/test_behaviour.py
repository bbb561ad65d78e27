"""Conditions on behaviour, in every millisecond of a small world: over all of the past, and over a part of it."""

import msgspec
from builders import a_bundle, an_event
from hypothesis import assume, given
from hypothesis import strategies as st
from small import END, PARTS, WHOLES, WITHIN, Small, answer_of, check_in_time, make_rules, make_state

from cartwake.conditions.kinds import (
    FAILS,
    HOLDS,
    Amount,
    Answer,
    Condition,
    Did,
    Edge,
    Sequence,
    Start,
    Then,
    Verdict,
)
from cartwake.profiles import State, fold, prepare
from cartwake.segments import View, check
from cartwake.trackers import Need
from cartwake.values import Is, PropertyTest

COUNT_OPS = st.sampled_from(["at_least", "at_most", "exactly"])
BOUND_OPS = st.sampled_from(["more_than", "less_than", "at_least", "at_most"])
COUNTS_BY_TRACKER = (
    st.builds(Did, tracker=st.just("a"), op=COUNT_OPS, count=st.integers(0, 3), within_ms=WITHIN),
    st.builds(Did, tracker=st.just("late a"), op=COUNT_OPS, count=st.integers(0, 3), from_at=st.just(8)),
    st.builds(Did, tracker=st.just("early a"), op=COUNT_OPS, count=st.integers(0, 3)),
    st.builds(Did, tracker=st.just("values"), op=COUNT_OPS, count=st.integers(0, 3), within_ms=WITHIN),
)
COUNTS = st.one_of(COUNTS_BY_TRACKER)
TWO_COUNTS = st.one_of([st.tuples(each, each) for each in COUNTS_BY_TRACKER])
"""Of one tracker."""
AGO = st.one_of(
    st.builds(Did, tracker=st.just("a"), op=COUNT_OPS, count=st.integers(0, 3), before_ms=st.just(6)),
    st.builds(
        Did, tracker=st.just("a"), op=COUNT_OPS, count=st.integers(0, 3), within_ms=st.just(13), before_ms=st.just(6)
    ),
)
AMOUNTS = st.builds(
    lambda bound, window, **more: Amount(tracker="amounts", bound=bound, **window, **more),
    st.sampled_from([-1.0, 0.0, 1.0, 1.5, 2.0, 3.0]),
    st.sampled_from([{}, {"within_ms": 5}, {"within_ms": 12}, {"within_ms": 13, "before_ms": 6}]),
    of=st.sampled_from(["total", "average", "largest"]),
    op=BOUND_OPS,
)
LAST_THEN = st.builds(Then, tracker=st.sampled_from("ab"), within_ms=st.sampled_from([1, 4, 9]), did=st.booleans())
THEN = st.one_of(
    LAST_THEN, st.builds(Then, tracker=st.sampled_from("ab"), within_ms=st.sampled_from([4, 9]), then=LAST_THEN)
)
SEQUENCES = st.builds(
    Sequence,
    tracker=st.just("a"),
    then=THEN,
    op=COUNT_OPS,
    count=st.integers(0, 2),
    within_ms=st.sampled_from([0, 5, 12, 30]),
)
EDGES = st.builds(
    lambda window, kind, marked: Edge(tracker=kind, last="first" not in kind, marked=marked, **window),
    st.sampled_from([{}, {"within_ms": 5}, {"before_ms": 6}, {"within_ms": 13, "before_ms": 6}]),
    st.sampled_from(["first a", "marked a", "deep first a", "deep marked a"]),
    st.booleans(),
)
STARTED = st.one_of(
    st.builds(
        Did, tracker=st.sampled_from(["a", "values"]), op=COUNT_OPS, count=st.integers(0, 3), since_start=st.just(True)
    ),
    st.builds(
        Amount, tracker=st.just("amounts"), of=st.sampled_from(["total", "largest"]), op=BOUND_OPS,
        bound=st.sampled_from([0.0, 1.0, 2.0]), since_start=st.just(True),
    ),
    st.builds(
        Sequence, tracker=st.just("a"), then=THEN, op=COUNT_OPS, count=st.integers(0, 2), since_start=st.just(True)
    ),
)  # fmt: skip


@given(COUNTS, PARTS)
def test_counts(condition: Condition, small: Small) -> None:
    """How often something happened, ever, in a window, between dates, and how many different values there were."""
    check_in_time(condition, small)


@given(AGO, PARTS)
def test_counts_of_what_was_longer_ago(condition: Condition, small: Small) -> None:
    """How often something happened that is at least so old."""
    check_in_time(condition, small)


@given(AMOUNTS, PARTS)
def test_amounts(condition: Condition, small: Small) -> None:
    """Totals, averages and the largest amount."""
    check_in_time(condition, small)


@given(SEQUENCES, PARTS)
def test_sequences(condition: Condition, small: Small) -> None:
    """How often something was followed by something else, or was not; and by something else again."""
    check_in_time(condition, small)


@given(EDGES, PARTS)
def test_first_and_last(condition: Condition, small: Small) -> None:
    """When something happened first or last, and how that was."""
    check_in_time(condition, small)


@given(STARTED, PARTS, st.integers(0, 20), st.integers(0, 7))
def test_since_the_start_of_a_run(condition: Condition, small: Small, at: int, trigger: int) -> None:
    """Since the start of a run its trigger does not count, and everything else from that instant on does.

    But for one thing: of what happened at the very instant of the trigger, a value that it too brought is not counted.
    """
    if trigger < len(small.events):
        event = small.events[trigger]
        start = Start(event.occurred_at, event.short_id)
        ties = sum(it.occurred_at == start.at for it in small.events)
        assume(not (isinstance(condition, Did) and condition.tracker == "values" and ties > 1))
    else:
        start = Start(at)
    check_in_time(condition, small._replace(now=max(small.now, start.at)), start)


@given(TWO_COUNTS, PARTS)
def test_what_was_cut_is_not_taken_for_known(both: tuple[Did, Did], small: Small) -> None:
    """Where one rule needed little, a later one that needs more says that it does not know, or what is true."""
    shallow, deep = both
    state = make_state(small, make_rules(shallow))
    rules = make_rules(deep)
    for now in range(max([small.now, *(it.occurred_at for it in small.events)]), END):
        answer = check(deep, View(state, rules, now)).answer
        assert answer in {Answer.UNKNOWN, answer_of(deep, small, rules, now)}


@given(st.one_of(COUNTS, AGO, AMOUNTS, SEQUENCES, EDGES), WHOLES)
def test_all_of_the_past(condition: Condition, small: Small) -> None:
    """Over all of the past every answer is known, and each expiry is exact: there the answer is the other one."""
    check_in_time(condition, small)


def ask(condition: Condition, *told: tuple[str, int], needs: dict[str, Need], now: int) -> Verdict:
    state = prepare(State(), needs, complete_from=0)
    for number, (name, at) in enumerate(told):
        event = an_event(name, id=str(number), at=at, properties={"v": number})
        state = fold(state, event, needs)
    return check(condition, View(state, a_bundle(needs=needs, segments={}), now))


def test_exactly_may_be_jumped_over() -> None:
    """Of two that leave the window at once there is never exactly one: nobody is woken for that."""
    needs = {"a": Need(event="a", latest=2)}
    once = Did(tracker="a", op="exactly", count=1, within_ms=10)
    assert ask(once, ("a", 5), ("a", 5), needs=needs, now=6) == FAILS
    assert ask(once, ("a", 5), ("a", 6), needs=needs, now=6) == Verdict(Answer.FAILS, 15)
    assert ask(once, ("a", 5), ("a", 6), needs=needs, now=15) == Verdict(Answer.HOLDS, 16)
    assert ask(once, ("a", 5), ("a", 6), needs=needs, now=16) == FAILS


def test_the_last_of_several_at_once_is_known() -> None:
    """What happens in one millisecond is kept together: of orders that were imported by the day the last is known."""
    needs = {"a": Need(event="a", marks=(PropertyTest("v", Is((0, 1, 2))),))}
    for condition in (Edge(tracker="a", last=True, marked=True), Edge(tracker="a", last=True, before_ms=5)):
        assert ask(condition, ("a", 5), ("a", 5), ("a", 5), needs=needs, now=20) == HOLDS
    assert ask(Edge(tracker="a", last=True, marked=True), *[("a", 5)] * 4, needs=needs, now=20).answer != Answer.UNKNOWN


def test_the_first_is_the_first_however_many_are_kept() -> None:
    """Another rule may need more of the oldest: the first stays the first."""
    needs = {"a": Need(event="a", oldest=3)}
    first = Edge(tracker="a", last=False, within_ms=10)
    assert ask(first, ("a", 5), ("a", 8), ("a", 9), needs=needs, now=14) == Verdict(Answer.HOLDS, 15)
    assert ask(first, ("a", 5), ("a", 8), ("a", 9), needs=needs, now=15) == FAILS


def test_any_of_several_may_be_followed() -> None:
    """A chain holds if it can be followed by any way, not by the next event alone."""
    needs = {name: Need(event=name, whole=True) for name in "abc"}
    chain = Sequence(tracker="a", then=Then(tracker="b", within_ms=10, then=Then(tracker="c", within_ms=3)))
    assert ask(chain, ("a", 1), ("b", 2), ("b", 6), ("c", 8), needs=needs, now=9) == HOLDS
    assert ask(chain, ("a", 1), ("b", 2), ("b", 6), ("c", 9), needs=needs, now=9) == FAILS
    assert ask(chain, ("a", 1), ("b", 11), ("c", 12), needs=needs, now=12) == FAILS


def test_what_follows_comes_after() -> None:
    """What happens in the same millisecond follows nothing; the time is over at its end, to the millisecond."""
    needs = {name: Need(event=name, whole=True) for name in "ab"}
    bought = Sequence(tracker="a", then=Then(tracker="b", within_ms=10))
    left = Sequence(tracker="a", then=Then(tracker="b", within_ms=10, did=False))
    for at, is_followed in ((1, False), (2, True), (10, True), (11, False)):
        assert (ask(bought, ("a", 1), ("b", at), needs=needs, now=11) == HOLDS) is is_followed
        assert (ask(left, ("a", 1), ("b", at), needs=needs, now=11) == HOLDS) is not is_followed
    assert ask(left, ("a", 1), needs=needs, now=10) == Verdict(Answer.FAILS, 11)
    assert ask(left, ("a", 1), needs=needs, now=11) == HOLDS


def test_an_average_is_of_what_counts() -> None:
    """An average is the total over how many there are; of nothing there is neither it nor a largest."""
    needs = {"a": Need(event="a", amount="v", within_ms=100)}
    told = [("a", 1), ("a", 2), ("a", 3), ("a", 4)]  # amounts 0, 1, 2, 3
    average = Amount(tracker="a", of="average", op="at_least", bound=1.5, within_ms=100)
    assert ask(average, *told, needs=needs, now=5) == Verdict(Answer.HOLDS, 104)
    assert ask(msgspec.structs.replace(average, bound=1.51), *told, needs=needs, now=5) == Verdict(Answer.FAILS, 101)
    for of in ("average", "largest"):
        for op in ("at_least", "at_most"):
            assert ask(Amount(tracker="a", of=of, op=op, bound=0, within_ms=9), needs=needs, now=50) == FAILS
    total = Amount(tracker="a", op="at_most", bound=0, within_ms=9)
    assert ask(total, needs=needs, now=50) == HOLDS
