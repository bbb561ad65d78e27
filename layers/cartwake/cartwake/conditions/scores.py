"""Scores: points for what somebody did and for what holds, halving with time, within bounds."""

import math
from collections.abc import Callable
from typing import NamedTuple

from cartwake.conditions.buying import find_first
from cartwake.conditions.kinds import Answer, Condition, Points, Score, ScoreRule, Verdict
from cartwake.conditions.spans import compare
from cartwake.times import NEVER, Instant
from cartwake.trackers import Tracker

_ROUNDING = 1e-13
"""Events one millisecond apart differ by more than this share of their points, with a half-life of up to 50 years."""


class _Part(NamedTuple):
    """What gives points from here on: events by their times, or something that holds."""

    points: Points
    events: tuple[tuple[Instant, int], ...] = ()
    holds: bool = False

    def weigh(self, now: Instant, rule: ScoreRule) -> float:
        """Return how many events these are worth at *now*."""
        after = _find_after(rule, now)
        if not rule.half_life_ms:
            return float(sum(count for at, count in self.events if at > after))
        half_life, exp2 = rule.half_life_ms, math.exp2
        return math.fsum([count * exp2((at - now) / half_life) for at, count in self.events if at > after])


class Reckoning(NamedTuple):
    """What a score is made of, and whether all of it is known.

    Attributes:
        until: Until when it is made of the same.
        given_until: Until when it is made of the same, but for events that become too old.
    """

    rule: ScoreRule
    parts: tuple[_Part, ...]
    known: bool
    until: Instant
    given_until: Instant

    @property
    def is_one_way(self) -> bool:
        """Whether it can only fall, or only rise, as events become older."""
        signs = {part.points.points > 0 for part in self.parts if part.events}
        return len(signs) <= 1

    def value_at(self, now: Instant) -> float:
        """Return the score at *now*, which must be before `given_until`."""
        return self._add_up(self.weigh(now))[0]

    def weigh(self, now: Instant) -> list[float]:
        """Return how many events each part is worth at *now*."""
        return [part.weigh(now, self.rule) for part in self.parts]

    def passes(self, condition: Score, weights: list[float]) -> bool:
        """Say whether the score passes, given how many events each part is worth; next to its bound it is on it."""
        score, rounding = self._add_up(weights)
        reached = abs(score - condition.bound) <= rounding
        return compare(condition.bound if reached else score, condition.op, condition.bound)

    def _add_up(self, weights: list[float]) -> tuple[float, float]:
        """Return the score and how far off it may be; what cancels but for rounding is nothing, and stays nothing."""
        fixed: list[float] = []
        halving: list[float] = []
        for part, weight in zip(self.parts, weights, strict=True):
            value = _reckon(part, weight)
            (halving if value == part.points.points * weight and part.events else fixed).append(value)
        left, rounding = math.fsum(halving), _ROUNDING * math.fsum(map(abs, halving))
        score = max(self.rule.floor, math.fsum([*fixed, left if abs(left) > rounding else 0.0]))
        return (score if self.rule.cap is None else min(self.rule.cap, score)), rounding


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
    parts, known, until, given_until = [], True, NEVER, NEVER
    for points in rule.points:
        if points.condition is not None:
            verdict = judge(points.condition)
            parts.append(_Part(points, holds=verdict.answer is Answer.HOLDS))
            known = known and verdict.answer is not Answer.UNKNOWN
            given_until = min(given_until, verdict.until)
            continue
        tracker = find(points.tracker)
        if tracker is None or tracker.complete_from > _find_after(rule, now) + 1:
            known = False
            if tracker is not None and rule.reach_ms and tracker.complete_from < NEVER:
                given_until = min(given_until, tracker.complete_from + rule.reach_ms - 1)
            continue
        events, coming = _list_events(tracker, rule, now)
        parts.append(_Part(points, events=events))
        given_until = min(given_until, coming)
        until = min(until, min((at + rule.reach_ms for at, _ in events), default=NEVER) if rule.reach_ms else NEVER)
    return Reckoning(rule, tuple(parts), known, min(until, given_until), given_until)


def judge_score(condition: Score, reckoning: Reckoning, now: Instant) -> Verdict:
    """Return the verdict on a score.

    It is exact to the millisecond, but where other conditions give points, or where points that are given and points
    that are taken away both halve: then it may end before the answer changes.
    """
    if not reckoning.known:
        return Verdict(Answer.UNKNOWN, reckoning.given_until)
    weights = reckoning.weigh(now)
    answer = reckoning.passes(condition, weights)
    if reckoning.is_one_way and reckoning.passes(condition, [0.0] * len(weights)) == answer:
        until = reckoning.given_until
    elif reckoning.rule.half_life_ms:
        until = _find_crossing(condition, reckoning, weights, now)
    else:
        until = _find_step(condition, reckoning, weights)
    return Verdict(Answer.HOLDS if answer else Answer.FAILS, until)


def _find_after(rule: ScoreRule, now: Instant) -> Instant:
    """Return the instant after which events count."""
    return max(now - rule.reach_ms, -1) if rule.reach_ms else -1


def _list_events(tracker: Tracker, rule: ScoreRule, now: Instant) -> tuple[tuple[tuple[Instant, int], ...], Instant]:
    """Return when something that counts happened and how often, and when there will be more."""
    both = [(entry.at, 1) for entry in tracker.entries] + [(each.at, each.count) for each in tracker.sums]
    after = _find_after(rule, now)
    coming = min((at for at, _ in both if at > now), default=NEVER)
    return tuple(it for it in both if after < it[0] <= now), coming


def _reckon(part: _Part, weight: float) -> float:
    points, most = part.points.points, part.points.most
    if part.points.condition is not None:
        return points if part.holds else 0.0
    return points * weight if most is None else max(-most, min(most, points * weight))


def _find_step(condition: Score, reckoning: Reckoning, counts: list[float]) -> Instant:
    """Return the first instant at which an event that becomes too old gives another answer."""
    reach_ms, answer, left = reckoning.rule.reach_ms, reckoning.passes(condition, counts), list(counts)
    leaving: dict[Instant, list[tuple[int, int]]] = {}
    for place, part in enumerate(reckoning.parts if reach_ms else ()):
        for at, count in part.events:
            leaving.setdefault(at + reach_ms, []).append((place, count))
    for at in sorted(at for at in leaving if at < reckoning.given_until):
        for place, count in leaving[at]:
            left[place] -= count
        if reckoning.passes(condition, left) != answer:
            return at
    return reckoning.given_until


def _find_crossing(condition: Score, reckoning: Reckoning, weights: list[float], now: Instant) -> Instant:
    """Return the first instant at which halving gives another answer, or the end of the reckoning.

    While the score only rises, or only falls, the instant is found by halving the time.
    """
    rule, answer = reckoning.rule, reckoning.passes(condition, weights)
    if reckoning.is_one_way:
        gone_at = max(at for part in reckoning.parts for at, _ in part.events) + rule.reach_ms
        end, turns = reckoning.given_until, [min(reckoning.given_until, gone_at)]
    else:
        end, turns = reckoning.until, [*_list_releases(reckoning, weights, now), reckoning.until - 1]

    def has_changed(at: Instant) -> bool:
        return reckoning.passes(condition, reckoning.weigh(at)) != answer

    def has_about_changed(at: Instant) -> bool:
        factor = math.exp2((now - at) / rule.half_life_ms)
        return reckoning.passes(condition, [weight * factor for weight in weights]) != answer

    low = now
    for high in sorted(it for it in turns if now < it <= end):
        if has_changed(high):
            return find_first(_stay(has_changed, high), _bisect(has_about_changed, low, high), low + 1)
        low = high
    return end


def _stay(has_changed: Callable[[Instant], bool], end: Instant) -> Callable[[Instant], bool]:
    """Return *has_changed* as if it stayed true from *end* on: what is sought lies before."""
    return lambda at: at >= end or has_changed(at)


def _list_releases(reckoning: Reckoning, weights: list[float], now: Instant) -> list[Instant]:
    """Return when the parts that are limited by their `most` will be so no longer: until then they do not halve."""
    found = []
    for part, weight in zip(reckoning.parts, weights, strict=True):
        total, most = abs(part.points.points) * weight, part.points.most
        if most and total > most:
            released_at = now + math.floor(reckoning.rule.half_life_ms * math.log2(total / most))
            found += [released_at, released_at + 1]
    return found


def _bisect(has_changed: Callable[[Instant], bool], low: Instant, high: Instant) -> Instant:
    """Return where *has_changed* is true first, after *low* and up to *high*."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if has_changed(middle) else (middle, high)
    return high
