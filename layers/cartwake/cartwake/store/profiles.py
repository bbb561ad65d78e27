"""The profiles table: the folded state of each shopper, pointers of merged ones, tombstones of erased ones."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, QueryError, ScanError, TableDoesNotExist, TableError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from cartwake.errors import TryAgain, WriteConflict
from cartwake.profiles import Kind, Profile, pack, unpack
from cartwake.segments import Signal, next_expiry
from cartwake.settings import require
from cartwake.statements import Channel
from cartwake.store import base
from cartwake.times import NEVER, Instant

MOST_HOPS: Final = 10


class WakeIndex(GlobalSecondaryIndex["ProfileRow"]):
    """Profiles whose memberships must be looked at again, by when."""

    class Meta:
        index_name = "wake"
        projection = KeysOnlyProjection()

    wake_shard = NumberAttribute(hash_key=True)
    wake_at = NumberAttribute(range_key=True)


class ProfileRow(Model):
    """A profile, a pointer, or a tombstone."""

    class Meta(base.Meta):
        table_name = require("PROFILES_TABLE")

    who = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    target = UnicodeAttribute(null=True)
    state = base.packed(null=True)
    signals = base.packed(null=True)
    generation = NumberAttribute(default=0)
    version = NumberAttribute()
    merged = NumberAttribute(default=0)
    email_key = UnicodeAttribute(null=True)
    sms_key = UnicodeAttribute(null=True)
    push_key = UnicodeAttribute(null=True)
    erasure = base.packed(null=True)
    wake_shard = NumberAttribute(null=True)
    wake_at = NumberAttribute(null=True)
    wake_index = WakeIndex()


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of a scan has found.

    Attributes:
        rows: Of any kind, to be decoded one by one: one that cannot be must not hold up the others.
        cursor: The key after which the next page begins; "" when this is the last.
    """

    rows: tuple[ProfileRow, ...]
    cursor: str


def get_profile(who: str) -> Profile:
    """Return the row under *who*, read consistently; version 0 when there is none."""
    try:
        return decode_row(ProfileRow.get(who, consistent_read=True))
    except ProfileRow.DoesNotExist:
        return Profile(who=who)
    except GetError as error:
        raise TryAgain(f"profiles: {base.failed_with(error)}") from error


def resolve_profile(who: str) -> Profile:
    """Return the profile that *who* leads to, following pointers."""
    for _ in range(MOST_HOPS):
        profile = get_profile(who)
        if profile.kind is not Kind.POINTER:
            return profile
        who = profile.target
    raise WriteConflict(f"a chain of more than {MOST_HOPS} pointers")


def put_profile(profile: Profile, signals: Sequence[Signal] = ()) -> base.Put:
    """Return the write of *profile*, which only succeeds over the version it was read in.

    The row's `wake_at` only moves earlier than `profile.wake_at`: an early wake is harmless, and moving an index costs
    a write. A wake sets `profile.wake_at` to NEVER first, and so arms the row exactly.
    """
    condition = ProfileRow.who.does_not_exist() if profile.version == 0 else ProfileRow.version == profile.version
    return base.Put(_to_row(profile, signals), condition)


def point_to(source: Profile, target: str) -> base.Put:
    """Return the write that turns the row of *source* into a pointer to *target*."""
    condition = ProfileRow.who.does_not_exist() if source.version == 0 else ProfileRow.version == source.version
    row = ProfileRow(source.who, kind=Kind.POINTER.value, target=target, version=source.version + 1)
    return base.Put(row, condition)


def demand_unchanged(profile: Profile) -> base.Check:
    """Return the demand that nobody has written the profile since it was read: what was decided on it still holds."""
    return base.Check(ProfileRow(profile.who), ProfileRow.version == profile.version)


def demand_profile(profile: Profile, *, channel: Channel | None = None) -> base.Check:
    """Return the demand that it is still a profile, joined with nobody else, its address for *channel* unchanged.

    Where it has none for the channel, it must still have none.
    """
    condition = (ProfileRow.kind == Kind.PROFILE.value) & (ProfileRow.merged == len(profile.state.sources))
    if channel is not None:
        attribute, key = _ADDRESS_KEYS[channel], profile.address_keys.get(channel)
        condition &= attribute.does_not_exist() if key is None else attribute == key
    return base.Check(ProfileRow(profile.who), condition)


def list_due(now: Instant, *, limit: int) -> list[str]:
    """Return the keys of up to *limit* profiles in each shard whose memberships must be looked at again."""
    try:
        return [
            row.who
            for shard in range(base.SHARDS)
            for row in ProfileRow.wake_index.query(shard, ProfileRow.wake_at <= now, limit=limit)
        ]
    except QueryError as error:
        raise TryAgain(f"profiles: {base.failed_with(error)}") from error


def scan_page(segment: int, segments: int, *, after: str, limit: int) -> Page:
    """Return the next *limit* rows of one of several disjoint parts of the table, read consistently.

    Args:
        segment: Which part, from 0.
        segments: How many there are.
        after: The last key of the page before; "" for the first page.
        limit: How many rows are read.

    Raises:
        TryAgain: The table could not be read.
    """
    scan = ProfileRow.scan(
        segment=segment,
        total_segments=segments,
        last_evaluated_key={"who": {"S": after}} if after else None,
        page_size=limit,
        limit=limit,
        consistent_read=True,
    )
    try:
        rows = tuple(scan)
    except ScanError as error:
        raise TryAgain(f"profiles: {base.failed_with(error)}") from error
    last = scan.last_evaluated_key
    return Page(rows, str(last["who"]["S"]) if last else "")


def count_rows() -> int:
    """Return about how many rows there are: DynamoDB counts them every six hours or so."""
    try:
        return int(ProfileRow.describe_table()["ItemCount"])
    except (TableError, TableDoesNotExist, ClientError) as error:  # this one call of PynamoDB's lets the last through
        raise TryAgain("profiles: the table cannot be described") from error


def postpone(who: str, until: Instant) -> None:
    """Have `wake` look at a profile later: one that cannot be evaluated must not stand before all others."""
    base.change(ProfileRow(who), [ProfileRow.wake_at.set(until)], ProfileRow.wake_at.exists())


def decode_signals(image: dict[str, Any]) -> list[Signal]:
    """Return the signals in a stream record's new image."""
    return msgspec.msgpack.decode(base.unsqueeze(b64decode(image["signals"]["B"])), type=list[Signal])


def decode_row(row: ProfileRow) -> Profile:
    """Return what a row says."""
    keys = {Channel.EMAIL: row.email_key, Channel.SMS: row.sms_key, Channel.PUSH: row.push_key}
    return Profile(
        who=row.who,
        kind=Kind(row.kind),
        target=row.target or "",
        **({"state": unpack(base.unsqueeze(row.state))} if row.state else {}),
        generation=int(row.generation),
        version=int(row.version),
        address_keys={channel: key for channel, key in keys.items() if key},
        wake_at=int(row.wake_at) if row.wake_at is not None else NEVER,
    )


_ADDRESS_KEYS: Final = {
    Channel.EMAIL: ProfileRow.email_key,
    Channel.SMS: ProfileRow.sms_key,
    Channel.PUSH: ProfileRow.push_key,
}


def _to_row(profile: Profile, signals: Sequence[Signal]) -> ProfileRow:
    wake_at = min(next_expiry(profile.state), profile.wake_at)
    return ProfileRow(
        profile.who,
        kind=profile.kind.value,
        state=base.squeeze(pack(profile.state)),
        signals=base.squeeze(msgspec.msgpack.encode(list(signals))) if signals else None,
        generation=profile.generation,
        version=profile.version + 1,
        merged=len(profile.state.sources),
        email_key=profile.address_keys.get(Channel.EMAIL),
        sms_key=profile.address_keys.get(Channel.SMS),
        push_key=profile.address_keys.get(Channel.PUSH),
        wake_shard=base.shard_of(profile.who) if wake_at < NEVER else None,
        wake_at=wake_at if wake_at < NEVER else None,
    )
