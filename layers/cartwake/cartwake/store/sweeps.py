"""The sweeps table: how far each part of the sweeps is that look at everybody under changed rules."""

from collections.abc import Sequence
from typing import Final

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, QueryError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base
from cartwake.sweeps import Aim, Part, SweepKind, Tally
from cartwake.times import DAY, SECOND

KEEP_MS: Final = 90 * DAY


class SweepRow(Model):
    """One part of a sweep: what its conditions look at readable, the rest packed."""

    class Meta(base.Meta):
        table_name = require("SWEEPS_TABLE")

    sweep = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    cursor = UnicodeAttribute()
    done = BooleanAttribute()
    began_at = NumberAttribute()
    updated_at = NumberAttribute()
    aim = base.packed()
    tally = base.packed()
    expires_at = NumberAttribute()
    told = BooleanAttribute(null=True)


def get_part(kind: SweepKind, number: int) -> Part | None:
    """Return a part as it is, read consistently; None when there never was such a sweep."""
    try:
        return _to_part(SweepRow.get(kind.value, _name(number), consistent_read=True))
    except SweepRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"sweeps: {base.failed_with(error)}") from error


def list_parts(kind: SweepKind) -> list[Part]:
    """Return all parts in order, read consistently; none when there never was such a sweep."""
    try:
        return [_to_part(row) for row in SweepRow.query(kind.value, consistent_read=True)]
    except QueryError as error:
        raise TryAgain(f"sweeps: {base.failed_with(error)}") from error


def begin(parts: Sequence[Part]) -> list[base.Action]:
    """Return the writes of a sweep's beginning: the one before it, if it still goes on, ends with them."""
    return [base.Put(_to_row(part)) for part in parts]


def move(before: Part, after: Part) -> bool:
    """Write the compare-and-advance of a part; False when somebody else has moved it, or a newer sweep began."""
    unmoved = (SweepRow.began_at == before.aim.began_at) & (SweepRow.cursor == before.cursor)
    return base.commit([base.Put(_to_row(after), unmoved & (SweepRow.done == before.done))])


def _name(number: int) -> str:
    return f"{number:02d}"


def _to_part(row: SweepRow) -> Part:
    return Part(
        kind=SweepKind(row.sweep),
        number=int(row.part),
        aim=_aims.decode(row.aim),
        cursor=row.cursor,
        done=bool(row.done),
        tally=_tallies.decode(base.unsqueeze(row.tally)),
        updated_at=int(row.updated_at),
        told=bool(row.told),
    )


def _to_row(part: Part) -> SweepRow:
    return SweepRow(
        part.kind.value,
        _name(part.number),
        cursor=part.cursor,
        done=part.done,
        began_at=part.aim.began_at,
        updated_at=part.updated_at,
        aim=_encoder.encode(part.aim),
        tally=base.squeeze(_encoder.encode(part.tally)),
        expires_at=(part.updated_at + KEEP_MS) // SECOND,
        told=part.told or None,
    )


_encoder: Final = msgspec.msgpack.Encoder()
_aims: Final = msgspec.msgpack.Decoder(Aim)
_tallies: Final = msgspec.msgpack.Decoder(Tally)
