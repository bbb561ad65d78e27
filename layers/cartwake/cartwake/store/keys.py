"""The keys table: the write keys of clients, kept hashed."""

from dataclasses import dataclass

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.events import Trust
from cartwake.settings import require
from cartwake.store import base


class KeyRow(Model):
    """A write key, by its SHA-256."""

    class Meta(base.Meta):
        table_name = require("KEYS_TABLE")

    key_hash = UnicodeAttribute(hash_key=True)
    trust = UnicodeAttribute()
    origins = ListAttribute(of=UnicodeAttribute, null=True)
    created_at = NumberAttribute()
    revoked_at = NumberAttribute(null=True)
    note = UnicodeAttribute(null=True)


@dataclass(frozen=True, slots=True)
class WriteKey:
    """What a write key permits: the trust of what it says, and from which origins browsers may use it (none: any)."""

    trust: Trust
    origins: tuple[str, ...]
    revoked: bool


def find_key(key_hash: str) -> WriteKey | None:
    """Return the key whose SHA-256, in hexadecimal, is *key_hash*."""
    try:
        row = KeyRow.get(key_hash)
    except KeyRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"keys: {base.failed_with(error)}") from error
    return WriteKey(Trust(row.trust), tuple(str(origin) for origin in row.origins or ()), row.revoked_at is not None)
