"""A small world: a few events within 30 milliseconds, of which a part may be known, looked at in every millisecond."""

from typing import NamedTuple

import msgspec
import reference
from builders import a_bundle, an_event
from hypothesis import note
from hypothesis import strategies as st

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Amount, Answer, Condition, Did, Edge, Sequence, Start, Then, Verdict
from cartwake.events import Event
from cartwake.profiles import State, fold, prepare, trim
from cartwake.rules.needs import count_kept
from cartwake.segments import View, check
from cartwake.times import NEVER
from cartwake.trackers import Need
from cartwake.values import Is, PropertyTest

TIMES = (1, 2, 3, 5, 5, 6, 7, 8, 9, 9, 12, 13, 18, 25)
END = 70
"""After this nothing changes any more."""
NEEDS = {
    "a": Need(event="a"),
    "b": Need(event="b"),
    "late a": Need(event="a", from_at=8),
    "early a": Need(event="a", before_at=12),
    "first a": Need(event="a", oldest=1, marks=(PropertyTest("v", Is((1,))),)),
    "marked a": Need(event="a", marks=(PropertyTest("v", Is((1,))),)),
    "deep first a": Need(event="a", oldest=3, marks=(PropertyTest("v", Is((1,))),)),
    "deep marked a": Need(event="a", latest=3, marks=(PropertyTest("v", Is((1,))),)),
    "values": Need(event="a", distinct="v"),
    "amounts": Need(event="a", amount="v"),
}
"""Kinds; how much of each is needed depends on the condition. Of the deep ones another rule needs more."""


class Small(NamedTuple):
    """A world.

    Attributes:
        events: With their properties; the id of each is its place.
        known_from: Since when events have been folded.
        lucky: Which of the older ones are known all the same.
        trimmed_at: When entries were cut last.
        now: The time.
    """

    events: tuple[Event, ...]
    known_from: int
    lucky: list[bool]
    trimmed_at: int
    now: int


def _told(number: int, name: str, at: int, value: object) -> Event:
    return an_event(name, id=str(number), sent_time="", at=at, properties={"v": value})


EVENTS = st.lists(
    st.tuples(st.sampled_from("aaab"), st.sampled_from(TIMES), st.sampled_from([1, 1, 2, 0, -1, None, [1, 2]])),
    max_size=8,
).map(lambda told: tuple(_told(number, *each) for number, each in enumerate(told)))
PARTS = st.builds(
    Small,
    EVENTS,
    st.one_of(st.just(0), st.integers(0, 30)),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.integers(0, 40),
    st.integers(0, 40),
)
WHOLES = PARTS.map(lambda small: small._replace(known_from=0))
WITHIN = st.sampled_from([0, 0, 5, 12])


def _needed(condition: Condition) -> dict[str, Need]:
    """Return what a condition needs, and no more."""
    match condition:
        case Did(tracker=key):
            latest = count_kept(condition.op, condition.count, since_start=condition.since_start)
            need = NEEDS[key]
            if condition.before_ms and not condition.within_ms:
                return {key: msgspec.structs.replace(need, oldest=latest)}
            if condition.before_ms:
                return {key: msgspec.structs.replace(need, within_ms=condition.within_ms)}
            within = END if need.distinct and condition.since_start else 0
            return {key: msgspec.structs.replace(need, latest=latest, within_ms=within)}
        case Amount() | Sequence():
            keys = [condition.tracker, *(_list_then(condition.then) if isinstance(condition, Sequence) else [])]
            within = END if condition.since_start else condition.within_ms
            return {key: msgspec.structs.replace(NEEDS[key], within_ms=within, whole=not within) for key in keys}
        case Edge(tracker=key):
            return {key: NEEDS[key]}
        case _:
            raise AssertionError(condition)


def _list_then(then: Then) -> list[str]:
    return [then.tracker, *(_list_then(then.then) if then.then else [])]


def make_rules(condition: Condition) -> Bundle:
    return a_bundle(needs=_needed(condition), segments={}, journeys={})


def make_state(small: Small, rules: Bundle) -> State:
    """Return a profile that knows of *small* what it can know, and no more than is needed."""
    state = prepare(State(), rules.needs, complete_from=small.known_from)
    for event, is_lucky in zip(small.events, small.lucky, strict=False):
        # of the millisecond before what is known, all is known or nothing: else the last of it could not be told
        together = event.occurred_at == small.known_from - 1
        if event.occurred_at >= small.known_from or (small.lucky[0] if together else is_lucky):
            state = fold(state, event, rules.needs)
    return trim(state, rules.needs, min(small.trimmed_at, small.now))


def answer_of(condition: Condition, small: Small, rules: Bundle, now: int, start: Start | None = None) -> Answer:
    """Return what the reference says."""
    past = reference.Past(small.events, rules, now, start=start)
    return Answer.HOLDS if reference.holds(condition, past) else Answer.FAILS


def check_in_time(condition: Condition, small: Small, start: Start | None = None) -> None:
    """Follow the expiries, and compare in every millisecond what is said of a part with what is true of all."""
    rules = make_rules(condition)
    state = make_state(small, rules)
    told = [(it.name, it.occurred_at, it.properties["v"]) for it in small.events]
    note(f"{condition}\n{told}\n{small._replace(events=())}\n{state.trackers}")
    at, last = small.now, max((it.occurred_at for it in small.events), default=0)
    is_distinct = isinstance(condition, Did) and condition.tracker == "values"
    while at < END:
        verdict = check(condition, View(state, rules, at, start))
        assert verdict.until > at
        for now in range(at, min(verdict.until, END)):
            assert check(condition, View(state, rules, now, start)).answer is verdict.answer
            # what was told later has taken the place of what was told before
            if now >= last or not is_distinct:
                assert verdict.answer in {Answer.UNKNOWN, answer_of(condition, small, rules, now, start)}
        if small.known_from == 0 and at >= last:
            assert verdict.answer is not Answer.UNKNOWN
            _check_tight(condition, View(state, rules, at, start), verdict)
        at = verdict.until


def _check_tight(condition: Condition, view: View, verdict: Verdict) -> None:
    """At its expiry a verdict is another one."""
    if verdict.until < NEVER:
        later = msgspec.structs.replace(view, now=verdict.until)
        assert check(condition, later).answer is not verdict.answer
