"""Scores and shares: what they are, until when, and over a part of the past; to the millisecond."""

from typing import Any

import msgspec
import pytest
import reference
from builders import NOON, a_bundle, an_event
from hypothesis import currently_in_test_context, example, given, note
from hypothesis import strategies as st

from cartwake.bundles import Bundle
from cartwake.conditions.evaluate import draw
from cartwake.conditions.kinds import Answer, Did, Points, Score, ScoreRule, Share, Verdict
from cartwake.events import Event
from cartwake.profiles import NO_LOT, Profile, State, fold, prepare, trim
from cartwake.segments import View, absorb, adopt, check
from cartwake.times import DAY, HOUR, NEVER
from cartwake.trackers import Need, Tracker

END = 130
NEEDS = {name: Need(event=name, summed=True, whole=True) for name in "ab"} | {"c": Need(event="a", latest=4)}
BOUND_OPS = st.sampled_from(["more_than", "less_than", "at_least", "at_most"])
EVENT_POINTS = st.builds(
    Points,
    points=st.sampled_from([1.0, 2.0, 5.0, -2.0]),
    tracker=st.sampled_from("ab"),
    most=st.sampled_from([None, None, 3.0]),
)
STATE_POINTS = st.builds(
    Points,
    points=st.sampled_from([3.0, -3.0]),
    condition=st.builds(Did, tracker=st.just("c"), count=st.integers(1, 2), within_ms=st.sampled_from([0, 7])),
)
AGEING = st.sampled_from([{}, {"within_ms": 9}, {"half_life_ms": 1}, {"half_life_ms": 3}, {"half_life_ms": 5}])
LIMITS = st.sampled_from([{}, {"cap": 4.0}, {"floor": -3.0}, {"floor": -3.0, "cap": 2.0}])


def rules_of(*points: Points) -> st.SearchStrategy[ScoreRule]:
    return st.builds(lambda ageing, limits: ScoreRule(title="S", points=points, **ageing, **limits), AGEING, LIMITS)


SCORES = st.lists(st.one_of(EVENT_POINTS, EVENT_POINTS, STATE_POINTS), min_size=1, max_size=3).flatmap(
    lambda points: rules_of(*points)
)
ONE_WAY = st.lists(EVENT_POINTS, min_size=1, max_size=2).flatmap(
    lambda points: rules_of(*(msgspec.structs.replace(it, points=abs(it.points)) for it in points))
)
UPS_AND_DOWNS = st.builds(
    lambda up, most, down, half_life: ScoreRule(
        title="S",
        points=(Points(points=up, tracker="a", most=most), Points(points=down, tracker="b")),
        half_life_ms=half_life,
        floor=-100.0,
    ),
    st.sampled_from([2.0, 5.0]),
    st.sampled_from([None, 2.0, 3.0, 6.0]),
    st.sampled_from([-1.0, -2.0, -5.0]),
    st.sampled_from([3, 5]),
)
TESTS = st.builds(Score, name=st.just("s"), op=BOUND_OPS, bound=st.sampled_from([-2.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]))
EVENTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 25)), max_size=7)
type Told = list[tuple[str, int]]


def make_events(told: Told) -> list[Event]:
    return [an_event(name, id=str(number), sent_time="", at=at) for number, (name, at) in enumerate(told)]


def make_rules(rule: ScoreRule) -> Bundle:
    needs = NEEDS | {
        name: msgspec.structs.replace(NEEDS[name], whole=False, within_ms=rule.reach_ms)
        for name in "ab"
        if rule.reach_ms
    }
    return a_bundle(needs=needs, segments={}, journeys={}, scores={"s": rule})


def make_state(events: list[Event], rules: Bundle, known_from: int = 0, now: int = 0) -> State:
    state = prepare(State(), rules.needs, complete_from=known_from)
    for event in events:
        if event.occurred_at >= known_from:
            state = fold(state, event, rules.needs)
    return trim(state, rules.needs, now)


def check_in_time(
    test: Score, rule: ScoreRule, told: Told, *, now: int = 0, known_from: int = 0, is_exact: bool = False
) -> None:
    """Follow the expiries, and compare in every millisecond what is said of a part with what is true of all."""
    rules, events = make_rules(rule), make_events(told)
    at, last = now, max((it.occurred_at for it in events), default=0)
    state = make_state(events, rules, known_from, last)
    if currently_in_test_context():
        note(f"{test}\n{rule}\n{told} from {known_from}")
    while at < END:
        verdict = check(test, View(state, rules, at))
        assert verdict.until > at
        for later in range(at, min(verdict.until, END)):
            assert check(test, View(state, rules, later)).answer is verdict.answer
            truth = reference.holds(test, reference.Past(tuple(events), rules, later))
            assert verdict.answer in {Answer.UNKNOWN, Answer.HOLDS if truth else Answer.FAILS}
        if is_exact and last <= at and verdict.until < NEVER:
            assert check(test, View(state, rules, verdict.until)).answer is not verdict.answer
        at = verdict.until


@given(TESTS, SCORES, EVENTS, st.integers(1, 25))
def test_scores(test: Score, rule: ScoreRule, told: Told, now: int) -> None:
    """Points of events and of conditions, halving or leaving a window, within bounds, are what the definition says."""
    check_in_time(test, rule, told, now=now)


@given(TESTS, UPS_AND_DOWNS, EVENTS)
def test_scores_that_rise_and_fall(test: Score, rule: ScoreRule, told: Told) -> None:
    """Points that are given and points that are taken away, each within its most, halve beside each other."""
    check_in_time(test, rule, told, now=25)


@pytest.mark.parametrize("op", ["more_than", "at_least", "less_than", "at_most"])
def test_what_cancels_stays_cancelled(op: str) -> None:
    """Two points three milliseconds ago are one point now: rounding makes no more and no less than nothing of it."""
    given_and_taken = [Points(points=2.0, tracker="a"), Points(points=-1.0, tracker="b")]
    rule = ScoreRule(title="S", points=tuple(given_and_taken), half_life_ms=3, floor=-100.0)
    check_in_time(Score(name="s", op=op, bound=0.0), rule, [("a", 1), ("b", 4)], now=4)


@pytest.mark.parametrize("op", ["more_than", "at_least", "less_than", "at_most"])
def test_a_score_that_comes_to_its_bound_is_on_it(op: str) -> None:
    """Four points halve to half a point in three half-lives: rounding puts it on neither side of that."""
    given_and_taken = [Points(points=2.0, tracker="a"), Points(points=-2.0, tracker="b")]
    rule = ScoreRule(title="S", points=tuple(given_and_taken), half_life_ms=5, floor=-100.0)
    told = [("a", 1), ("a", 9), ("a", 9), ("a", 19), ("a", 19), ("b", 1), ("b", 14)]
    check_in_time(Score(name="s", op=op, bound=0.5), rule, told, now=25)


@pytest.mark.parametrize(("op", "answer"), [("at_most", Answer.HOLDS), ("more_than", Answer.FAILS)])
def test_three_tenths_are_three_times_a_tenth(op: str, answer: Answer) -> None:
    """Points are added as marketers add them, also those that a machine cannot write down."""
    rules = make_rules(ScoreRule(title="S", points=(Points(points=0.1, tracker="a"),)))
    state = make_state(make_events([("a", 1), ("a", 2), ("a", 3)]), rules)
    assert check(Score(name="s", op=op, bound=0.3), View(state, rules, 4)).answer is answer


@given(TESTS, SCORES, EVENTS, st.integers(1, 25))
def test_scores_of_a_part(test: Score, rule: ScoreRule, told: Told, known_from: int) -> None:
    """Over a part of the past a score is unknown, or right, until it can be known."""
    check_in_time(test, rule, told, now=25, known_from=known_from)


@given(TESTS, ONE_WAY, EVENTS)
def test_the_expiry_of_a_score_is_exact(test: Score, rule: ScoreRule, told: Told) -> None:
    """Where all events bring points, or all take some away, the answer at its expiry is the other one."""
    check_in_time(test, rule, told, now=20, is_exact=True)


@given(
    st.lists(st.tuples(st.integers(0, 40 * DAY), st.sampled_from("ab")), min_size=1, max_size=30),
    st.sampled_from([HOUR, 7 * DAY, 30 * DAY]),
    st.one_of(st.sampled_from([0.25, 0.5, 1.0, 2.0]), st.floats(0.001, 40)),
    st.integers(0, 90 * DAY),
)
@example([(1_399_423_175, "a")], 30 * DAY, 0.5, 770_309_669)
def test_a_score_that_halves_slowly(told: list[tuple[int, str]], half_life_ms: int, bound: float, later: int) -> None:
    """Over months too it crosses a bound in the very millisecond that is said."""
    rule = ScoreRule(title="S", points=(Points(points=1.0, tracker="a"),), half_life_ms=half_life_ms, cap=20.0)
    rules, test = make_rules(rule), Score(name="s", op="at_least", bound=bound)
    events = make_events([(name, NOON - at) for at, name in told])
    state, now = make_state(events, rules), NOON + later
    verdict = check(test, View(state, rules, now))
    assert verdict.until > now
    if verdict.until < NEVER:
        for at, stays in ((verdict.until - 1, True), (verdict.until, False), ((now + verdict.until) // 2, True)):
            assert (check(test, View(state, rules, at)).answer is verdict.answer) is stays


@pytest.mark.parametrize(
    ("more", "told", "expected"),
    [
        ({}, [("a", 1)], 5),
        ({}, [("a", 1), ("a", 1)], 10),
        ({"within_ms": 10}, [("a", 90)], 0),
        ({"within_ms": 10}, [("a", 91)], 5),
        ({"half_life_ms": 50}, [("a", 50), ("a", 100)], 7.5),
        ({"half_life_ms": 10}, [("a", 100 - 199)], 5 * 2**-19.9),
        ({"half_life_ms": 10}, [("a", 100 - 200)], 0),
        ({"cap": 7}, [("a", 1), ("a", 2)], 7),
        ({}, [("b", 1)], 0),
        ({"floor": -100}, [("b", 1), ("b", 2), ("b", 3)], -9),
        ({"floor": -100}, [("a", 1), ("b", 1), ("b", 2)], -3),
    ],
)
def test_how_a_score_is_reckoned(more: dict[str, Any], told: Told, expected: float) -> None:
    """Each event brings its points, of which each part brings no more than its most; within floor and cap."""
    points = (Points(points=5, tracker="a"), Points(points=-4, tracker="b", most=9))
    rule = msgspec.convert({"title": "S", "points": (), **more}, ScoreRule)
    rules = make_rules(msgspec.structs.replace(rule, points=points))
    state = make_state(make_events([(name, at + 1_000) for name, at in told]), rules)
    view = View(state, rules, 1_100)
    assert check(Score(name="s", op="at_least", bound=expected), view).answer is Answer.HOLDS
    assert check(Score(name="s", op="more_than", bound=expected), view).answer is Answer.FAILS


@pytest.mark.parametrize("bound", [-1.0, 0.5, 1.0, 1.2])
@pytest.mark.parametrize("op", ["at_least", "less_than"])
@pytest.mark.parametrize("most", [None, 3.0])
def test_a_score_may_rise_before_it_falls(op: Any, bound: float, most: float | None) -> None:
    """While points that are given are at their most, those that are taken away halve: it rises, and then falls."""
    points = (Points(points=5, tracker="a", most=most), Points(points=-5, tracker="b"))
    rule = ScoreRule(title="S", points=points, half_life_ms=10, floor=-100)
    told = [("a", 1), ("a", 1), ("b", 1)]
    check_in_time(Score(name="s", op=op, bound=bound), rule, told, now=1)


def test_a_score_that_nobody_defined_is_unknown() -> None:
    """A score without a file is unknown, and so is one of which a tracker was never kept."""
    rule = ScoreRule(title="S", points=(Points(points=1, tracker="a"),))
    rules, test = make_rules(rule), Score(name="s", op="at_least", bound=0)
    unkept = View(State(), rules, NOON)
    assert check(test, unkept) == Verdict(Answer.UNKNOWN)
    assert check(Score(name="other", op="at_least", bound=0), unkept) == Verdict(Answer.UNKNOWN)


def test_a_score_is_unknown_until_all_that_counts_is_known() -> None:
    """What was not remembered stops to count when it would have left the window."""
    rule = ScoreRule(title="S", points=(Points(points=1, tracker="a"),), within_ms=DAY)
    rules, test = make_rules(rule), Score(name="s", op="at_most", bound=0)
    state = State(trackers={"a": Tracker(NOON)})
    assert check(test, View(state, rules, NOON)) == Verdict(Answer.UNKNOWN, NOON + DAY - 1)
    assert check(test, View(state, rules, NOON + DAY - 1)) == Verdict(Answer.HOLDS)


def test_an_event_that_is_worth_nothing_any_more_wakes_nobody() -> None:
    """Who is below a bound stays there: that events become too old is no reason to look again."""
    points = (Points(points=1, tracker="a"),)
    for ageing in ({"within_ms": DAY}, {"half_life_ms": HOUR}):
        rules = make_rules(ScoreRule(title="S", points=points, **ageing))
        state = make_state(make_events([("a", NOON), ("a", NOON + 1)]), rules)
        assert check(Score(name="s", op="at_least", bound=3), View(state, rules, NOON + 1)) == Verdict(Answer.FAILS)


def share_of(keys: list[str], micros: int, salt: str) -> set[str]:
    condition, rules = Share(micros=micros, salt=salt), a_bundle(segments={})
    profiles = {key: adopt(Profile(who=key), rules, NOON) for key in keys}
    return {key for key, it in profiles.items() if check(condition, View(it.state, rules, NOON)).answer is Answer.HOLDS}


def test_a_share_is_that_share_of_all() -> None:
    """A tenth of everybody is about a tenth; the same ones each time, and others for another draw; in tenths nested."""
    keys = [f"u#{number}" for number in range(4_000)]
    tenth, half = share_of(keys, 100_000, "x"), share_of(keys, 500_000, "x")
    assert 330 < len(tenth) < 470
    assert 1_850 < len(half) < 2_150
    assert tenth < half
    assert share_of(keys, 100_000, "x") == tenth
    assert 15 < len(tenth & share_of(keys, 100_000, "y")) < 75
    assert share_of(keys, 1_000_000, "x") == set(keys)
    assert not share_of(keys, 0, "x")


def test_what_is_drawn_stays() -> None:
    """The number drawn for a shopper and a draw is the same for ever: a hold-out group must never be mixed anew."""
    assert [draw(lot, salt) for lot, salt in ((1, "x"), (2, "x"), (1, "y"))] == [661_543, 485_955, 104_560]


def test_everybody_has_drawn_a_lot() -> None:
    """A profile of the first version has no lot: it draws when the rules are adopted; of several the lowest stays."""
    rules = a_bundle(segments={})
    alone = {who: adopt(Profile(who=who), rules, NOON).state.lot for who in ("u#1", "a#1")}
    for who, other in (("u#1", "a#1"), ("a#1", "u#1")):
        old = adopt(Profile(who=who, version=3, state=State(sources=(other,), evaluated_at=5)), rules, NOON)
        assert old.state.lot == min(alone.values()) < NO_LOT
        heard, _ = absorb(old, an_event(who=other), rules)
        assert heard.state.lot == old.state.lot
    never = View(State(), rules, NOON)
    assert check(Share(micros=1_000_000, salt="x"), never) == Verdict(Answer.UNKNOWN)
