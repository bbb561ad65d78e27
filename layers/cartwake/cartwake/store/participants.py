"""The participants table: who was given which variant of a test, and when it is over what is measured of them."""

from collections.abc import Sequence
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, QueryError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.participants import Participant
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import DAY, SECOND, Instant

KEEP_MS: Final = 400 * DAY
"""As long as events: a shopper counts once in a test that goes on for a year."""


class DueIndex(GlobalSecondaryIndex["ParticipantRow"]):
    """Participants who are not counted yet, by when they are to be."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = NumberAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class ParticipantRow(Model):
    """A shopper in a test."""

    class Meta(base.Meta):
        table_name = require("PARTICIPANTS_TABLE")

    who = UnicodeAttribute(hash_key=True)
    test = UnicodeAttribute(range_key=True)
    body = base.packed()
    due_shard = NumberAttribute(null=True)
    due_at = NumberAttribute(null=True)
    expires_at = NumberAttribute()
    due_index = DueIndex()


def get_participant(who: str, key: str) -> Participant | None:
    """Return a participant, read consistently."""
    try:
        return _decoder.decode(base.unsqueeze(ParticipantRow.get(who, key, consistent_read=True).body))
    except ParticipantRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"participants: {base.failed_with(error)}") from error


def find_enrolled(whos: Sequence[str], key: str) -> Participant | None:
    """Return the participant that a shopper already is, under any of their keys."""
    return next((found for who in whos if (found := get_participant(who, key)) is not None), None)


def list_participants(who: str) -> list[Participant]:
    """Return in which tests one key takes part, or has."""
    try:
        return [_decoder.decode(base.unsqueeze(row.body)) for row in ParticipantRow.query(who)]
    except QueryError as error:
        raise TryAgain(f"participants: {base.failed_with(error)}") from error


def enrol(participant: Participant) -> base.Put:
    """Return the write of a new participant, which only succeeds once."""
    return base.Put(_to_row(participant), ParticipantRow.who.does_not_exist())


def close(judged: Participant) -> base.Put:
    """Return the write of a judged participant, which only succeeds once."""
    return base.Put(_to_row(judged), ParticipantRow.due_at.exists())


def list_due(now: Instant, *, limit: int) -> list[tuple[str, str]]:
    """Return the keys of up to *limit* participants in each shard whose time is over."""
    try:
        return [
            (row.who, row.test)
            for shard in range(base.SHARDS)
            for row in ParticipantRow.due_index.query(shard, ParticipantRow.due_at <= now, limit=limit)
        ]
    except QueryError as error:
        raise TryAgain(f"participants: {base.failed_with(error)}") from error


def postpone(who: str, key: str, until: Instant) -> None:
    """Have `wake` look at a participant later: one that cannot be judged must not stand before all others."""
    base.change(ParticipantRow(who, key), [ParticipantRow.due_at.set(until)], ParticipantRow.due_at.exists())


def _to_row(participant: Participant) -> ParticipantRow:
    is_open = not participant.judged_at
    return ParticipantRow(
        participant.who,
        participant.key,
        body=base.squeeze(_encoder.encode(participant)),
        due_shard=base.shard_of(participant.who) if is_open else None,
        due_at=participant.due_at if is_open else None,
        expires_at=(participant.entered_at + KEEP_MS) // SECOND,
    )


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Participant)
