"""Why a condition holds of a shopper, or does not: its parts as a tree, each with its verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from cartwake.conditions.evaluate import evaluate
from cartwake.conditions.kinds import (
    AllOf,
    Answer,
    AnyOf,
    Condition,
    Did,
    EverIn,
    InSegment,
    NoneOf,
    Points,
    Score,
    ScoreRule,
    Verdict,
)
from cartwake.conditions.parts import list_trackers
from cartwake.conditions.scores import reckon
from cartwake.segments import ProfileFacts, View, is_member
from cartwake.times import NEVER, Instant, format_instant
from cartwake_cli.condition_words import Speaker
from cartwake_cli.evidence import tell_evidence
from cartwake_cli.lacks import Lack, find_lack
from cartwake_cli.value_words import say_number

_NO_FLOOR: Final = float("-inf")
_STORED: Final = {
    True: "as it is stored, the shopper is in it, and stays so",
    False: "as it is stored, the shopper is not in it, and stays so",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A part of a condition and what became of it.

    Attributes:
        says: The part in words.
        answer: None for what brings points to a score: that neither holds nor fails.
        until: Until when the answer stays if nothing happens.
        there: What is there of what it asks for; "" where the parts tell more.
        lack: What is not known; None where nothing lacks, or the parts tell it.
        parts: What it is made of.
    """

    says: str
    answer: Answer | None
    until: Instant = NEVER
    there: str = ""
    lack: Lack | None = None
    parts: tuple["Reason", ...] = ()

    @property
    def note(self) -> str:
        """What is there, or what lacks."""
        return "; ".join(each for each in (self.there, str(self.lack or "")) if each)

    def as_data(self) -> dict[str, Any]:
        """Return plain data, for `--json`."""
        return {
            "says": self.says,
            "answer": self.answer.value if self.answer else None,
            "until": format_instant(self.until) if self.until < NEVER else None,
            "there": self.there,
            "lacks": str(self.lack or ""),
            "parts": [part.as_data() for part in self.parts],
        }


def find_reason(condition: Condition, view: View) -> Reason:
    """Return why *condition* holds or not of the profile, with all its parts, those of other segments too."""
    return _Finder(view).find(condition)


def find_points(name: str, view: View) -> tuple[Reason, ...]:
    """Return what brings the points of a score, and how many each; none where there is no such score."""
    return _Finder(view).find_points(name)


def list_lacks(reason: Reason) -> Iterator[tuple[str, Lack]]:
    """Yield what is not known in a tree, each with the words of what needs it."""
    if reason.lack is not None:
        yield reason.says, reason.lack
    for part in reason.parts:
        yield from list_lacks(part)


class _Finder:
    """Looks at one profile under one set of rules."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._facts = ProfileFacts(view.state, view.rules)
        self._speaker = Speaker(view.rules)

    def find(self, condition: Condition) -> Reason:
        verdict = evaluate(condition, self._facts, self._view.now, start=self._view.start)
        parts = self._find_parts(condition)
        there = tell_evidence(condition, self._view)
        if isinstance(condition, InSegment | EverIn) and parts and verdict.answer is Answer.UNKNOWN:
            there = _STORED[is_member(self._view.state.memberships.get(condition.segment))]
        return Reason(
            says=self._speaker.say(condition),
            answer=verdict.answer,
            until=verdict.until,
            there=there,
            lack=self._find_lack(condition, verdict, parts),
            parts=parts,
        )

    def find_points(self, name: str) -> tuple[Reason, ...]:
        rule = self._view.rules.scores.get(name)
        return tuple(self._reckon(points, rule) for points in rule.points) if rule else ()

    def _find_parts(self, condition: Condition) -> tuple[Reason, ...]:
        match condition:
            case AllOf(of=of) | AnyOf(of=of) | NoneOf(of=of):
                return tuple(self.find(part) for part in of)
            case InSegment(segment=name) | EverIn(segment=name):
                segment = self._view.rules.segments.get(name)
                return (self.find(segment.where),) if segment else ()
            case Score(name=name):
                return self.find_points(name)
            case _:
                return ()

    def _find_lack(self, condition: Condition, verdict: Verdict, parts: tuple[Reason, ...]) -> Lack | None:
        if verdict.answer is not Answer.UNKNOWN or any(True for part in parts for _ in list_lacks(part)):
            return None
        poorest = max(list_trackers(condition), key=self._find_known_from, default="")
        event = self._speaker.say_event(self._speaker.need(poorest)) if poorest else ""
        return find_lack(condition, self._view, event)

    def _find_known_from(self, key: str) -> Instant:
        tracker = self._facts.tracker(key)
        return tracker.complete_from if tracker else NEVER

    def _reckon(self, points: Points, rule: ScoreRule) -> Reason:
        """Return what one thing brings, as if there were nothing else; the floor and the cap are the whole score's."""
        alone, now = replace(rule, points=(points,), cap=None, floor=_NO_FLOOR), self._view.now

        def judge(part: Condition) -> Verdict:
            return evaluate(part, self._facts, now)

        reckoning = reckon(alone, now, find=self._facts.tracker, judge=judge)
        because = () if points.condition is None else (self.find(points.condition),)
        lack = None
        if not reckoning.known and points.condition is None:
            asked = Did(tracker=points.tracker, within_ms=rule.reach_ms)
            lack = find_lack(asked, self._view, self._speaker.say_event(self._speaker.need(points.tracker)))
        return Reason(
            says=self._speaker.say_points(points),
            answer=None,
            until=reckoning.until,
            there=f"{say_number(reckoning.value_at(now))} now" if reckoning.known else "",
            lack=lack,
            parts=because,
        )
