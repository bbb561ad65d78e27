"""Behaviour: counts, amounts, sequences, first and last times, each answered from trackers with an exact expiry."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from cartwake.conditions.kinds import (
    FAILS,
    HOLDS,
    UNKNOWN,
    Amount,
    Answer,
    Did,
    Edge,
    Sequence,
    Start,
    Then,
    Verdict,
)
from cartwake.conditions.spans import Span, Tally, follow, is_beyond, make_amount_test
from cartwake.times import NEVER, Instant
from cartwake.trackers import Entry, Tracker

type Counted = Did | Sequence


class Window(NamedTuple):
    """Which entries may count at an instant: those after `after`, except the one that started the run."""

    after: Instant
    excluded: int
    slides_ms: int
    """How long after an event the window leaves it behind; 0: never."""
    key: int = 0
    """Only entries that stand for it, or for no key, count; 0: all do."""


def judge_count(condition: Did, tracker: Tracker | None, now: Instant, start: Start | None) -> Verdict:
    """Return the verdict on how often something happened."""
    window = _find_window(condition, now, start)
    if tracker is None or window is None:
        return UNKNOWN
    if condition.keyed and start is not None:
        window = window._replace(key=start.key)
    if condition.before_ms:
        spans = [_span(entry.at, condition) for entry in _admit(tracker, condition, start)]
        return _judge_spans(condition, spans, now, known_at=_find_known(tracker.complete_from, window))
    if condition.op != "exactly":
        return _judge_latest(condition, tracker, now, window)
    verdict = _judge_exactly(condition, lambda each: judge_count(each, tracker, now, start))
    if verdict.answer is not Answer.FAILS or verdict.until == NEVER:
        return verdict
    # where several leave the window at once there were too many and are too few: it goes on failing
    after = _judge_exactly(condition, lambda each: judge_count(each, tracker, verdict.until, start))
    return after if after.answer is Answer.FAILS else verdict


def judge_amount(condition: Amount, tracker: Tracker | None, now: Instant, start: Start | None) -> Verdict:
    """Return the verdict on a total, an average or the largest amount."""
    window = _find_window(condition, now, start)
    if tracker is None or window is None:
        return UNKNOWN
    known_at = _find_known(tracker.complete_from, window)
    if known_at:
        return Verdict(Answer.UNKNOWN, known_at)
    return follow(_list_amounts(condition, tracker, start), make_amount_test(condition), now)


def judge_sequence(
    condition: Sequence, trackers: dict[str, Tracker | None], now: Instant, start: Start | None
) -> Verdict:
    """Return the verdict on how often something was followed by something else, or was not.

    Args:
        condition: The sequence.
        trackers: Of each event in it.
        now: The time.
        start: Of the run.
    """
    window = _find_window(condition, now, start)
    known = [tracker for tracker in trackers.values() if tracker is not None]
    if len(known) < len(trackers) or window is None:
        return UNKNOWN
    known_at = max(_find_known(tracker.complete_from, window) for tracker in known)
    if known_at:
        return Verdict(Answer.UNKNOWN, known_at)
    times = {key: [entry.at for entry in tracker.entries] for key, tracker in trackers.items() if tracker}
    first = trackers[condition.tracker] or Tracker()
    spans = [
        Span(max(entry.at, _find_match(entry.at, condition.then, times)), _span(entry.at, condition).ends)
        for entry in _admit(first, condition, start)
    ]
    return _judge_spans(condition, spans, now, known_at=0)


def judge_edge(condition: Edge, tracker: Tracker | None, now: Instant) -> Verdict:
    """Return the verdict on the first or the last of all such events."""
    if tracker is None:
        return UNKNOWN
    past = [entry for entry in tracker.entries if entry.at <= now]
    coming = next((entry.at for entry in tracker.entries if entry.at > now), NEVER)
    edge = past[-1 if condition.last else 0] if past else None
    complete = tracker.complete_from <= condition.from_at
    # What was cut is older than what stays, be it of the same millisecond: that one is still the last.
    if not complete and not (condition.last and edge and edge.at >= tracker.complete_from - 1):
        return _judge_unknown_edge(condition, tracker, now, there_was_one=edge is not None)
    if edge is None or (condition.marked and not edge.micros):
        return Verdict(Answer.FAILS, coming)
    verdict = follow([_span(edge.at, condition)], lambda tally: tally.times > 0, now)
    return Verdict(verdict.answer, min(verdict.until, coming))


def _judge_unknown_edge(condition: Edge, tracker: Tracker, now: Instant, *, there_was_one: bool) -> Verdict:
    """What was last is not known; but since when nothing was any more is: that may be answer enough."""
    coming = next((entry.at for entry in tracker.entries if entry.at > now), NEVER)
    quiet_ms = condition.within_ms or (condition.before_ms if there_was_one and not condition.marked else 0)
    if not condition.last or not quiet_ms:
        return Verdict(Answer.UNKNOWN, coming)
    known_at = tracker.complete_from + quiet_ms - 1
    if known_at > now:
        return Verdict(Answer.UNKNOWN, min(coming, known_at))
    return Verdict(Answer.FAILS if condition.within_ms else Answer.HOLDS, coming)


def _find_window(condition: Did | Amount | Sequence, now: Instant, start: Start | None) -> Window | None:
    """Return the window at *now*; None: it begins with a run, and there is none."""
    if condition.since_start:
        return None if start is None else Window(max(start.at, condition.from_at) - 1, start.id, 0)
    sliding = now - condition.within_ms if condition.within_ms else -1
    return Window(max(sliding, condition.from_at - 1), -1, condition.within_ms)


def _find_known(complete_from: Instant, window: Window) -> Instant:
    """Return when all of the window will be known; 0: it is."""
    if complete_from <= window.after + 1:
        return 0
    return complete_from + window.slides_ms - 1 if window.slides_ms else NEVER


def _admit(tracker: Tracker, condition: Did | Amount | Sequence, start: Start | None) -> Iterator[Entry]:
    """Yield the entries that may count at some time."""
    for entry in tracker.entries:
        if not condition.since_start or (start is not None and entry.at >= start.at and entry.id != start.id):
            yield entry


def _span(at: Instant, condition: Did | Amount | Sequence | Edge) -> Span:
    return Span(at + condition.before_ms, at + condition.within_ms if condition.within_ms else NEVER)


def _list_amounts(condition: Amount, tracker: Tracker, start: Start | None) -> Iterator[Span]:
    within_ms, before_ms = condition.within_ms, condition.before_ms
    compared = condition.of == "largest"
    for entry in _admit(tracker, condition, start):
        ends = entry.at + within_ms if within_ms else NEVER
        beyond = int(compared and is_beyond(entry.micros, condition))
        yield Span(entry.at + before_ms, ends, 1, entry.micros, beyond)
    for each in tracker.sums:
        if not condition.since_start or (start is not None and each.at >= start.at):
            beyond = int(compared and is_beyond(each.largest, condition))
            ends = each.at + within_ms if within_ms else NEVER
            yield Span(each.at + before_ms, ends, each.count, each.micros, beyond)


def _judge_exactly[Kind: (Did, Sequence)](condition: Kind, judge: Callable[[Kind], Verdict]) -> Verdict:
    least, most = (judge(msgspec.structs.replace(condition, op=op)) for op in ("at_least", "at_most"))
    failing = [each.until for each in (least, most) if each.answer is Answer.FAILS]
    if failing:
        return Verdict(Answer.FAILS, max(failing))
    unknown = Answer.UNKNOWN in (least.answer, most.answer)
    return Verdict(Answer.UNKNOWN if unknown else Answer.HOLDS, min(least.until, most.until))


def _find_answers(condition: Counted) -> tuple[int, Answer, Answer]:
    """Return how many are needed to decide, and the answers when they are there and when they are not."""
    if condition.op == "at_least":
        return condition.count, Answer.HOLDS, Answer.FAILS
    return condition.count + 1, Answer.FAILS, Answer.HOLDS


def _judge_spans[Kind: (Did, Sequence)](
    condition: Kind, spans: list[Span], now: Instant, *, known_at: Instant
) -> Verdict:
    """Follow the count; too few of a past that is not all known are no answer."""
    if condition.op == "exactly":
        if not known_at:
            return follow(spans, lambda tally: tally.times == condition.count, now)
        return _judge_exactly(condition, lambda each: _judge_spans(each, spans, now, known_at=known_at))
    needed, reached, missed = _find_answers(condition)

    def test(tally: Tally) -> bool:
        return tally.times >= needed

    verdict = follow(spans, test, now)
    if verdict.answer is Answer.HOLDS:
        return Verdict(reached, verdict.until)
    if known_at:
        return Verdict(Answer.UNKNOWN, min(verdict.until, known_at))
    return Verdict(missed, verdict.until)


def _judge_latest(condition: Did, tracker: Tracker, now: Instant, window: Window) -> Verdict:
    """Count back from now: of all counts this is the one that is asked most often."""
    needed, reached, missed = _find_answers(condition)
    if needed <= 0:
        return HOLDS if reached is Answer.HOLDS else FAILS
    coming = NEVER
    for entry in reversed(tracker.entries):
        if entry.at > now:
            coming = entry.at
        elif entry.at <= window.after:
            break
        elif entry.id != window.excluded and (not window.key or entry.micros in (0, window.key)):
            needed -= 1
            if not needed:
                return Verdict(reached, entry.at + window.slides_ms if window.slides_ms else NEVER)
    known_at = _find_known(tracker.complete_from, window)
    return Verdict(Answer.UNKNOWN, min(coming, known_at)) if known_at else Verdict(missed, coming)


def _find_match(at: Instant, then: Then, times: dict[str, list[Instant]]) -> Instant:
    """Return when it was sure that what happened at *at* was followed as *then* asks; NEVER: it was not."""
    following = times[then.tracker]
    inside = following[bisect_right(following, at) : bisect_left(following, at + then.within_ms)]
    if not then.did:
        return NEVER if inside else at + then.within_ms
    if then.then is None:
        return inside[0] if inside else NEVER
    return min((_find_match(each, then.then, times) for each in inside), default=NEVER)
