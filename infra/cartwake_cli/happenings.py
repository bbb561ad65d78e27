"""Happenings: what is remembered of the events that a condition on behaviour asks for."""

from typing import assert_never

from cartwake.conditions.kinds import Amount, Did, Edge, Sequence
from cartwake.segments import ProfileFacts, View
from cartwake.times import Instant
from cartwake.trackers import Entry, Tracker
from cartwake.values import MICROS
from cartwake_cli.value_words import say_count, say_day, say_number, say_times

type Behaviour = Did | Amount | Sequence | Edge


def tell_behaviour(condition: Behaviour, view: View) -> str:
    """Return what is there of the events that *condition* asks for; "" where nothing can be said of them."""
    tracker = view.state.trackers.get(condition.tracker)
    begin = _find_begin(condition, view)
    if tracker is None or begin is None:
        return ""
    match condition:
        case Edge():
            return _tell_edge(condition, tracker, view)
        case Amount():
            return _tell_amount(condition, tracker, view, begin)
        case Did() | Sequence():
            return _tell_count(condition, tracker, view, begin)
        case _:
            assert_never(condition)


def _find_begin(condition: Behaviour, view: View) -> Instant | None:
    """Return the first instant that counts; None: it is the start of a run, and there is none."""
    if not isinstance(condition, Edge) and condition.since_start:
        return max(view.start.at, condition.from_at) if view.start else None
    sliding = view.now - condition.within_ms + 1 if condition.within_ms else 0
    return max(sliding, condition.from_at)


def _list_entries(condition: Behaviour, tracker: Tracker, view: View, begin: Instant) -> list[Entry]:
    since_start = not isinstance(condition, Edge) and condition.since_start
    excluded = view.start.id if since_start and view.start else -1
    end = view.now - condition.before_ms
    return [entry for entry in tracker.entries if begin <= entry.at <= end and entry.id != excluded]


def _tell_edge(condition: Edge, tracker: Tracker, view: View) -> str:
    past = [entry for entry in tracker.entries if entry.at <= view.now]
    if not past:
        return "there was none" if tracker.complete_from <= condition.from_at else ""
    edge = past[-1 if condition.last else 0]
    fits = "" if not condition.marked else ", and it is such a one" if edge.micros else ", and it is no such one"
    return f"it was {_say_day(edge.at, view)}{fits}"


def _tell_count(condition: Did | Sequence, tracker: Tracker, view: View, begin: Instant) -> str:
    entries = _list_entries(condition, tracker, view, begin)
    is_complete = tracker.complete_from <= begin
    if not entries:
        return "none" if is_complete else ""
    need = view.rules.needs.get(condition.tracker)
    counted = str(len(entries)) if need and need.distinct else say_times(len(entries))
    happened = f'"{need.event}" ' if need and isinstance(condition, Sequence) else ""
    return f"{happened}{counted}{'' if is_complete else ' or more'}, last on {_say_day(entries[-1].at, view)}"


def _tell_amount(condition: Amount, tracker: Tracker, view: View, begin: Instant) -> str:
    entries = _list_entries(condition, tracker, view, begin)
    sums = [each for each in tracker.sums if begin <= each.at <= view.now - condition.before_ms]
    times = len(entries) + sum(each.count for each in sums)
    if not times:
        return "none" if tracker.complete_from <= begin else ""
    total = (sum(entry.micros for entry in entries) + sum(each.micros for each in sums)) / MICROS
    largest = max([entry.micros for entry in entries] + [each.largest for each in sums]) / MICROS
    value = {"total": total, "average": total / times, "largest": largest}[condition.of]
    return f"{say_number(value)}, of {say_count(times, 'event')}"


def _say_day(at: Instant, view: View) -> str:
    return say_day(at, ProfileFacts(view.state, view.rules).zone)
