"""The quarantine table: events that were refused, and records that no code could process, with the reason."""

from dataclasses import dataclass
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, QueryError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import DAY, SECOND, Instant, format_instant

KEEP_MS: Final = 30 * DAY


class QuarantineRow(Model):
    """A refused event (without its body), or a poison record (whole, for redrive)."""

    class Meta(base.Meta):
        table_name = require("QUARANTINE_TABLE")

    who = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True)
    reason = UnicodeAttribute()
    where = UnicodeAttribute(null=True)
    at = NumberAttribute()
    body = base.packed(null=True)
    expires_at = NumberAttribute()


@dataclass(frozen=True, slots=True)
class Refused:
    """One entry, as `explain` shows it."""

    key: str
    reason: str
    where: str
    at: Instant


def put(  # noqa: PLR0913  the columns of the row
    who: str, key: str, *, reason: str, at: Instant, where: str = "", body: bytes = b""
) -> None:
    """Keep an entry for 30 days under the shopper's key, or under `?` when there is none."""
    row = QuarantineRow(
        who or "?",
        f"{format_instant(at)}#{key}",
        reason=reason,
        where=where or None,
        at=at,
        body=body or None,
        expires_at=(at + KEEP_MS) // SECOND,
    )
    try:
        row.save()
    except PutError as error:
        raise TryAgain(f"quarantine: {base.failed_with(error)}") from error


def list_refusals(who: str) -> list[Refused]:
    """Return what was refused of one key, in order of time."""
    try:
        return [Refused(row.key, row.reason, row.where or "", int(row.at)) for row in QuarantineRow.query(who)]
    except QueryError as error:
        raise TryAgain(f"quarantine: {base.failed_with(error)}") from error
