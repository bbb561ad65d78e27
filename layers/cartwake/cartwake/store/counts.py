"""The counts table: what reports show, bumped in the transaction that makes it true."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import QueryError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.participants import BEGAN
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import NEVER, Instant

ADDED_UP: Final = ("accepted", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed")
"""What happens to messages; the other columns are no such counts."""


class CountRow(Model):
    """Counts of one shard on one day (UTC): of the messages of a step, or of a variant's participants.

    Of a budget, what was leased on one day of the shop.
    """

    class Meta(base.Meta):
        table_name = require("COUNTS_TABLE")

    counter = UnicodeAttribute(hash_key=True)
    day = UnicodeAttribute(range_key=True)
    accepted = NumberAttribute(null=True)
    delivered = NumberAttribute(null=True)
    opened = NumberAttribute(null=True)
    clicked = NumberAttribute(null=True)
    bounced = NumberAttribute(null=True)
    complained = NumberAttribute(null=True)
    unsubscribed = NumberAttribute(null=True)
    ordered = NumberAttribute(null=True)
    judged = NumberAttribute(null=True)
    began_at = NumberAttribute(null=True)
    leased = NumberAttribute(null=True)


def add_up_messages(counters: Iterable[str]) -> dict[str, int]:
    """Return what has happened to the messages under all of *counters*, by the names of the columns."""
    found = dict.fromkeys(ADDED_UP, 0)
    for counted in map(add_up, counters):
        found = {name: number + counted.get(name, 0) for name, number in found.items()}
    return found


def add(counter: str, day: str, amounts: Mapping[str, int], *, began_at: Instant = 0) -> base.Update:
    """Return the write that adds *amounts*, by the names of the columns; the first one of a row says when it began."""
    actions: list[Any] = [getattr(CountRow, name).add(amount) for name, amount in amounts.items()]
    if began_at:
        actions.append(CountRow.began_at.set(CountRow.began_at | began_at))
    return base.Update(CountRow(counter, day), actions)


def add_up(counter: str) -> dict[str, int]:
    """Return what was counted of all days and shards, by the names of the columns, and when that began."""
    found: dict[str, int] = {}
    try:
        for shard in range(base.SHARDS):
            for row in CountRow.query(f"{counter}#{shard}"):
                for name in _COLUMNS:
                    if (number := getattr(row, name)) is not None:
                        found[name] = found.get(name, 0) + int(number)
                if row.began_at is not None:
                    found[BEGAN] = min(found.get(BEGAN, NEVER), int(row.began_at))
    except QueryError as error:
        raise TryAgain(f"counts: {base.failed_with(error)}") from error
    return found


_COLUMNS: Final = tuple(name for name in CountRow.get_attributes() if name not in ("counter", "day", BEGAN))
