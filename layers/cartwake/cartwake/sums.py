"""Sums: what a tracker adds up, so that a shopper of many years and thousands of events stays small.

The latest 200 entries always stay. Earlier ones are added up when they were received more than 15 days ago: no
repetition of them can come any more, for the longest way back, a redrive of what was set aside, ends after 14.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from cartwake.times import DAY, HOUR, Instant

if TYPE_CHECKING:
    from cartwake.trackers import Entry

MOST_EXACT: Final = 200
"""So many entries are never added up."""
SETTLED_AFTER_MS: Final = 15 * DAY
"""After this nothing is delivered again."""
_NO_HOUR: Final = -1
_MOST_MICROS: Final = 2**63 - 1
"""What a state can hold: nine trillion."""


class Sum(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Events added up.

    Attributes:
        at: When they happened: the beginning of their hour; of a whole life, the time of the first one.
        count: How many.
        micros: The sum of their amounts in millionths.
        largest: The largest of the amounts.
    """

    at: Instant
    count: int
    micros: int
    largest: int


def add_up(
    entries: Sequence["Entry"], sums: Iterable[Sum], now: Instant, *, by_hour: bool
) -> tuple[tuple["Entry", ...], tuple[Sum, ...], Instant]:
    """Return the entries that stay, the sums with the others in them, and up to which receipt all is settled.

    Args:
        entries: In order of time.
        sums: What was added up before.
        now: The time.
        by_hour: One sum for each hour; else one for all.
    """
    settled_at = now - SETTLED_AFTER_MS
    excess = len(entries) - MOST_EXACT
    kept: list[Entry] = []
    added: list[Sum] = []
    for place, entry in enumerate(entries):
        if place < excess and entry.received_at <= settled_at:
            at = entry.at - entry.at % HOUR if by_hour else entry.at
            added.append(Sum(at, 1, entry.micros, entry.micros))
        else:
            kept.append(entry)
    return tuple(kept), join_sums(tuple(sums), added, by_hour=by_hour), settled_at


def join_sums(left: Sequence[Sum], right: Sequence[Sum], *, by_hour: bool = True) -> tuple[Sum, ...]:
    """Return both together, in order of time: one sum for each hour, or one for all."""
    joined: dict[Instant, Sum] = {}
    for each in (*left, *right):
        key = each.at if by_hour else _NO_HOUR
        joined[key] = _add(joined[key], each) if key in joined else each
    return tuple(sorted(joined.values()))


def _add(left: Sum, right: Sum) -> Sum:
    return Sum(
        min(left.at, right.at),
        left.count + right.count,
        max(-_MOST_MICROS, min(_MOST_MICROS, left.micros + right.micros)),
        max(left.largest, right.largest),
    )
