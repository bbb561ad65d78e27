"""Evaluating: whether a condition holds of a shopper, and until when that stays so with no new event."""

from collections.abc import Callable
from datetime import tzinfo
from hashlib import blake2b
from typing import Final, Protocol, assert_never

from cartwake.conditions.behaviour import judge_amount, judge_count, judge_edge, judge_sequence
from cartwake.conditions.dates import judge_age, judge_anniversary, judge_moment
from cartwake.conditions.kinds import (
    FAILS,
    HOLDS,
    UNKNOWN,
    Age,
    AllOf,
    Amount,
    Anniversary,
    Answer,
    AnyOf,
    Condition,
    Did,
    Edge,
    EverIn,
    InSegment,
    Known,
    Moment,
    NoneOf,
    Predicted,
    Score,
    ScoreRule,
    Sequence,
    Share,
    Start,
    Then,
    Trait,
    Verdict,
)
from cartwake.conditions.predictions import Parameters, judge_prediction
from cartwake.conditions.scores import Reckoning, judge_score, reckon
from cartwake.times import Instant
from cartwake.trackers import Tracker
from cartwake.values import MICROS, passes


class Facts(Protocol):
    """What a condition may ask of a profile."""

    @property
    def zone(self) -> tzinfo:
        """The shopper's timezone, else the shop's."""

    @property
    def lot(self) -> int | None:
        """A number that was drawn for the shopper and stays; None: none was drawn yet."""

    @property
    def parameters(self) -> Parameters | None:
        """What predictions are made with, if there is any."""

    def tracker(self, key: str) -> Tracker | None:
        """Return the tracker, or None when the profile has never kept it."""

    def trait(self, name: str) -> object:
        """Return the value of a trait, or None."""

    def known(self, name: str) -> object:
        """Return something that Cartwake itself knows, or None."""

    def segment(self, name: str, now: Instant) -> Verdict:
        """Return the verdict on another segment."""

    def was_in(self, segment: str) -> bool:
        """Say whether the shopper has entered a segment before, and may have left it since."""

    def once[Found](self, key: object, find: Callable[[], Found]) -> Found:
        """Return what *find* returns, and find it only once."""

    def score_rule(self, name: str) -> ScoreRule | None:
        """Return how a score is reckoned; None: there is no such score."""


def evaluate(condition: Condition, facts: Facts, now: Instant, *, start: Start | None = None) -> Verdict:
    """Return whether *condition* holds at *now*, and until when that stays so with no new event.

    `until` is never late; of whatever is not composed of others it is exact: at `until` itself the answer is another.
    """
    match condition:
        case AllOf(of=of):
            return combine([evaluate(child, facts, now, start=start) for child in of], Answer.FAILS)
        case AnyOf(of=of):
            return combine([evaluate(child, facts, now, start=start) for child in of], Answer.HOLDS)
        case NoneOf(of=of):
            return _negate(combine([evaluate(child, facts, now, start=start) for child in of], Answer.HOLDS))
        case Did() | Amount() | Sequence() | Edge() | Predicted():
            return _judge_events(condition, facts, now, start)
        case Score(name=name):
            reckoning = reckon_score(name, facts, now)
            return UNKNOWN if reckoning is None else judge_score(condition, reckoning, now)
        case InSegment(segment=name):
            return facts.segment(name, now)
        case EverIn(segment=name):
            return HOLDS if facts.was_in(name) else facts.segment(name, now)
        case _:
            return _judge_person(condition, facts, now)


def reckon_score(name: str, facts: Facts, now: Instant) -> Reckoning | None:
    """Return what a score is made of, or None where there is no such score."""
    rule = facts.score_rule(name)
    if rule is None:
        return None

    def judge(child: Condition) -> Verdict:
        return evaluate(child, facts, now)

    return facts.once(("score", name, now), lambda: reckon(rule, now, find=facts.tracker, judge=judge))


def combine(verdicts: list[Verdict], decisive: Answer) -> Verdict:
    """One *decisive* answer decides, for as long as any of those lasts; else all must stay as they are."""
    deciding = [verdict.until for verdict in verdicts if verdict.answer is decisive]
    if deciding:
        return Verdict(decisive, max(deciding))
    until = min(verdict.until for verdict in verdicts)
    unknown = any(verdict.answer is Answer.UNKNOWN for verdict in verdicts)
    return Verdict(Answer.UNKNOWN if unknown else _OPPOSITE[decisive], until)


_OPPOSITE: Final = {Answer.HOLDS: Answer.FAILS, Answer.FAILS: Answer.HOLDS, Answer.UNKNOWN: Answer.UNKNOWN}


def _negate(verdict: Verdict) -> Verdict:
    return Verdict(_OPPOSITE[verdict.answer], verdict.until)


def _judge_events(
    condition: Did | Amount | Sequence | Edge | Predicted, facts: Facts, now: Instant, start: Start | None
) -> Verdict:
    tracker = facts.tracker(condition.tracker)
    match condition:
        case Did():
            return judge_count(condition, tracker, now, start)
        case Amount():
            return judge_amount(condition, tracker, now, start)
        case Edge():
            return judge_edge(condition, tracker, now)
        case Sequence():
            trackers = {condition.tracker: tracker} | {key: facts.tracker(key) for key in _list_then(condition.then)}
            return judge_sequence(condition, trackers, now, start)
        case Predicted():
            return judge_prediction(condition, tracker, facts.parameters, now)
        case _:
            assert_never(condition)


def _judge_person(condition: Trait | Known | Moment | Age | Anniversary | Share, facts: Facts, now: Instant) -> Verdict:
    match condition:
        case Trait(name=name, test=test):
            return HOLDS if passes(facts.trait(name), test) else FAILS
        case Known(name=name, test=test):
            return HOLDS if passes(facts.known(name), test) else FAILS
        case Moment(name=name):
            value = facts.known(name) if condition.known else facts.trait(name)
            return judge_moment(condition, value, facts.zone, now)
        case Age(trait=trait):
            return judge_age(condition, facts.trait(trait), facts.zone, now)
        case Anniversary(trait=trait):
            return judge_anniversary(condition, facts.trait(trait), facts.zone, now)
        case Share(micros=micros, salt=salt):
            if facts.lot is None:
                return UNKNOWN
            return HOLDS if draw(facts.lot, salt) < micros else FAILS
        case _:
            assert_never(condition)


def draw(lot: int, salt: str) -> int:
    """Return a number below a million that is the same for ever, and unlike that of another salt."""
    return int.from_bytes(blake2b(f"{salt}\x1f{lot}".encode(), digest_size=8).digest()) % MICROS


def _list_then(then: Then) -> list[str]:
    return [then.tracker, *(_list_then(then.then) if then.then else [])]
