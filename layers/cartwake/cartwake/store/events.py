"""The events table: plain puts; a client's retry rewrites the same row."""

from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, PutError, QueryError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.events import KEEP_MS, Event
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import SECOND

_MOST_NAMES: Final = 100


class EventRow(Model):
    """An event: name and type readable, the rest packed."""

    class Meta(base.Meta):
        table_name = require("EVENTS_TABLE")

    who = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    type = UnicodeAttribute()
    body = base.packed()
    expires_at = NumberAttribute()


def put_events(events: Sequence[Event]) -> None:
    """Write *events*; of several with the same key the last one counts.

    Raises:
        TryAgain: Not all could be written; writing all of them again is harmless.
    """
    rows = {(event.who, event.key): _to_row(event) for event in events}
    try:
        if len(rows) == 1:
            next(iter(rows.values())).save()
            return
        with EventRow.batch_write() as batch:
            for row in rows.values():
                batch.save(row)
    except PutError as error:
        raise TryAgain(f"events: {base.failed_with(error)}") from error


def write_event(event: Event) -> base.Put:
    """Return the write of *event*, for a transaction."""
    return base.Put(_to_row(event))


def get_event(who: str, key: str) -> Event | None:
    """Return the event under a key, read consistently."""
    try:
        return _to_event(EventRow.get(who, key, consistent_read=True))
    except EventRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"events: {base.failed_with(error)}") from error


def find_deleted(asked: Iterable[Event]) -> set[tuple[str, str]]:
    """Return the keys, of row and shopper, of those events that are stored no more; read consistently.

    Raises:
        TryAgain: The table could not be read.
    """
    keys = {(event.who, event.key) for event in asked}
    try:
        rows = EventRow.batch_get(list(keys), consistent_read=True, attributes_to_get=["who", "key"])
        return keys - {(row.who, row.key) for row in rows}
    except GetError as error:
        raise TryAgain(f"events: {base.failed_with(error)}") from error


def list_events(who: str, *, limit: int = 1_000) -> list[Event]:
    """Return the events of one key, the latest by the client's time first."""
    return [_to_event(row) for row in EventRow.query(who, scan_index_forward=False, limit=limit)]


def read_history(keys: Collection[str], names: Collection[str] | None = None) -> Iterator[Event]:
    """Yield every stored event of one shopper's keys that has one of *names*, or any, in no order; read consistently.

    Raises:
        TryAgain: The table could not be read.
    """
    only = EventRow.name.is_in(*sorted(names)) if names is not None and len(names) <= _MOST_NAMES else None
    try:
        for who in keys:
            for row in EventRow.query(who, filter_condition=only, consistent_read=True):
                if names is None or row.name in names:
                    yield _to_event(row)
    except QueryError as error:
        raise TryAgain(f"events: {base.failed_with(error)}") from error


def decode_image(image: dict[str, Any]) -> Event:
    """Return the event in a stream record's new image, whose binary values are base64 text as Lambda delivers them."""
    return _decode(b64decode(image["body"]["B"]))


def _to_row(event: Event) -> EventRow:
    body = base.squeeze(_encoder.encode(event))
    expires_at = (event.received_at + KEEP_MS) // SECOND
    return EventRow(event.who, event.key, name=event.name, type=event.type, body=body, expires_at=expires_at)


def _to_event(row: EventRow) -> Event:
    return _decode(row.body)


def _decode(body: bytes) -> Event:
    return _decoder.decode(base.unsqueeze(body))


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Event)
