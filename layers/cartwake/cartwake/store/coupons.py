"""The coupons table: free codes in shards of a pool, taken ones by their code, given ones by whom they belong to.

free#<pool>#<shard>   <hash of the code>                 a code that can be given
code#<code>           -                                  a code that was given: never free again, whatever is imported
who#<key>             <journey>#<path>#<pool>#<round>    what a shopper was given
who#<key>             *#<pool>#<round>                   likewise, for every message that shows a code of the pool
who#<key>             redeemed#<code>                    what a shopper has used
"""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import batched
from typing import Any, Final
from uuid import uuid4

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, PutError, QueryError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from cartwake.coupons import Given, Taken, normalise_code
from cartwake.errors import TryAgain
from cartwake.events import derive_id
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import NEVER, Instant

AT_ONCE: Final = 100
"""What one read of several rows asks for at most."""
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_REDEEMED: Final = "redeemed#"
_ONLY: Final = "-"


class CouponRow(Model):
    """A code, on one of its shelves."""

    class Meta(base.Meta):
        table_name = require("COUPONS_TABLE")

    shelf = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    code = UnicodeAttribute()
    pool = UnicodeAttribute()
    until = NumberAttribute(null=True)
    who = UnicodeAttribute(null=True)
    journey = UnicodeAttribute(null=True)
    path = UnicodeAttribute(null=True)
    round = NumberAttribute(null=True)
    given_at = NumberAttribute(null=True)
    redeemed_at = NumberAttribute(null=True)
    redeemed_by = UnicodeAttribute(null=True)
    order = UnicodeAttribute(null=True)


def draw(pool: str, now: Instant) -> tuple[str, Instant] | None:
    """Return a free code and its own end, drawn at random so that those who draw at once seldom draw the same.

    None when the pool is empty, read consistently.
    """
    start = "".join(random.choices(_ALPHABET, k=8))  # noqa: S311  who draws which code is no secret
    shards = random.sample(range(base.SHARDS), base.SHARDS)
    for shard in shards:
        for where in (CouponRow.item >= start, CouponRow.item < start):
            for row in _query(_free(pool, shard), where, filter_condition=_is_good(now), limit=1, page_size=25):
                return row.code, _until(row)
    return None


def take(given: Given, *, drawn: bool, event: base.Put) -> bool:
    """Give a code in one transaction; False when it is not free any more, or the shopper has one for this round.

    Args:
        given: The code, and to whom.
        drawn: It was drawn from what was imported.
        event: Tells of it.
    """
    told: dict[str, Any] = {
        "code": given.code,
        "pool": given.pool,
        "who": given.who,
        "journey": given.journey,
        "path": given.path,
        "round": given.round,
        "given_at": given.given_at,
        "until": None if given.until >= NEVER else given.until,
    }
    absent = CouponRow.shelf.does_not_exist()
    actions: list[base.Action] = [
        base.Put(CouponRow(_code(given.code), _ONLY, **told), absent),
        base.Put(CouponRow(_person(given.who), f"{name_place(given)}{given.round:06}", **told), absent),
        event,
    ]
    if drawn:
        actions.append(base.Delete(_free_row(given.pool, given.code), CouponRow.shelf.exists()))
    return base.commit(actions, token=uuid4().hex)


def discard(pool: str, code: str) -> None:
    """Take a code that somebody has out of the free ones: an old file may have put it there once more."""
    base.commit([base.Delete(_free_row(pool, code))])


def list_given(who: str, place: str = "") -> list[Given]:
    """Return the codes that were given under one key, read consistently: all, or those for one step."""
    where = CouponRow.item.startswith(place) if place else None
    rows = _query(_person(who), where, consistent_read=True)
    return [_to_given(row) for row in rows if not row.item.startswith(_REDEEMED)]


def list_redeemed(who: str) -> list[str]:
    """Return the codes that somebody has used, also those that were given to others."""
    return [row.code for row in _query(_person(who), CouponRow.item.startswith(_REDEEMED))]


def get_taken(code: str) -> Taken | None:
    """Return what became of a code, read consistently; None when it was never given."""
    try:
        return _to_taken(CouponRow.get(_code(code), _ONLY, consistent_read=True))
    except CouponRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"coupons: {base.failed_with(error)}") from error


def redeem(taken: Taken, *, event: base.Put) -> bool:
    """Mark a code as used, and tell of it, in one transaction; False when an order has used it before."""
    code, who = taken.given.code, taken.redeemed_by
    marks = [
        CouponRow.redeemed_at.set(taken.redeemed_at),
        CouponRow.redeemed_by.set(who),
        CouponRow.order.set(taken.order),
    ]
    unused = CouponRow.shelf.exists() & CouponRow.redeemed_at.does_not_exist()
    used = CouponRow(_person(who), f"{_REDEEMED}{normalise_code(code)}", code=code, pool=taken.given.pool)
    return base.commit([base.Update(CouponRow(_code(code), _ONLY), marks, unused), base.Put(used), event])


def count_free(pool: str, now: Instant, *, most: int) -> int:
    """Return how many codes of a pool are free, and no more than *most*: what is beyond is not read."""
    found = 0
    for shard in range(base.SHARDS):
        left = most - found
        if left > 0:
            # not a Select COUNT: PynamoDB's goes on to the end of the shard, whatever the limit
            rows = _query(
                _free(pool, shard),
                None,
                filter_condition=_is_good(now),
                attributes_to_get=["item"],
                limit=left,
                page_size=left,
                consistent_read=False,
            )
            found += sum(1 for _ in rows)
    return found


def list_free(pool: str) -> dict[str, tuple[str, Instant]]:
    """Return all free codes of a pool with their own ends, by their normalised spelling, read consistently."""
    rows = (row for shard in range(base.SHARDS) for row in _query(_free(pool, shard), None, consistent_read=True))
    return {normalise_code(row.code): (row.code, _until(row)) for row in rows}


def find_taken(codes: Collection[str]) -> set[str]:
    """Return which of at most `AT_ONCE` codes were given to somebody, in their normalised spelling."""
    try:
        rows = CouponRow.batch_get([(_code(code), _ONLY) for code in codes], consistent_read=True)
        return {normalise_code(row.code) for row in rows}
    except GetError as error:
        raise TryAgain(f"coupons: {base.failed_with(error)}") from error


def put_free(pool: str, codes: Mapping[str, Instant]) -> None:
    """Make codes free, each with its own end; one that is free already stays so."""
    _write((_free_row(pool, code, until=until) for code, until in codes.items()), delete=False)


def delete_free(pool: str, codes: Iterable[str]) -> None:
    """Take codes out of the free ones."""
    _write((_free_row(pool, code) for code in codes), delete=True)


def name_place(given: Given) -> str:
    """Return the beginning of the sort keys of what a shopper was given for a step, or for all of them."""
    return f"*#{given.pool}#" if given.for_all else f"{given.journey}#{given.path}#{given.pool}#"


def _write(rows: Iterable[CouponRow], *, delete: bool) -> None:
    try:
        for some in batched(rows, AT_ONCE, strict=False):
            with CouponRow.batch_write() as batch:
                for row in some:
                    (batch.delete if delete else batch.save)(row)
    except PutError as error:
        raise TryAgain(f"coupons: {base.failed_with(error)}") from error


def _query(shelf: str, where: Condition | None, **options: Any) -> Iterator[CouponRow]:
    try:
        yield from CouponRow.query(shelf, where, **{"consistent_read": True} | options)
    except QueryError as error:
        raise TryAgain(f"coupons: {base.failed_with(error)}") from error


def _is_good(now: Instant) -> Condition:
    good: Condition = CouponRow.until.does_not_exist() | (CouponRow.until > now)
    return good


def _free(pool: str, shard: int) -> str:
    return f"free#{pool}#{shard}"


def _free_row(pool: str, code: str, *, until: Instant = NEVER) -> CouponRow:
    item = derive_id("coupon", normalise_code(code))
    shelf = _free(pool, base.shard_of(item))
    return CouponRow(shelf, item, code=code, pool=pool, until=None if until >= NEVER else until)


def _code(code: str) -> str:
    return f"code#{normalise_code(code)}"


def _person(who: str) -> str:
    return f"who#{who}"


def _until(row: CouponRow) -> Instant:
    return NEVER if row.until is None else int(row.until)


def _to_given(row: CouponRow) -> Given:
    return Given(
        who=row.who or "",
        pool=row.pool,
        code=row.code,
        journey=row.journey or "",
        path=row.path or "",
        round=int(row.round or 0),
        given_at=int(row.given_at or 0),
        until=_until(row),
    )


def _to_taken(row: CouponRow) -> Taken:
    return Taken(
        given=_to_given(row),
        redeemed_at=int(row.redeemed_at or 0),
        redeemed_by=row.redeemed_by or "",
        order=row.order or "",
    )
