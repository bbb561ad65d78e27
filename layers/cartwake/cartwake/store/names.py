"""The names table: which events and traits were seen in the last 30 days, so that a rule's typing error is noticed."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, QueryError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import DAY, SECOND, Instant

KEEP_MS: Final = 30 * DAY
MOST_READ: Final = 2_000


class Named(StrEnum):
    """What has the name."""

    EVENT = "event"
    TRAIT = "trait"


class NameRow(Model):
    """A name."""

    class Meta(base.Meta):
        table_name = require("NAMES_TABLE")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute()


def put_names(kind: Named, names: Iterable[str], now: Instant) -> None:
    """Remember for 30 days that *names* were seen."""
    try:
        with NameRow.batch_write() as batch:
            for name in names:
                batch.save(NameRow(kind.value, name, expires_at=(now + KEEP_MS) // SECOND))
    except PutError as error:
        raise TryAgain(f"names: {base.failed_with(error)}") from error


def list_names(kind: Named, now: Instant) -> list[str]:
    """Return the names that were seen in the last 30 days, of very many the first by the alphabet."""
    try:
        rows = NameRow.query(kind.value, limit=MOST_READ)
        return [row.name for row in rows if row.expires_at * SECOND > now]
    except QueryError as error:
        raise TryAgain(f"names: {base.failed_with(error)}") from error
