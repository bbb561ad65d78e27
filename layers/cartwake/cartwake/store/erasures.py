"""Erasures: tombstones in the profiles table, and which of them something is left to do for.

They stand in a partition of their own of the index on (wake_shard, wake_at), apart from the profiles that `wake` has
evaluated: the index holds keys alone, and would not tell the two apart.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from pynamodb.exceptions import GetError, QueryError

from cartwake.erasure import LEASE_MS, Erasure, due_at
from cartwake.errors import TryAgain
from cartwake.profiles import Kind, Profile
from cartwake.store import base
from cartwake.store.profiles import ProfileRow
from cartwake.times import Instant

SHARD: Final = base.SHARDS


def begin(erasure: Erasure, rows: Sequence[Profile]) -> list[base.Action]:
    """Return the writes that turn each of *rows* into a tombstone, if nobody has written it since it was read.

    Args:
        erasure: What the first of them says; the others lead to it.
        rows: Of every key, as read; version 0 where there is none.
    """
    writes: list[base.Action] = []
    for row in rows:
        condition = ProfileRow.who.does_not_exist() if row.version == 0 else ProfileRow.version == row.version
        tombstone = ProfileRow(row.who, kind=_TOMBSTONE, version=row.version + 1)
        if row.who == erasure.who:
            tombstone.erasure, tombstone.wake_shard, tombstone.wake_at = _pack(erasure), SHARD, erasure.at + LEASE_MS
        else:
            tombstone.target = erasure.who
        writes.append(base.Put(tombstone, condition))
    return writes


def get_erasure(who: str) -> Erasure | None:
    """Return what the tombstone of an erased profile says, read consistently; None when there is none."""
    try:
        row = ProfileRow.get(who, consistent_read=True)
    except ProfileRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"profiles: {base.failed_with(error)}") from error
    if not row.erasure:
        return None
    return msgspec.structs.replace(_decoder.decode(base.unsqueeze(row.erasure)), version=int(row.version))


def postpone(who: str, until: Instant) -> None:
    """Have `wake` look at an erasure later: somebody is at work on it, or cannot do it.

    Never earlier: whoever is doubled, and slow, would have it looked at each minute until its next pass is due.
    """
    later = ProfileRow.erasure.exists() & (ProfileRow.wake_at < until)
    base.change(ProfileRow(who), [ProfileRow.wake_at.set(until)], later)


def replace(before: Erasure, after: Erasure) -> bool:
    """Write *after* over *before*; False when somebody else wrote meanwhile."""
    row = ProfileRow(before.who)
    changes = [
        ProfileRow.erasure.set(_pack(after)),
        ProfileRow.wake_at.set(due_at(after)),
        ProfileRow.version.set(before.version + 1),
    ]
    return base.change(row, changes, ProfileRow.version == before.version)


def let_go(erasure: Erasure) -> bool:
    """Delete the tombstones, all of them or none, if nobody wrote meanwhile; what comes later begins anew."""
    unchanged = ProfileRow.version == erasure.version
    tombstone = ProfileRow.kind == _TOMBSTONE
    return base.commit(
        [base.Delete(ProfileRow(key), unchanged if key == erasure.who else tombstone) for key in erasure.keys]
    )


def list_due(now: Instant, *, limit: int) -> list[str]:
    """Return the keys of up to *limit* tombstones for which something is to be done."""
    try:
        return [row.who for row in ProfileRow.wake_index.query(SHARD, ProfileRow.wake_at <= now, limit=limit)]
    except QueryError as error:
        raise TryAgain(f"profiles: {base.failed_with(error)}") from error


def _pack(erasure: Erasure) -> bytes:
    return base.squeeze(_encoder.encode(msgspec.structs.replace(erasure, version=0)))


_TOMBSTONE: Final = Kind.TOMBSTONE.value
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Erasure)
