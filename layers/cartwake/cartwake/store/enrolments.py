"""How far each part of an enrolment is: rows of the sweeps table, and one for each that ever began."""

from collections.abc import Sequence
from typing import Final

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, QueryError
from pynamodb.models import Model

from cartwake.enrolments import KEEP_MS, Part
from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import SECOND

_PARTS: Final = "enrolments"
_BEGUN: Final = "enrolled"
"""Rows of those that ever began, which are kept for ever: none begins twice."""


class EnrolmentRow(Model):
    """A part: what its conditions look at readable, the rest packed."""

    class Meta(base.Meta):
        table_name = require("SWEEPS_TABLE")

    sweep = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    cursor = UnicodeAttribute(null=True)
    done = BooleanAttribute(null=True)
    body = base.packed(null=True)
    began_at = NumberAttribute()
    expires_at = NumberAttribute(null=True)


def get_part(journey: str, number: int) -> Part | None:
    """Return a part as it is, read consistently; None when it never began, or ended long ago."""
    try:
        return _to_part(EnrolmentRow.get(_PARTS, _name(journey, number), consistent_read=True))
    except EnrolmentRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"enrolments: {base.failed_with(error)}") from error


def list_parts() -> list[Part]:
    """Return all parts of all enrolments of the last months."""
    try:
        return [_to_part(row) for row in EnrolmentRow.query(_PARTS)]
    except QueryError as error:
        raise TryAgain(f"enrolments: {base.failed_with(error)}") from error


def begin(parts: Sequence[Part]) -> bool:
    """Write an enrolment's beginning, once and for all; False when it has begun before."""
    first = parts[0]
    row = EnrolmentRow(_BEGUN, first.journey, done=True, began_at=first.began_at)
    mark = base.Put(row, EnrolmentRow.sweep.does_not_exist())
    return base.commit([mark, *(base.Put(_to_row(part)) for part in parts)])


def move(before: Part, after: Part) -> bool:
    """Write the compare-and-advance of a part; False when somebody else has moved it."""
    unmoved = (EnrolmentRow.cursor == before.cursor) & (EnrolmentRow.done == before.done)
    return base.commit([base.Put(_to_row(after), unmoved)])


def _name(journey: str, number: int) -> str:
    return f"{journey}#{number:02d}"


def _to_part(row: EnrolmentRow) -> Part:
    return _decoder.decode(base.unsqueeze(row.body))


def _to_row(part: Part) -> EnrolmentRow:
    return EnrolmentRow(
        _PARTS,
        _name(part.journey, part.number),
        cursor=part.cursor,
        done=part.done,
        body=base.squeeze(_encoder.encode(part)),
        began_at=part.began_at,
        expires_at=(part.updated_at + KEEP_MS) // SECOND,
    )


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Part)
