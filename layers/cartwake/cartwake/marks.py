"""Marks: a shopper's tags and scores, and what their orders let expect, as of an instant."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from cartwake import statements
from cartwake.bundles import Bundle, Segment
from cartwake.conditions.buying import expect_orders, expect_value, reckon_churn_risk
from cartwake.conditions.evaluate import evaluate, reckon_score
from cartwake.conditions.histories import History, read_history
from cartwake.conditions.kinds import Answer, Condition, EverIn, InSegment, Predicted
from cartwake.conditions.parts import walk, walk_points
from cartwake.journeys import Journey
from cartwake.paths import list_conditions, walk_steps
from cartwake.profiles import State
from cartwake.segments import ProfileFacts, is_member
from cartwake.times import Instant
from cartwake.values import MICROS


class Tag(NamedTuple):
    """A tag, and why a shopper has it.

    Attributes:
        by: The segment that sets it; "" if it was set by hand or by an import.
        sticky: It stays when the segment is left.
    """

    name: str
    by: str = ""
    sticky: bool = False


class Forecast(NamedTuple):
    """What a shopper's orders let expect; None where that cannot be said.

    Attributes:
        history: The orders; None if there is none.
        churn_risk: In percent.
        expected_orders: In the next 365 days.
        expected_value: Of these, in the currency's unit.
    """

    history: History | None
    churn_risk: float | None = None
    expected_orders: float | None = None
    expected_value: float | None = None

    @property
    def value(self) -> float:
        """What all orders were worth until now, in the currency's unit."""
        return self.history.total / MICROS if self.history else 0.0


class Marks(NamedTuple):
    """What templates see of a shopper's marks.

    Attributes:
        tags: Names, each once.
        scores: By name; None while not all of what it is made of is known.
    """

    tags: tuple[str, ...] = ()
    scores: Mapping[str, float | None] = MappingProxyType({})


def read_marks(state: State, rules: Bundle, now: Instant) -> Marks:
    """Return the tags and scores of a shopper."""
    return Marks(tuple(name_tags(list_tags(state, rules, now))), reckon_scores(state, rules, now))


def list_tags(state: State, rules: Bundle, now: Instant) -> list[Tag]:
    """Return the tags of a shopper in order of their names; one that has two reasons stands there twice.

    A condition on a tag says the same at the same instant; while it is not known, a tag stays as it was.
    """
    facts = ProfileFacts(state, rules)
    by_hand = [Tag(name) for name in statements.list_tags(state.tags)]
    by_rule = [
        Tag(tag, name, segment.sticky)
        for name, segment in rules.segments.items()
        if segment.tags and _is_tagged(name, state, evaluate(_ask_for(name, segment), facts, now).answer)
        for tag in segment.tags
    ]
    return sorted(by_hand + by_rule)


def name_tags(tags: list[Tag]) -> list[str]:
    """Return the names of *tags*, each once; those that differ by upper and lower case alone are one."""
    found: dict[str, str] = {}
    for tag in tags:
        found.setdefault(tag.name.casefold(), tag.name)
    return list(found.values())


def reckon_scores(state: State, rules: Bundle, now: Instant) -> dict[str, float | None]:
    """Return every score by its name; None while not all of what it is made of is known."""
    facts = ProfileFacts(state, rules)
    found: dict[str, float | None] = {}
    for name in sorted(rules.scores):
        reckoning = reckon_score(name, facts, now)
        found[name] = reckoning.value_at(now) if reckoning is not None and reckoning.known else None
    return found


def forecast(state: State, rules: Bundle, now: Instant) -> Forecast | None:
    """Return what the orders let expect; None where no rule asks, or where not all orders are known.

    Conditions on predictions say the same at the same instant.
    """
    key = find_orders(rules)
    tracker = state.trackers.get(key) if key else None
    if tracker is None or tracker.complete_from > 0:
        return None
    history, parameters = read_history(tracker, now), rules.predictions
    if history is None or parameters is None:
        return Forecast(history)
    return Forecast(
        history,
        churn_risk=reckon_churn_risk(parameters, history, now),
        expected_orders=expect_orders(parameters, history, now),
        expected_value=expect_value(parameters, history, now),
    )


def find_orders(rules: Bundle) -> str | None:
    """Return the key of the tracker of orders; None where no rule has a prediction in it."""
    return next((part.tracker for part in _list_conditions(rules) if isinstance(part, Predicted)), None)


def _is_tagged(segment: str, state: State, answer: Answer) -> bool:
    """Say whether somebody has a segment's tags: while the definition cannot answer, the membership stays as it was."""
    return answer is Answer.HOLDS or (answer is Answer.UNKNOWN and is_member(state.memberships.get(segment)))


def _ask_for(name: str, segment: Segment) -> Condition:
    return EverIn(segment=name) if segment.sticky else InSegment(segment=name)


def _list_conditions(rules: Bundle) -> Iterator[Condition]:
    for segment in rules.segments.values():
        yield from walk(segment.where)
    for score in rules.scores.values():
        for points in score.points:
            yield from walk_points(points)
    for journey in rules.journeys.values():
        yield from _walk_journey(journey)


def _walk_journey(journey: Journey) -> Iterator[Condition]:
    if journey.filter is not None:
        yield from walk(journey.filter)
    for step in walk_steps(journey.steps):
        for condition in list_conditions(step):
            yield from walk(condition)
