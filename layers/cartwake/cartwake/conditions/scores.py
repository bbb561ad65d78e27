"""Scores: points for what somebody did and for what holds, halving with time, within bounds."""

import math
from collections.abc import Callable
from typing import NamedTuple

from cartwake.conditions.kinds import Answer, Condition, Points, Score, ScoreRule, Verdict
from cartwake.conditions.spans import compare
from cartwake.times import NEVER, Instant
from cartwake.trackers import Tracker


class _Part(NamedTuple):
    """What gives points from here on: events by their times, or something that holds."""

    points: Points
    events: tuple[tuple[Instant, int], ...] = ()
    holds: bool = False

    def weigh(self, now: Instant, half_life_ms: int) -> float:
        """Return how many events these are worth at *now*."""
        if not half_life_ms:
            return float(sum(count for _, count in self.events))
        return math.fsum(count * 2.0 ** ((at - now) / half_life_ms) for at, count in self.events)


class Reckoning(NamedTuple):
    """What a score is made of, whether all of it is known, and until when it stays."""

    rule: ScoreRule
    parts: tuple[_Part, ...]
    known: bool
    until: Instant

    def value_at(self, now: Instant) -> float:
        """Return the score at *now*, which must be before `until`."""
        return self.add_up([part.weigh(now, self.rule.half_life_ms) for part in self.parts])

    def add_up(self, weights: list[float]) -> float:
        """Return the score, given how many events each part is worth."""
        total = math.fsum(_reckon(part, weight) for part, weight in zip(self.parts, weights, strict=True))
        total = max(self.rule.floor, total)
        return total if self.rule.cap is None else min(self.rule.cap, total)


def reckon(
    rule: ScoreRule,
    now: Instant,
    *,
    find: Callable[[str], Tracker | None],
    judge: Callable[[Condition], Verdict],
) -> Reckoning:
    """Return what a score is made of at *now*.

    Args:
        rule: How it is reckoned.
        now: The time.
        find: Returns a tracker by its key.
        judge: Returns the verdict of a condition at *now*.
    """
    parts, known, until = [], True, NEVER
    for points in rule.points:
        if points.condition is not None:
            verdict = judge(points.condition)
            parts.append(_Part(points, holds=verdict.answer is Answer.HOLDS))
            known = known and verdict.answer is not Answer.UNKNOWN
            until = min(until, verdict.until)
            continue
        tracker = find(points.tracker)
        after = now - rule.reach_ms if rule.reach_ms else -1
        if tracker is None or tracker.complete_from > after + 1:
            known = False
            if tracker is not None and rule.reach_ms and tracker.complete_from < NEVER:
                until = min(until, tracker.complete_from + rule.reach_ms - 1)
            continue
        events, changes_at = _list_events(tracker, rule, now)
        parts.append(_Part(points, events=events))
        until = min(until, changes_at)
    return Reckoning(rule, tuple(parts), known, until)


def judge_score(condition: Score, reckoning: Reckoning, now: Instant) -> Verdict:
    """Return the verdict on a score; with the halving of points it is exact to the millisecond."""
    if not reckoning.known:
        return Verdict(Answer.UNKNOWN, reckoning.until)

    def holds(at: Instant) -> bool:
        return compare(reckoning.value_at(at), condition.op, condition.bound)

    answer = holds(now)
    until = reckoning.until
    if reckoning.rule.half_life_ms and any(part.events for part in reckoning.parts):
        until = _find_change(condition, reckoning, holds, now)
    return Verdict(Answer.HOLDS if answer else Answer.FAILS, until)


def _list_events(tracker: Tracker, rule: ScoreRule, now: Instant) -> tuple[tuple[tuple[Instant, int], ...], Instant]:
    """Return when something that counts happened and how often, and when that is no longer all."""
    both = [(entry.at, 1) for entry in tracker.entries] + [(each.at, each.count) for each in tracker.sums]
    events = tuple(it for it in both if it[0] <= now and (not rule.reach_ms or it[0] + rule.reach_ms > now))
    leaving = (at + rule.reach_ms for at, _ in events) if rule.reach_ms else ()
    coming = (at for at, _ in both if at > now)
    return events, min((*leaving, *coming), default=NEVER)


def _reckon(part: _Part, weight: float) -> float:
    points, most = part.points.points, part.points.most
    if part.points.condition is not None:
        return points if part.holds else 0.0
    return points * weight if most is None else max(-most, min(most, points * weight))


def _find_change(condition: Score, reckoning: Reckoning, holds: Callable[[Instant], bool], now: Instant) -> Instant:
    """Return the first instant at which halving gives another answer, or the end of the reckoning.

    Between the instants at which a part stops being limited by its `most`, everything that halves does so together:
    the score only rises or only falls, and the instant is found by halving the time.
    """
    half_life, answer = reckoning.rule.half_life_ms, holds(now)
    weights = [part.weigh(now, half_life) for part in reckoning.parts]

    def roughly(at: Instant) -> bool:
        factor = 2.0 ** ((now - at) / half_life)
        return compare(reckoning.add_up([weight * factor for weight in weights]), condition.op, condition.bound)

    low = now
    for high in sorted({*_list_releases(reckoning, weights, now), reckoning.until}):
        if low < high <= reckoning.until:
            if holds(high) != answer:
                return _bisect(roughly, holds, low, high)
            low = high
    return reckoning.until


def _list_releases(reckoning: Reckoning, weights: list[float], now: Instant) -> list[Instant]:
    """Return when the parts that are limited by their `most` will be so no longer."""
    found = []
    for part, weight in zip(reckoning.parts, weights, strict=True):
        total, most = abs(part.points.points) * weight, part.points.most
        if most and total > most:
            released_at = now + math.floor(reckoning.rule.half_life_ms * math.log2(total / most))
            found += [released_at, released_at + 1]
    return found


def _bisect(
    roughly: Callable[[Instant], bool], holds: Callable[[Instant], bool], low: Instant, high: Instant
) -> Instant:
    """Return the first instant after *low* at which *holds* says something else, with one change up to *high*.

    *roughly* says the same but for the last digits, at a fraction of the cost.
    """
    answer, end = holds(low), high
    first = low
    while high - first > 1:
        middle = (first + high) // 2
        if roughly(middle) == answer:
            first = middle
        else:
            high = middle
    while high > low + 1 and holds(high - 1) != answer:
        high -= 1
    while high < end and holds(high) == answer:
        high += 1
    return high
