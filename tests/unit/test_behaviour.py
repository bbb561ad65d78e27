"""Conditions on behaviour, in every millisecond of a small world: over all of the past, and over a part of it."""

from hypothesis import assume, given
from hypothesis import strategies as st
from small import PARTS, WHOLES, WITHIN, Small, check_in_time

from cartwake.conditions.kinds import Amount, Condition, Did, Edge, Sequence, Start, Then

COUNT_OPS = st.sampled_from(["at_least", "at_most", "exactly"])
BOUND_OPS = st.sampled_from(["more_than", "less_than", "at_least", "at_most"])
COUNTS = st.one_of(
    st.builds(Did, tracker=st.just("a"), op=COUNT_OPS, count=st.integers(0, 3), within_ms=WITHIN),
    st.builds(Did, tracker=st.just("late a"), op=COUNT_OPS, count=st.integers(0, 3), from_at=st.just(8)),
    st.builds(Did, tracker=st.just("early a"), op=COUNT_OPS, count=st.integers(0, 3)),
    st.builds(Did, tracker=st.just("values"), op=COUNT_OPS, count=st.integers(0, 3), within_ms=WITHIN),
)
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
    lambda window, kind, marked: Edge(tracker=kind, last=kind != "first a", marked=marked, **window),
    st.sampled_from([{}, {"within_ms": 5}, {"before_ms": 6}, {"within_ms": 13, "before_ms": 6}]),
    st.sampled_from(["first a", "marked a"]),
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


@given(st.one_of(COUNTS, AGO, AMOUNTS, SEQUENCES, EDGES), WHOLES)
def test_all_of_the_past(condition: Condition, small: Small) -> None:
    """Over all of the past every answer is known, and each expiry is exact: there the answer is the other one."""
    check_in_time(condition, small)
