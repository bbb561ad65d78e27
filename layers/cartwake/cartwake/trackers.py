"""Trackers: the small sets of remembered events from which conditions with counts and windows are answered.

A tracker is a join: adding an entry twice or in another order changes nothing, and joining two trackers is the
union. What the rules no longer need is cut, and the tracker remembers from when on it is complete.
"""

from bisect import insort
from collections import Counter

import msgspec

from cartwake.events import Event
from cartwake.times import NEVER, Instant
from cartwake.values import PropertyTest, find_value, passes, to_micros

MOST_ENTRIES = 1_000
"""No tracker holds more: 25 KB packed. What is cut makes the tracker incomplete, never wrong."""
MOST_SPARE = 3_000
"""All trackers of a profile hold no more beyond the latest that counts need: 80 KB, of the 400 that a row may have."""


class Entry(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One remembered event: when, which, and the amount it carried in millionths."""

    at: Instant
    id: int
    micros: int = 0


class Need(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the rules want remembered of one kind of event.

    Attributes:
        event: Name of the event.
        where: Tests that its properties must all pass.
        amount: Path of the property whose amount is remembered, or "".
        latest: How many of the latest entries are needed.
        within_ms: How far back every entry is needed.
    """

    event: str
    where: tuple[PropertyTest, ...] = ()
    amount: str = ""
    latest: int = 1
    within_ms: int = 0


class Tracker(msgspec.Struct, frozen=True, array_like=True):
    """Entries in order of time, complete from `complete_from` on."""

    complete_from: Instant = 0
    entries: tuple[Entry, ...] = ()


EMPTY = Tracker()
UNKNOWN = Tracker(complete_from=NEVER)
"""A tracker that was never kept: nothing is known of the past."""


def wants(need: Need, event: Event) -> bool:
    """Say whether *event* is of the kind that *need* remembers."""
    return (
        need.event == event.name
        and not event.is_hearsay
        and all(passes(find_value(event.properties, test.path), test.test) for test in need.where)
    )


def remember(tracker: Tracker, event: Event, need: Need) -> Tracker:
    """Return *tracker* with *event* in it; the same tracker when it is there already."""
    micros = (to_micros(find_value(event.properties, need.amount)) or 0) if need.amount else 0
    entry = Entry(event.occurred_at, event.short_id, micros)
    if entry in tracker.entries:
        return tracker
    entries = list(tracker.entries)
    insort(entries, entry)
    return cut(Tracker(tracker.complete_from, tuple(entries)), need)


def join(left: Tracker, right: Tracker, need: Need) -> Tracker:
    """Return the union of two trackers of the same kind."""
    entries = tuple(sorted({*left.entries, *right.entries}))
    return cut(Tracker(max(left.complete_from, right.complete_from), entries), need)


def cut(tracker: Tracker, need: Need, now: Instant | None = None) -> Tracker:
    """Return *tracker* without what *need* has no use for.

    Without *now* only the number of entries is limited; with it, entries older than the window go too,
    but never the latest ones that a count needs.
    """
    keep_from = max(0, len(tracker.entries) - MOST_ENTRIES)
    spare = max(0, len(tracker.entries) - need.latest)
    if need.within_ms == 0:
        keep_from = spare
    elif now is not None:
        while keep_from < spare and tracker.entries[keep_from].at <= now - need.within_ms:
            keep_from += 1
    return _drop(tracker, keep_from)


def limit(kept: dict[str, Tracker], needs: dict[str, Need], *, most: int = MOST_SPARE) -> dict[str, Tracker]:
    """Return *kept* with no more than *most* entries beyond the latest that counts need: the oldest of them go."""
    spare = {key: max(0, len(tracker.entries) - needs[key].latest) for key, tracker in kept.items()}
    excess = sum(spare.values()) - most
    if excess <= 0:
        return kept
    oldest = sorted((entry, key) for key, tracker in kept.items() for entry in tracker.entries[: spare[key]])[:excess]
    gone = Counter(key for _, key in oldest)
    return {key: _drop(tracker, gone[key]) for key, tracker in kept.items()}


def _drop(tracker: Tracker, count: int) -> Tracker:
    """Return *tracker* without its oldest entries, complete from after them."""
    if count == 0:
        return tracker
    dropped = tracker.entries[count - 1]
    return Tracker(max(tracker.complete_from, dropped.at + 1), tracker.entries[count:])
