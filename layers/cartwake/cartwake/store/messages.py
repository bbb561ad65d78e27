"""The messages table: the ledger of everything that was planned, and what became of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, QueryError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.messages import Message
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import DAY, SECOND, Instant

KEEP_MS: Final = 400 * DAY


class RetryIndex(GlobalSecondaryIndex["MessageRow"]):
    """Messages that are not settled, by when to look at them again."""

    class Meta:
        index_name = "retry"
        projection = KeysOnlyProjection()

    retry_shard = NumberAttribute(hash_key=True)
    retry_at = NumberAttribute(range_key=True)


class MessageRow(Model):
    """A message: its state readable, the rest packed."""

    class Meta(base.Meta):
        table_name = require("MESSAGES_TABLE")

    who = UnicodeAttribute(hash_key=True)
    message = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute()
    body = base.packed()
    version = NumberAttribute()
    retry_shard = NumberAttribute(null=True)
    retry_at = NumberAttribute(null=True)
    expires_at = NumberAttribute()
    retry_index = RetryIndex()


def get_message(who: str, message: str) -> Message | None:
    """Return a message, read consistently."""
    try:
        return _to_message(MessageRow.get(who, message, consistent_read=True))
    except MessageRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"messages: {base.failed_with(error)}") from error


def list_messages(who: str) -> list[Message]:
    """Return all messages of one key."""
    try:
        return [_to_message(row) for row in MessageRow.query(who)]
    except QueryError as error:
        raise TryAgain(f"messages: {base.failed_with(error)}") from error


def write_message(message: Message) -> base.Put:
    """Return the write of *message*, which only succeeds over the version it was read in."""
    condition = MessageRow.who.does_not_exist() if message.version == 0 else MessageRow.version == message.version
    return base.Put(_to_row(message), condition)


def replace_message(  # noqa: PLR0913  what to count comes with the write that makes it true
    before: Message,
    after: Message,
    *,
    counter: str = "",
    day: str = "",
    amounts: Mapping[str, int] = MappingProxyType({}),
) -> bool:
    """Write *after* over *before*, and count in the same transaction; False when somebody else wrote meanwhile."""
    actions: list[base.Action] = [write_message(msgspec.structs.replace(after, version=before.version))]
    if amounts:
        from cartwake.store.counts import add  # noqa: PLC0415  its table is named only where things are counted

        actions.append(add(f"{counter}#{base.shard_of(before.id)}", day, amounts))
    return base.commit(actions)


def postpone(who: str, message: str, until: Instant) -> None:
    """Have `wake` look at a message later: one that cannot be handled must not stand before all others."""
    base.change(MessageRow(who, message), [MessageRow.retry_at.set(until)], MessageRow.retry_at.exists())


def list_due(now: Instant, *, limit: int) -> list[tuple[str, str]]:
    """Return the keys of up to *limit* messages in each shard that must be looked at again."""
    try:
        return [
            (row.who, row.message)
            for shard in range(base.SHARDS)
            for row in MessageRow.retry_index.query(shard, MessageRow.retry_at <= now, limit=limit)
        ]
    except QueryError as error:
        raise TryAgain(f"messages: {base.failed_with(error)}") from error


def _to_message(row: MessageRow) -> Message:
    return msgspec.structs.replace(_decoder.decode(base.unsqueeze(row.body)), version=int(row.version))


def _to_row(message: Message) -> MessageRow:
    return MessageRow(
        message.who,
        message.id,
        state=message.state.value,
        body=base.squeeze(_encoder.encode(message)),
        version=message.version + 1,
        retry_shard=base.shard_of(message.id) if message.retry_at is not None else None,
        retry_at=message.retry_at,
        expires_at=(message.planned_at + KEEP_MS) // SECOND,
    )


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Message)
