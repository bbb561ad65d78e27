"""Trackers: the small sets of remembered events from which conditions on behaviour are answered.

A tracker is a join: adding an entry twice or in another order changes nothing, and joining two trackers is the
union. What the rules no longer need is cut, and the tracker remembers from when on it is complete.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from cartwake.events import Event, short_id
from cartwake.run_keys import read_key, stand_for
from cartwake.sums import MOST_EXACT, Sum, add_up, join_sums
from cartwake.times import HOUR, NEVER, Instant
from cartwake.values import PropertyTest, find_value, list_texts, passes, sum_micros

MOST_ENTRIES: Final = 1_000
"""No tracker holds more: 25 KB packed. What is cut makes the tracker incomplete, never wrong."""
MOST_SPARE: Final = 3_000
"""All trackers of a profile hold no more entries, and hours added up, beyond the latest that counts need: 80 KB, and
never more than 110, of the 400 that a row may have."""
MOST_OF_ALL: Final = 6_000
"""Nor more than this with those that counts need: many rules that count to hundreds are not known of a busy shopper."""
_PASSED: Final = 1
_FIRST_ID: Final = -1


class Entry(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One remembered event.

    Attributes:
        at: When it happened.
        id: The event's short id.
        micros: The amount it carried in millionths; of distinct values, and keys, what stands for it; of marks, 1 or 0.
        received_at: When it was received, where entries may be added up; else 0.
    """

    at: Instant
    id: int
    micros: int = 0
    received_at: Instant = 0


class Need(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the rules want remembered of one kind of event.

    Attributes:
        event: Name of the event.
        where: Tests that its properties must all pass.
        amount: Path of the property whose amount is remembered, or "".
        distinct: Path of the property of whose values each is remembered once, when it was told last; or "".
        marks: Tests of which it is remembered whether its properties pass them all.
        key: Path of the property that tells runs apart: of each of its values the latest is remembered, and of events
            that carry none; or "".
        from_at: Nothing that happened earlier is remembered.
        before_at: Nothing that happened at this instant or later is remembered; 0: no end.
        oldest: How many of the oldest entries are needed, and nothing else; 0: the latest are.
        summed: Many entries may be added up by the hour; those of an amount always may.
        latest: How many of the latest entries are needed.
        within_ms: How far back every entry is needed.
        whole: Every entry is needed, no matter how old.
    """

    event: str
    where: tuple[PropertyTest, ...] = ()
    amount: str = ""
    distinct: str = ""
    marks: tuple[PropertyTest, ...] = ()
    key: str = ""
    from_at: Instant = 0
    before_at: Instant = 0
    oldest: int = 0
    summed: bool = False
    latest: int = 1
    within_ms: int = 0
    whole: bool = False

    @property
    def is_summed(self) -> bool:
        """Whether entries may be added up."""
        return self.summed or bool(self.amount)


class Tracker(msgspec.Struct, frozen=True, array_like=True):
    """Entries in order of time, complete from `complete_from` on.

    Attributes:
        sums: Older entries, added up.
        settled_at: What was received up to then is among the entries or the sums, or is not wanted: it comes no more.
    """

    complete_from: Instant = 0
    entries: tuple[Entry, ...] = ()
    sums: tuple[Sum, ...] = ()
    settled_at: Instant = 0


EMPTY = Tracker()
UNKNOWN = Tracker(complete_from=NEVER)
"""A tracker that was never kept: nothing is known of the past."""


def wants(need: Need, event: Event) -> bool:
    """Say whether *event* is of the kind that *need* remembers."""
    return (
        need.event == event.name
        and not event.is_hearsay
        and need.from_at <= event.occurred_at
        and (not need.before_at or event.occurred_at < need.before_at)
        and _passes_all(event, need.where)
    )


def remember(tracker: Tracker, event: Event, need: Need) -> Tracker:
    """Return *tracker* with *event* in it; the same tracker when it is there already."""
    return remember_all(tracker, (event,), need)


def remember_all(tracker: Tracker, events: Iterable[Event], need: Need) -> Tracker:
    """Return *tracker* with all of *events* in it that *need* wants; the same tracker when they are there already."""
    entries = list(tracker.entries)
    for event in events:
        if event.received_at > tracker.settled_at and wants(need, event):
            for entry in _make_entries(event, need):
                _insert(entries, entry)
    if len(entries) == len(tracker.entries):
        return tracker
    return cut(msgspec.structs.replace(tracker, entries=tuple(entries)), need)


def join(left: Tracker, right: Tracker, need: Need) -> Tracker:
    """Return the union of two trackers of the same kind, of two shoppers who turn out to be one.

    What either has added up are events of its own: an event is stored, and folded, under one of the two.
    """
    both = {(it.at, it.id, it.micros): it for it in sorted((*left.entries, *right.entries))}
    complete_from = max(left.complete_from, right.complete_from)
    sums = left.sums if left == right else join_sums(left.sums, right.sums, by_hour=not need.whole)
    return cut(Tracker(complete_from, tuple(both.values()), sums, min(left.settled_at, right.settled_at)), need)


def cut(tracker: Tracker, need: Need, now: Instant | None = None) -> Tracker:
    """Return *tracker* without what *need* has no use for.

    Without *now* only the number of entries is limited; with it, entries older than the window go too,
    but never the latest ones that a count needs, and many entries are added up.
    """
    if need.distinct:
        tracker = _keep_latest_of_each(tracker)
    elif need.key:
        tracker = _keep_latest_of_keys(tracker)
    if need.oldest:
        return msgspec.structs.replace(tracker, entries=tracker.entries[: need.oldest])
    if now is not None and need.is_summed:
        tracker = _settle(tracker, need, now)
    entries = tracker.entries
    spare, keep_from = max(0, len(entries) - need.latest), 0
    if not need.within_ms and not need.whole:
        keep_from = spare
    elif now is not None and not need.whole:
        while keep_from < spare and entries[keep_from].at <= now - need.within_ms:
            keep_from += 1
    while 0 < keep_from < len(entries) and entries[keep_from - 1].at == entries[keep_from].at:
        keep_from -= 1  # all of an instant is kept or none of it: else the last one would be on the incomplete side
    return _drop(tracker, max(keep_from, len(entries) - MOST_ENTRIES))


def limit(kept: dict[str, Tracker], needs: dict[str, Need], *, most: int = MOST_SPARE) -> dict[str, Tracker]:
    """Return *kept* with no more than *most* entries and hours beyond the latest that counts need: the oldest go."""
    spare = {
        key: 0 if needs[key].oldest else max(0, len(tracker.entries) - needs[key].latest)
        for key, tracker in kept.items()
    }
    hours = {key: 0 if needs[key].whole else len(tracker.sums) for key, tracker in kept.items()}
    excess = sum(spare.values()) + sum(hours.values()) - most
    if excess <= 0:
        return kept
    all_spare = [(it.at, it.id, key, False) for key, tracker in kept.items() for it in tracker.entries[: spare[key]]]
    all_hours = [(it.at, _FIRST_ID, key, True) for key, tracker in kept.items() for it in tracker.sums[: hours[key]]]
    gone = Counter((key, is_hour) for *_, key, is_hour in sorted(all_spare + all_hours)[:excess])
    return {key: _drop(_drop_hours(tracker, gone[key, True]), gone[key, False]) for key, tracker in kept.items()}


def bound(kept: dict[str, Tracker], needs: dict[str, Need], *, most: int = MOST_OF_ALL) -> dict[str, Tracker]:
    """Return *kept* with no more than *most* entries in all, also of those that counts need: the oldest go."""
    if sum(len(tracker.entries) for tracker in kept.values()) <= most:
        return kept
    all_entries = [
        (entry.at, entry.id, key) for key, tracker in kept.items() if not needs[key].oldest for entry in tracker.entries
    ]
    gone = Counter(key for *_, key in sorted(all_entries)[: max(0, len(all_entries) - most)])
    return {key: _drop(tracker, gone[key]) for key, tracker in kept.items()}


def lacks(tracker: Tracker, need: Need, now: Instant, *, kept_from: Instant = 0) -> bool:
    """Say whether *need* reaches further back than *tracker* is complete, so that history could make up for it.

    Args:
        tracker: As it is.
        need: What it should be.
        now: The time.
        kept_from: Nothing that was earlier is kept anywhere.
    """
    if tracker.complete_from <= max(need.from_at, kept_from):
        return False
    if need.whole or need.oldest or (need.within_ms and tracker.complete_from > now - need.within_ms + 1):
        return True
    complete = sum(entry.at >= tracker.complete_from for entry in tracker.entries)
    return complete < need.latest


def _make_entries(event: Event, need: Need) -> list[Entry]:
    """Return what is remembered of *event*: one entry, or one for each of the distinct values."""
    received_at = event.received_at if need.is_summed else 0
    if need.distinct:
        texts = list_texts(find_value(event.properties, need.distinct))
        return [Entry(event.occurred_at, event.short_id, short_id(text.casefold())) for text in texts]
    micros: int | None = 0
    if need.marks:
        micros = _PASSED if _passes_all(event, need.marks) else 0
    elif need.amount:
        micros = sum_micros(find_value(event.properties, need.amount))
    elif need.key:
        micros = stand_for(read_key(event.properties, need.key))
    return [] if micros is None else [Entry(event.occurred_at, event.short_id, micros, received_at)]


def _passes_all(event: Event, tests: tuple[PropertyTest, ...]) -> bool:
    return all(passes(find_value(event.properties, test.path), test.test) for test in tests)


def _keep_latest_of_each(tracker: Tracker) -> Tracker:
    """Return *tracker* with the latest entry of each distinct value: no count of them needs another one."""
    latest = {entry.micros: entry for entry in tracker.entries}
    if len(latest) == len(tracker.entries):
        return tracker
    return msgspec.structs.replace(tracker, entries=tuple(sorted(latest.values())))


def _keep_latest_of_keys(tracker: Tracker) -> Tracker:
    """Return *tracker* with the last entries of each key: all of one instant, since one of them may start a run."""
    latest = {entry.micros: entry.at for entry in tracker.entries}
    kept = tuple(entry for entry in tracker.entries if entry.at == latest[entry.micros])
    return tracker if len(kept) == len(tracker.entries) else msgspec.structs.replace(tracker, entries=kept)


def _settle(tracker: Tracker, need: Need, now: Instant) -> Tracker:
    """Return *tracker* with old entries added up and sums that no window reaches dropped."""
    if len(tracker.entries) > MOST_EXACT:
        added = add_up(tracker.entries, tracker.sums, now, by_hour=not need.whole)
        tracker = Tracker(tracker.complete_from, *added)
    if need.whole:
        return tracker
    return _drop_hours(tracker, sum(each.at + HOUR <= now - need.within_ms for each in tracker.sums))


def _insert(entries: list[Entry], entry: Entry) -> None:
    """Put *entry* in its place, unless it is there: the first version did not say when it was received."""
    place = bisect_left(entries, Entry(entry.at, entry.id, entry.micros))
    if place < len(entries):
        found = entries[place]
        if found.at == entry.at and found.id == entry.id and found.micros == entry.micros:
            return
    entries.insert(place, entry)


def _drop_hours(tracker: Tracker, count: int) -> Tracker:
    """Return *tracker* without its oldest sums, complete from after their hours."""
    if count == 0:
        return tracker
    complete_from = max(tracker.complete_from, tracker.sums[count - 1].at + HOUR)
    return msgspec.structs.replace(tracker, complete_from=complete_from, sums=tracker.sums[count:])


def _drop(tracker: Tracker, count: int) -> Tracker:
    """Return *tracker* without its oldest entries, complete from after them."""
    if count == 0:
        return tracker
    dropped = tracker.entries[count - 1]
    return msgspec.structs.replace(
        tracker, complete_from=max(tracker.complete_from, dropped.at + 1), entries=tracker.entries[count:]
    )
