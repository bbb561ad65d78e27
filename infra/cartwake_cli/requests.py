"""Requests of an operator for a shopper: stored as events of our own, which the stack then follows."""

from collections.abc import Mapping
from typing import Final

import msgspec

from cartwake.events import KEEP_MS, derive_id, own_event
from cartwake.store.base import squeeze
from cartwake.times import SECOND, Instant
from cartwake_cli.cloud import Client

METHOD: Final = "operator"


def store_request(
    table: Client, who: str, name: str, *, now: Instant, properties: Mapping[str, str] | None = None
) -> None:
    """Write the event *name* of a shopper into the events table, as our own pages do."""
    told = {**(properties or {}), "method": METHOD}
    event = own_event(who, name, id=derive_id(name, who, str(now), *told.values()), at=now, properties=told)
    table.put_item(
        Item={
            "who": event.who,
            "key": event.key,
            "name": event.name,
            "type": event.type,
            "body": squeeze(msgspec.msgpack.encode(event)),
            "expires_at": (event.received_at + KEEP_MS) // SECOND,
        }
    )
