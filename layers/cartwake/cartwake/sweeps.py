"""Sweeps: everybody is looked at once under changed rules, in parts that go on side by side."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from cartwake.backfill import ReadEvents, complete, find_lacking, look_back
from cartwake.bundles import Bundle
from cartwake.profiles import Kind, Profile, State
from cartwake.segments import Signal, adopt, advance, is_member
from cartwake.times import MINUTE, NEVER, Instant

PARTS: Final = 8
STALE_AFTER_MS: Final = 5 * MINUTE
"""A part that has not moved for so long has lost its message."""


class SweepKind(StrEnum):
    """What a sweep is for; there is at most one of each kind at a time."""

    LIVE = "live"
    TRIAL = "trial"


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """How many people entered and left a segment."""

    entered: int = 0
    left: int = 0


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted on the way.

    Attributes:
        read: Rows of any kind.
        written: Profiles that were changed.
        backfilled: Profiles whose trackers lacked history, and got it.
        people: Profiles that entered or left at least one segment; of a trial also those of whom it failed to tell.
        failed: Profiles that no code could look at.
        moved: By segment.
    """

    read: int = 0
    written: int = 0
    backfilled: int = 0
    people: int = 0
    failed: int = 0
    moved: dict[str, Moved] = {}


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep looks at everybody for.

    Attributes:
        bundle: The rules that it began with; a live sweep follows newer ones.
        generation: Of those.
        candidate: Of a trial: the name of the change.
        basis: Of a trial: the name of the definitions that it is compared with.
        names: Of a trial: the segments that it changes.
        began_at: When it began.
        opens_at: Before then nobody is looked at: not every function has the new rules yet.
    """

    bundle: str
    generation: int
    candidate: str = ""
    basis: str = ""
    names: tuple[str, ...] = ()
    began_at: Instant
    opens_at: Instant = 0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How far one part of a sweep is.

    Attributes:
        cursor: The last key that was looked at; "" at the start.
        updated_at: When it last went on.
        told: Of a trial: its result was written after this part; it is not written again, over a confirmation.
    """

    kind: SweepKind
    number: int
    aim: Aim
    cursor: str = ""
    done: bool = False
    tally: Tally = Tally()
    updated_at: Instant
    told: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What looking at one profile came to.

    Attributes:
        signals: What time alone has changed; journeys hear of it.
        backfilled: Some of its trackers lacked history.
        names: Segments whose members the change can have moved.
        is_news: It must be written: else whoever looks at the profile next comes to the same.
        failed: It cannot be told.
    """

    before: Profile
    profile: Profile
    signals: tuple[Signal, ...] = ()
    backfilled: bool = False
    names: frozenset[str] = frozenset()
    is_news: bool = True
    failed: bool = False


def begin(kind: SweepKind, aim: Aim) -> list[Part]:
    """Return the parts of a sweep at its beginning."""
    return [Part(kind=kind, number=number, aim=aim, updated_at=aim.began_at) for number in range(PARTS)]


def go_on(part: Part, *, cursor: str, found: Tally, now: Instant) -> Part:
    """Return the part after another page, whose last key is *cursor*; "" when it was the last page."""
    tally = add(part.tally, found)
    return msgspec.structs.replace(part, cursor=cursor, done=not cursor, tally=tally, updated_at=now)


def repair(profile: Profile, rules: Bundle, read: ReadEvents, *, now: Instant) -> Outcome | None:
    """Return what a profile is under the rules with all history that can be had; None when there is nobody.

    What the rules changed, and what history adds, is changed silently. What time alone has changed is signalled, as
    after a wake.
    """
    if profile.kind is not Kind.PROFILE or profile.version == 0:
        return None
    repaired, signals = advance(adopt(profile, rules, now), rules, now)
    lacking = find_lacking(repaired.state, rules.needs, now)
    if lacking:
        repaired = complete(repaired, rules, look_back(profile, read, now), now)
    anew = {name for name, it in rules.memberships.items() if it.changed_generation > profile.generation}
    events = {need.event for need in lacking.values()}
    rebuilt = {name for name, it in rules.segments.items() if not events.isdisjoint(it.events)}
    return Outcome(
        before=profile,
        profile=repaired,
        signals=tuple(signals),
        backfilled=bool(lacking),
        names=frozenset((anew & rules.segments.keys()) | rebuilt),
        is_news=_essence(profile.state) != _essence(repaired.state) or _expires(repaired.state, anew),
    )


def compare(live: Outcome, tried: Outcome, names: Iterable[str]) -> Outcome:
    """Return what a candidate would make of what the live rules make of a profile, at the same instant.

    Args:
        live: Under the live rules.
        tried: What became of that under the candidate.
        names: The segments that the candidate changes.
    """
    return msgspec.structs.replace(tried, backfilled=live.backfilled or tried.backfilled, names=frozenset(names))


def follow(candidate: Bundle, live: Bundle, names: Iterable[str]) -> Bundle:
    """Return *candidate* as it would be after *live*, which may be newer than what it was made after."""
    generation = live.generation + 1
    changed = {
        name: msgspec.structs.replace(candidate.segments[name], changed_generation=generation)
        for name in names
        if name in candidate.segments
    }
    return msgspec.structs.replace(candidate, generation=generation, segments=candidate.segments | changed)


def count(outcome: Outcome) -> dict[str, Moved]:
    """Return which segments the shopper entered or left because of the change, as far as it can be told."""
    before, after = outcome.before.state.memberships, outcome.profile.state.memberships
    moved = {}
    for name in sorted(outcome.names):
        was, is_ = is_member(before.get(name)), is_member(after.get(name))
        if was != is_:
            moved[name] = Moved(entered=int(is_), left=int(was))
    return moved


def tell(outcomes: Sequence[Outcome], *, read: int, written: int, failed: int = 0) -> Tally:
    """Return what came of a page of *read* rows, *failed* of which have no outcome."""
    untold = sum(outcome.failed for outcome in outcomes)
    moves = [count(outcome) for outcome in outcomes]
    moved: dict[str, Moved] = {}
    for each in moves:
        moved = _join(moved, each)
    return Tally(
        read=read,
        written=written,
        backfilled=sum(outcome.backfilled for outcome in outcomes),
        people=sum(bool(each) for each in moves) + untold,
        failed=failed + untold,
        moved=moved,
    )


def add(left: Tally, right: Tally) -> Tally:
    """Return both together."""
    return Tally(
        read=left.read + right.read,
        written=left.written + right.written,
        backfilled=left.backfilled + right.backfilled,
        people=left.people + right.people,
        failed=left.failed + right.failed,
        moved=_join(left.moved, right.moved),
    )


def add_all(parts: Iterable[Part]) -> Tally:
    """Return what all parts have found."""
    total = Tally()
    for part in parts:
        total = add(total, part.tally)
    return total


def is_stale(part: Part, now: Instant) -> bool:
    """Say whether nobody seems to be working on a part that is not done."""
    return not part.done and max(part.updated_at, part.aim.opens_at) <= now - STALE_AFTER_MS


def _join(left: Mapping[str, Moved], right: Mapping[str, Moved]) -> dict[str, Moved]:
    none = Moved()
    return {
        name: Moved(
            left.get(name, none).entered + right.get(name, none).entered,
            left.get(name, none).left + right.get(name, none).left,
        )
        for name in sorted(left.keys() | right.keys())
    }


def _expires(state: State, names: Iterable[str]) -> bool:
    """Say whether time may change one of these: what is not written now would be changed silently then."""
    return any(name in state.memberships and state.memberships[name].until < NEVER for name in names)


def _essence(state: State) -> State:
    """Return the state without when it was looked at."""
    return msgspec.structs.replace(state, evaluated_at=0, backfilled_at=0)
