"""Lacks: what is not known of what a condition needs, and how much of it is."""

from typing import NamedTuple

from cartwake.conditions.kinds import (
    Amount,
    Condition,
    Did,
    Edge,
    EverIn,
    InSegment,
    Predicted,
    Score,
    Sequence,
    Share,
)
from cartwake.conditions.parts import list_trackers
from cartwake.segments import ProfileFacts, View
from cartwake.times import NEVER
from cartwake_cli.value_words import say_about, say_day, say_duration


class Lack(NamedTuple):
    """What is not known of what a condition needs.

    Attributes:
        why: What it needs: the same for everybody.
        there_ms: How far back it is known; None where that is not the question.
    """

    why: str
    there_ms: int | None = None

    def __str__(self) -> str:
        if self.there_ms is None:
            return self.why
        return f"{self.why}, {f'{say_about(self.there_ms)} are there' if self.there_ms else 'nothing is there'}"


def find_lack(condition: Condition, view: View, event: str) -> Lack:
    """Return why *condition*, which is not composed of others, is not known.

    Args:
        condition: Whose verdict is unknown.
        view: The profile.
        event: What it asks for, in words.
    """
    match condition:
        case Did() | Amount() | Sequence() if condition.since_start and view.start is None:
            return Lack("counts from the start of a journey")
        case Did() | Amount() | Sequence() | Edge():
            needed = _say_needed(condition, view)
            return Lack(f"needs {needed} of {event}", _find_known(condition, view) or 0)
        case Predicted():
            known = _find_known(condition, view)
            if known is None:
                return Lack("needs a model of all orders: cartwake fit")
            return Lack("needs all orders from the first on", known)
        case Score():
            return Lack("not all that it is made of is known")
        case Share():
            return Lack("nothing has been drawn yet")
        case InSegment() | EverIn():
            return Lack("the segment is not defined")
        case _:
            return Lack("not all of it is known")


def _find_known(condition: Condition, view: View) -> int | None:
    """Return how far back all trackers of the condition are complete; None where they are from the beginning on."""
    facts = ProfileFacts(view.state, view.rules)
    trackers = [facts.tracker(key) for key in list_trackers(condition)]
    known_from = max(tracker.complete_from if tracker else NEVER for tracker in trackers)
    return max(0, view.now - known_from + 1) if known_from else None


def _say_needed(condition: Did | Amount | Sequence | Edge, view: View) -> str:
    if not isinstance(condition, Edge) and condition.since_start:
        return "everything since the start of the journey"
    if condition.within_ms and not (isinstance(condition, Edge) and not condition.last):
        return say_duration(condition.within_ms)
    if condition.from_at:
        return f"everything since {say_day(condition.from_at, ProfileFacts(view.state, view.rules).zone)}"
    return "all of the past"
