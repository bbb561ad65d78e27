"""Backfill: what a profile's trackers lack of the past is made good from the events that are still stored."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import batched
from typing import Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.events import KEEP_MS, Event
from cartwake.profiles import Profile, State
from cartwake.segments import reevaluate
from cartwake.times import HOUR, Instant
from cartwake.trackers import Need, Tracker, cut, lacks, remember_all

type ReadEvents = Callable[[Collection[str]], Iterable[Event]]
"""Gives the stored events of a shopper that have one of these names, in any order."""


@dataclass(frozen=True, slots=True)
class Past:
    """A shopper's stored events.

    Attributes:
        read: Called only when something lacks.
        passed: What was received up to then has passed the profile.
        until: What was received later may still be on its way through the stream.
    """

    read: ReadEvents
    passed: Instant
    until: Instant


_AT_ONCE: Final = 100
_MOST_HELD: Final = 10_000
_ON_ITS_WAY_MS: Final = 25 * HOUR
"""A stream keeps nothing longer than a day."""
_MARGIN_MS: Final = HOUR
"""What is deleted within the hour is not counted on any more."""


def find_kept_from(now: Instant) -> Instant:
    """Return the instant from which on every event is still stored."""
    return max(0, now - KEEP_MS + _MARGIN_MS)


def find_lacking(state: State, needs: dict[str, Need], now: Instant) -> dict[str, Need]:
    """Return the needs, by tracker key, that stored events could serve better than the profile does."""
    kept_from = find_kept_from(now)
    return {
        key: need
        for key, need in needs.items()
        if key in state.trackers and lacks(state.trackers[key], need, now, kept_from=kept_from)
    }


def look_back(profile: Profile, read: ReadEvents, now: Instant) -> Past:
    """Return the past of a profile as it is stored: before any rules are adopted for it.

    What was received after it was last looked at, and longer ago than a stream keeps anything, comes no more: a client
    has repeated it, which writes the row anew and is not streamed, or it was given up.
    """
    # the first version of the state did not note every event that passed
    passed = profile.state.evaluated_at if profile.state.created_at else now
    return Past(read, passed, max(passed, now - _ON_ITS_WAY_MS))


def complete(profile: Profile, rules: Bundle, past: Past, now: Instant) -> Profile:
    """Return the profile with what its trackers lack read from the stored events, and evaluated silently.

    History starts nothing: what it makes true was true before. Events that are still on their way are left to the
    stream, where that can be told, because they may start something.

    Args:
        profile: Adopted, and as of *now*.
        rules: Under which.
        past: As it was before.
        now: The time.
    """
    lacking = find_lacking(profile.state, rules.needs, now)
    if not lacking:
        return profile
    recalls = {key: _Recall(profile.state.trackers[key], need, past) for key, need in lacking.items()}
    _read(past.read, recalls.values())
    kept_from = find_kept_from(now)
    known_from = 0 if profile.state.created_at > kept_from else kept_from
    trackers = {key: recall.finish(known_from, now) for key, recall in recalls.items()}
    state = msgspec.structs.replace(profile.state, trackers=profile.state.trackers | trackers, backfilled_at=now)
    completed, _ = reevaluate(msgspec.structs.replace(profile, state=state), rules, now)
    return completed


class _Recall:
    """Collects the entries of one tracker; what it has added up is added up anew, from the events."""

    def __init__(self, tracker: Tracker, need: Need, past: Past) -> None:
        self._need = need
        # as if everything were wanted: what is not is cut at the end, when all is there
        self._all = msgspec.structs.replace(need, whole=True, oldest=0)
        self._past = past
        self._before = past.until + 1 if tracker.sums else tracker.complete_from
        self._known_from = 0
        self._found = set(tracker.entries)
        # the row of what a client has repeated says other times than the entry, and is not counted again
        self._known = {(entry.id, entry.micros) for entry in tracker.entries}

    @property
    def name(self) -> str:
        """The name of the events."""
        return self._need.event

    def take(self, events: Iterable[Event]) -> None:
        """Take in those of *events* that the tracker lacks; from `complete_from` on it has all that were folded."""
        old = [it for it in events if self._is_lacking(it) and not it.bot]
        entries = remember_all(Tracker(), old, self._all).entries
        self._found.update(entry for entry in entries if (entry.id, entry.micros) not in self._known)
        if len(self._found) > _MOST_HELD and not self._need.is_summed:
            kept = cut(self._tracker(), self._need)
            self._known_from, self._found = kept.complete_from, set(kept.entries)

    def finish(self, known_from: Instant, now: Instant) -> Tracker:
        """Return the tracker, which is complete from *known_from* on but for what is cut."""
        self._known_from = max(self._known_from, known_from)
        return cut(self._tracker(), self._need, now)

    def _is_lacking(self, event: Event) -> bool:
        if event.received_at > self._past.until:
            return False
        return event.occurred_at < self._before or event.received_at > self._past.passed

    def _tracker(self) -> Tracker:
        return Tracker(self._known_from, tuple(sorted(self._found)))


def _read(read: ReadEvents, recalls: Collection[_Recall]) -> None:
    """Let each take from the stored events those of its name, in groups that are small enough to be held."""
    names = {recall.name for recall in recalls}
    for some in batched(read(names), _AT_ONCE, strict=False):
        for recall in recalls:
            recall.take(event for event in some if event.name == recall.name)
