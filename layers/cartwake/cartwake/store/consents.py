"""The consents table: every statement about marketing, put once and never changed; it outlives events and profiles."""

from typing import Final

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import QueryError
from pynamodb.models import Model

from cartwake.consents import Statement, Told
from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import Instant


class ConsentRow(Model):
    """A statement; `told` is what a server may have written anything into."""

    class Meta(base.Meta):
        table_name = require("CONSENTS_TABLE")

    address = UnicodeAttribute(hash_key=True)
    statement = UnicodeAttribute(range_key=True)
    subscribed = BooleanAttribute()
    at = NumberAttribute()
    number = NumberAttribute()
    source = UnicodeAttribute()
    told = base.packed(null=True)


def put_statement(statement: Statement) -> bool:
    """Add a statement; False when it is there already, and then nothing of it changes."""
    return base.commit([write_statement(statement)])


def write_statement(statement: Statement) -> base.Put:
    """Return the write of a statement, which only succeeds once."""
    row = ConsentRow(
        statement.address,
        statement.key,
        subscribed=statement.subscribed,
        at=statement.at,
        number=statement.id,
        source=statement.source or "?",
        told=base.squeeze(_encoder.encode(statement.told)),
    )
    return base.Put(row, ConsentRow.address.does_not_exist())


def list_statements(address: str) -> list[Statement]:
    """Return what was stated of an address, the oldest first, read consistently."""
    try:
        return [_to_statement(row) for row in ConsentRow.query(address, consistent_read=True)]
    except QueryError as error:
        raise TryAgain(f"consents: {base.failed_with(error)}") from error


def unname(address: str, until: Instant, *, most: int) -> int:
    """Take what may name somebody out of up to *most* statements of an address, and return of how many.

    Args:
        address: Its key.
        until: What was stated later is somebody's who began anew.
        most: Of how many.
    """
    named = ConsentRow.told.exists() & (ConsentRow.at <= until)
    try:
        rows = list(ConsentRow.query(address, filter_condition=named, consistent_read=True))[:most]
    except QueryError as error:
        raise TryAgain(f"consents: {base.failed_with(error)}") from error
    for row in rows:
        base.change(ConsentRow(address, row.statement), [ConsentRow.told.remove()], ConsentRow.told.exists())
    return len(rows)


def _to_statement(row: ConsentRow) -> Statement:
    return Statement(
        address=row.address,
        subscribed=row.subscribed,
        at=int(row.at),
        id=int(row.number),
        source=row.source,
        told=_decoder.decode(base.unsqueeze(row.told)) if row.told else Told(),
    )


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Told)
