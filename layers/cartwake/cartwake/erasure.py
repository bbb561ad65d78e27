"""Erasure: who asked to be erased, under which keys they were known, and when what is to be done about it.

Nothing here names the person but the keys themselves, and those are let go of with the last pass.
"""

import json
import re
from collections.abc import Callable, Collection
from itertools import takewhile
from typing import Final

import msgspec

from cartwake.events import ERASURE_REQUESTED, EXPORT_REQUESTED, Event, Trust, derive_id
from cartwake.feedback.deliveries import tags_for
from cartwake.times import DAY, HOUR, Instant

PASSES: Final = (0, 25 * HOUR, 15 * DAY)
"""How long after the tombstones were set everything is deleted: at once; again when no stream holds a record of them
any more, which it does for 24 hours; and last when no queue does, dead letters included, which it does for 14 days."""
LEASE_MS: Final = 300_000
"""So long a pass is left alone before it is asked for again."""
LATE_MS: Final = HOUR
"""An event that is derived so long after it came in counts only if it is still stored."""
_FRESH_MS: Final = 2 * LATE_MS
"""The last pass waits for what came in so short a time ago; twice as long, for clocks differ."""
_ADDRESS: Final = re.compile(r"[^\s\"'\\<>(),;:]+@[^\s\"'\\<>(),;:]+|\+\d{7,15}")


class Erasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a tombstone says.

    Attributes:
        who: The key of the profile that was: the first of *keys*.
        keys: Every key of theirs.
        addresses: The keys of their addresses, which are keyed hashes.
        at: When they were erased: from then on nothing is folded, started or sent.
        passes: When each pass ended.
        version: Of the row.
    """

    who: str
    keys: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    at: Instant
    passes: tuple[Instant, ...] = ()
    version: int = 0


def is_request(event: Event) -> bool:
    """Say whether *event* asks for its shopper to be erased; a browser's word never does."""
    return event.name == ERASURE_REQUESTED and event.trust is not Trust.BROWSER and not event.bot


def asks_for_copy(event: Event) -> bool:
    """Say whether *event* asks for a copy of everything; a browser's word never does."""
    return event.name == EXPORT_REQUESTED and event.trust is not Trust.BROWSER and not event.bot


def split_at_request(told: list[Event]) -> tuple[list[Event], list[Event]]:
    """Return the events up to and with the first that asks for erasure, and those behind it."""
    before = len(list(takewhile(lambda event: not is_request(event), told))) + 1
    return told[:before], told[before:]


def due_at(erasure: Erasure) -> Instant:
    """Return when the next pass is due."""
    return erasure.at + PASSES[len(erasure.passes)]


def is_last(erasure: Erasure) -> bool:
    """Say whether the next pass is the last."""
    return len(erasure.passes) == len(PASSES) - 1


def find_fresh_since(erasure: Erasure, now: Instant) -> Instant | None:
    """Return since when the next pass leaves alone what came in; None when it leaves nothing.

    The stream's record of an event may come after the tombstones are gone. Only if it is late by then does anybody ask
    whether the event is still stored: so the last pass deletes none that might not be.
    """
    return now - _FRESH_MS if is_last(erasure) else None


def is_late(event: Event, now: Instant) -> bool:
    """Say whether an event is derived so late that an erasure may have deleted it."""
    return now - event.received_at > LATE_MS


def end_pass(erasure: Erasure, now: Instant) -> Erasure:
    """Return the erasure with one pass more done."""
    return msgspec.structs.replace(erasure, passes=(*erasure.passes, now))


def make_search(erasure: Erasure, derive: Callable[[str], Collection[str]]) -> Callable[[bytes], bool]:
    """Return what says whether a record holds one of the shopper's keys, or one of their addresses.

    Args:
        erasure: Whose keys and addresses.
        derive: Returns the keys that a text would have, if it were an address: of the addresses only those are known.
    """
    told = [text for key in erasure.keys for text in (key, json.dumps(key)[1:-1], tags_for(key, "")["who"])]
    quoted = re.compile("|".join(rf'(?<=["\\]){re.escape(text)}(?=["\\])' for text in told))

    def concerns(body: bytes) -> bool:
        text = body.decode(errors="replace")
        if quoted.search(text):
            return True
        return any(key in erasure.addresses for found in set(_ADDRESS.findall(text)) for key in derive(found))

    return concerns


def name_export(who: str) -> str:
    """Return the key of the object that holds a copy of everything about somebody."""
    return f"exports/{derive_id('export', who)}.json"
