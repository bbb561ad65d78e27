"""The counts table: what reports show, bumped in the transaction that first sets a message's timestamp."""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from cartwake.settings import require
from cartwake.store import base


class CountRow(Model):
    """Counts of one step and one shard on one day (UTC); of a budget, what was leased on one day of the shop."""

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
    leased = NumberAttribute(null=True)


def add(counter: str, day: str, amounts: Mapping[str, int]) -> base.Update:
    """Return the write that adds *amounts*, by the names of the columns."""
    actions: list[Any] = [getattr(CountRow, name).add(amount) for name, amount in amounts.items()]
    return base.Update(CountRow(counter, day), actions)
