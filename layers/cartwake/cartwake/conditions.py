"""Conditions: the compiled form of what marketers say about a shopper, and its verdict with an expiry."""

from enum import StrEnum
from itertools import groupby
from typing import Final, Protocol, assert_never

import msgspec

from cartwake.times import NEVER, Instant
from cartwake.trackers import Tracker
from cartwake.values import MICROS, Test, passes


class Answer(StrEnum):
    """What a condition says at an instant; unknown when the state does not reach far enough back."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


class Verdict(msgspec.Struct, frozen=True):
    """An answer, and the instant until which it stays, as long as nothing new happens."""

    answer: Answer
    until: Instant = NEVER


class Did(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="did", omit_defaults=True):
    """How often something happened: at least or at most `count` times, in a window, since the start, or ever."""

    tracker: str
    op: str = "at_least"
    count: int = 1
    within_ms: int = 0
    since_start: bool = False


class Total(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="total"):
    """The sum of an amount in a window against a bound in the amount's own unit."""

    tracker: str
    op: str
    bound: float
    within_ms: int


class Trait(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="trait"):
    """A test on a trait of the profile."""

    name: str
    test: Test


class InSegment(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="in_segment"):
    """Membership of another segment."""

    segment: str


class AllOf(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="all"):
    """Every one of the conditions holds."""

    of: tuple["Condition", ...]


class AnyOf(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="any"):
    """At least one of the conditions holds."""

    of: tuple["Condition", ...]


class NoneOf(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="none"):
    """None of the conditions holds."""

    of: tuple["Condition", ...]


Condition = Did | Total | Trait | InSegment | AllOf | AnyOf | NoneOf


class Start(msgspec.Struct, frozen=True):
    """What "since: start" counts from: the triggering event's own time, and its short id, which does not count."""

    at: Instant
    id: int = 0


class Facts(Protocol):
    """What a condition may ask of a profile."""

    def tracker(self, key: str) -> Tracker | None:
        """Return the tracker, or None when the profile has never kept it."""

    def trait(self, name: str) -> object:
        """Return the value of a trait, or None."""

    def segment(self, name: str, now: Instant) -> Verdict:
        """Return the verdict on another segment."""


def evaluate(condition: Condition, facts: Facts, now: Instant, *, start: Start | None = None) -> Verdict:
    """Return whether *condition* holds at *now*, and until when that stays so with no new event.

    `until` is never late; for a single count or sum it is exact: at `until` itself the answer is another one.
    """
    match condition:
        case Did():
            return _evaluate_did(condition, facts.tracker(condition.tracker), now, start)
        case Total():
            return _evaluate_total(condition, facts.tracker(condition.tracker), now)
        case Trait(name=name, test=test):
            return HOLDS if passes(facts.trait(name), test) else FAILS
        case InSegment(segment=name):
            return facts.segment(name, now)
        case AllOf(of=of):
            return _combine([evaluate(child, facts, now, start=start) for child in of], Answer.FAILS)
        case AnyOf(of=of):
            return _combine([evaluate(child, facts, now, start=start) for child in of], Answer.HOLDS)
        case NoneOf(of=of):
            return _negate(_combine([evaluate(child, facts, now, start=start) for child in of], Answer.HOLDS))
        case _:
            assert_never(condition)


HOLDS: Final = Verdict(Answer.HOLDS)
FAILS: Final = Verdict(Answer.FAILS)
UNKNOWN: Final = Verdict(Answer.UNKNOWN)
_OPPOSITE: Final = {Answer.HOLDS: Answer.FAILS, Answer.FAILS: Answer.HOLDS, Answer.UNKNOWN: Answer.UNKNOWN}


def _combine(verdicts: list[Verdict], decisive: Answer) -> Verdict:
    """One *decisive* answer decides, for as long as any of those lasts; else all must stay as they are."""
    deciding = [verdict.until for verdict in verdicts if verdict.answer is decisive]
    if deciding:
        return Verdict(decisive, max(deciding))
    until = min(verdict.until for verdict in verdicts)
    unknown = any(verdict.answer is Answer.UNKNOWN for verdict in verdicts)
    return Verdict(Answer.UNKNOWN if unknown else _OPPOSITE[decisive], until)


def _negate(verdict: Verdict) -> Verdict:
    return Verdict(_OPPOSITE[verdict.answer], verdict.until)


def _evaluate_did(condition: Did, tracker: Tracker | None, now: Instant, start: Start | None) -> Verdict:
    """Count the entries in the window; the answer changes when an entry leaves it, or a future one arrives."""
    if tracker is None or (condition.since_start and start is None):
        return UNKNOWN
    if condition.op == "exactly":
        least = msgspec.structs.replace(condition, op="at_least")
        most = msgspec.structs.replace(condition, op="at_most")
        both = [_evaluate_did(least, tracker, now, start), _evaluate_did(most, tracker, now, start)]
        return _combine(both, Answer.FAILS)
    after, excluded = _window(condition, now, start)
    inside = [entry.at for entry in tracker.entries if after < entry.at <= now and entry.id != excluded]
    needed = condition.count if condition.op == "at_least" else condition.count + 1
    reached, missed = (Answer.HOLDS, Answer.FAILS) if condition.op == "at_least" else (Answer.FAILS, Answer.HOLDS)
    if needed <= 0:
        return Verdict(reached)
    if len(inside) >= needed:
        return Verdict(reached, inside[-needed] + condition.within_ms if condition.within_ms else NEVER)
    coming = next((entry.at for entry in tracker.entries if entry.at > now), NEVER)
    if tracker.complete_from > after + 1:
        known_at = tracker.complete_from + condition.within_ms - 1 if condition.within_ms else NEVER
        return Verdict(Answer.UNKNOWN, min(coming, known_at))
    return Verdict(missed, coming)


def _window(condition: Did, now: Instant, start: Start | None) -> tuple[Instant, int]:
    """Return the instant after which entries count, and the short id that never does."""
    if condition.since_start and start is not None:
        return start.at - 1, start.id
    return (now - condition.within_ms if condition.within_ms else -1), -1


def _evaluate_total(condition: Total, tracker: Tracker | None, now: Instant) -> Verdict:
    """Sum the amounts in the window; with every entry that leaves it the sum is another one."""
    if tracker is None:
        return UNKNOWN
    after = now - condition.within_ms
    if tracker.complete_from > after + 1:
        return Verdict(Answer.UNKNOWN, tracker.complete_from + condition.within_ms - 1)
    entries = [entry for entry in tracker.entries if entry.at > after]
    inside = [entry for entry in entries if entry.at <= now]
    total, bound = sum(entry.micros for entry in inside), round(condition.bound * MICROS)
    answer = _holds(total, condition.op, bound)
    until = entries[len(inside)].at if len(inside) < len(entries) else NEVER
    for left_at, leaving in groupby(inside, key=lambda entry: entry.at + condition.within_ms):
        total -= sum(entry.micros for entry in leaving)
        if left_at >= until or _holds(total, condition.op, bound) != answer:
            until = min(until, left_at)
            break
    return Verdict(Answer.HOLDS if answer else Answer.FAILS, until)


def _holds(total: int, op: str, bound: int) -> bool:
    match op:
        case "more_than":
            return total > bound
        case "at_least":
            return total >= bound
        case "less_than":
            return total < bound
        case "at_most":
            return total <= bound
        case _:
            raise ValueError(f"unknown comparison {op}")
