"""Removal: everything that is stored under a shopper's keys is deleted, so many rows at a time, from every table.

Nothing says how far that is but what is still there: whoever goes on finds the rest.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from pynamodb.exceptions import PutError, QueryError
from pynamodb.models import Model

from cartwake.coupons import normalise_code
from cartwake.errors import TryAgain
from cartwake.store import base
from cartwake.store.coupons import CouponRow
from cartwake.store.events import EventRow
from cartwake.store.messages import MessageRow
from cartwake.store.participants import ParticipantRow
from cartwake.store.quarantine import QuarantineRow
from cartwake.store.runs import RunRow
from cartwake.store.slots import SlotRow

TABLES: Final[tuple[type[Model], ...]] = (RunRow, SlotRow, MessageRow, ParticipantRow, EventRow, QuarantineRow)
"""In this order: without its run no step plans a message any more."""
_UNNAMED: Final = "?"
_PAGE: Final = 100


def delete_rows(table: type[Model], who: str, *, most: int) -> int:
    """Delete up to *most* rows of one key from a table, and return how many."""
    return _delete(table, list(_query(table, who, limit=most)))


def is_anything_left(keys: Collection[str]) -> bool:
    """Say whether any table but that of the profiles has a row under any of a shopper's keys."""
    return any(list(_query(table, key, limit=1)) for key in keys for table in TABLES)


def delete_unnamed(concerns: Callable[[bytes], bool], *, most: int) -> int:
    """Delete records that were set aside under nobody's name and concern somebody; return how many."""
    found = []
    for row in _query(QuarantineRow, _UNNAMED, page_size=_PAGE):
        if row.body is not None and concerns(row.body):
            found.append(row)
        if len(found) == most:
            break
    return _delete(QuarantineRow, found)


def delete_coupons(who: str, keys: Collection[str], *, most: int) -> int:
    """Take a shopper's name off up to *most* codes that they have or have used, and return how many.

    The codes themselves stay given, and used: they are never free again.
    """
    rows = list(_query(CouponRow, f"who#{who}", limit=most))
    for code in dict.fromkeys(normalise_code(row.code) for row in rows):
        for name, *rest in ((CouponRow.who,), (CouponRow.redeemed_by, CouponRow.order)):
            base.change(CouponRow(f"code#{code}", "-"), [it.remove() for it in (name, *rest)], name.is_in(*keys))
    return _delete(CouponRow, rows)


def _query(table: type[Model], key: str, **options: Any) -> Iterator[Any]:
    try:
        yield from table.query(key, consistent_read=True, **options)
    except QueryError as error:
        raise TryAgain(f"{table.Meta.table_name}: {base.failed_with(error)}") from error


def _delete(table: type[Model], rows: list[Any]) -> int:
    try:
        with table.batch_write() as batch:
            for row in rows:
                batch.delete(row)
    except PutError as error:
        raise TryAgain(f"{table.Meta.table_name}: {base.failed_with(error)}") from error
    return len(rows)
