"""Trying: what a segment that is not live yet would make of one profile, beside what the live one makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from msgspec.structs import replace

from cartwake.backfill import ReadEvents
from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Answer, Condition, EverIn, InSegment, Score
from cartwake.conditions.parts import list_trackers, walk, walk_points
from cartwake.profiles import Profile
from cartwake.segments import View, check, is_member
from cartwake.sweeps import repair
from cartwake.times import Instant


class Fate(StrEnum):
    """What would become of a shopper's membership."""

    ENTERS = "enters"
    LEAVES = "leaves"
    STAYS = "stays"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A segment under the rules to be tried and, as far as it is defined there, under the live ones."""

    segment: str
    candidate: Bundle
    live: Bundle | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a trial has found of one shopper.

    Attributes:
        view: The profile under the rules to be tried, with all history that can be had.
        known: Whether the new definition can answer; else the membership stays as it is.
        backfilled: History was read for it.
    """

    profile: Profile
    view: View
    fate: Fate
    known: bool
    backfilled: bool

    @property
    def is_member(self) -> bool:
        """Whether the shopper would be in the segment."""
        return self.fate in (Fate.ENTERS, Fate.STAYS)

    @property
    def was_member(self) -> bool:
        """Whether the shopper is in the segment as it is live."""
        return self.fate in (Fate.LEAVES, Fate.STAYS)


def prepare_trial(segment: str, candidate: Bundle, live: Bundle | None) -> Trial:
    """Return the trial of a segment: of all rules only those that it reads, so that no other history is asked for."""
    generation = max(candidate.generation, live.generation + 1 if live else 1)
    tried = _narrow(replace(candidate, generation=generation), (segment,))
    changed = {name: replace(it, changed_generation=generation) for name, it in tried.segments.items()}
    if live is None:
        return Trial(segment=segment, candidate=replace(tried, segments=changed), live=None)
    known = [name for name in tried.segments if name in live.segments]
    # trackers that both know are kept: what is remembered already need not be read again
    shared = {key: live.needs[key] for key in tried.needs if key in live.needs}
    basis = _narrow(live, known)
    return Trial(
        segment=segment,
        candidate=replace(tried, segments=changed),
        live=replace(basis, needs=basis.needs | shared),
    )


def look(profile: Profile, trial: Trial, read: ReadEvents, now: Instant) -> Finding | None:
    """Return what the trial makes of a stored profile; None when the row is none. Nothing is written."""
    basis = repair(profile, trial.live, read, now=now) if trial.live else None
    tried = repair(basis.profile if basis else profile, trial.candidate, read, now=now)
    if tried is None:
        return None
    state = tried.profile.state
    was = is_member((basis.profile if basis else profile).state.memberships.get(trial.segment))
    view = View(state, trial.candidate, max(now, state.evaluated_at))
    return Finding(
        profile=profile,
        view=view,
        fate=_compare(was=was, would=is_member(state.memberships.get(trial.segment))),
        known=check(trial.candidate.segments[trial.segment].where, view).answer is not Answer.UNKNOWN,
        backfilled=tried.backfilled or (basis is not None and basis.backfilled),
    )


def _compare(*, was: bool, would: bool) -> Fate:
    if would:
        return Fate.STAYS if was else Fate.ENTERS
    return Fate.LEAVES if was else Fate.OUT


def _narrow(rules: Bundle, names: Iterable[str]) -> Bundle:
    """Return of the rules only what the named segments read, through others and through scores too."""
    segments, scores, trackers = dict.fromkeys(names), dict[str, None](), dict[str, None]()
    waiting: list[Condition] = [rules.segments[name].where for name in segments]
    while waiting:
        for part in walk(waiting.pop()):
            trackers |= dict.fromkeys(list_trackers(part))
            match part:
                case InSegment(segment=name) | EverIn(segment=name) if name in rules.segments and name not in segments:
                    segments[name] = None
                    waiting.append(rules.segments[name].where)
                case Score(name=name) if name in rules.scores and name not in scores:
                    scores[name] = None
                    for points in rules.scores[name].points:
                        trackers |= dict.fromkeys([points.tracker] if points.tracker else [])
                        waiting.extend(list(walk_points(points))[:1])
                case _:
                    pass
    return replace(
        rules,
        segments={name: rules.segments[name] for name in segments},
        scores={name: rules.scores[name] for name in scores},
        needs={key: rules.needs[key] for key in trackers},
        leftovers={},
        journeys={},
        templates={},
        retired=(),
    )
