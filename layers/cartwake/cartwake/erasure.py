"""Erasure: who asked to be erased, under which keys they were known, and when what is to be done about it.

Nothing here names the person but the keys themselves, and those are let go of after the last pass.
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
REST_MS: Final = 2 * HOUR
"""So long tombstones outlast what was deleted last: what the stream still tells of that, behind them, is late."""
LATE_MS: Final = HOUR
"""An event that is derived so long after it came in counts only if it is still stored."""
LEASE_MS: Final = 300_000
"""So long a pass is left alone before it is asked for again."""
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
    """Return when the next pass is due, or the end of the rest."""
    done = len(erasure.passes)
    return erasure.at + PASSES[done] if done < len(PASSES) else erasure.passes[-1] + REST_MS


def is_resting(erasure: Erasure) -> bool:
    """Say whether all passes are done, and the tombstones outlast them."""
    return len(erasure.passes) == len(PASSES)


def rest_again(erasure: Erasure, now: Instant) -> Erasure:
    """Return the erasure with its last pass done again, so that the rest begins anew."""
    return msgspec.structs.replace(erasure, passes=(*erasure.passes[:-1], now))


def is_late(event: Event, now: Instant) -> bool:
    """Say whether an event is derived so late that an erasure may have deleted it, tombstones and all."""
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
