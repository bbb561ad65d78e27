"""The bundles table: one row, the pointer to the bundle that is live."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base

_LIVE: Final = "live"


class BundleRow(Model):
    """The pointer."""

    class Meta(base.Meta):
        table_name = require("BUNDLES_TABLE")

    name = UnicodeAttribute(hash_key=True)
    hash = UnicodeAttribute()
    generation = NumberAttribute()


@dataclass(frozen=True, slots=True)
class Live:
    """The bundle that is live, and its generation."""

    hash: str
    generation: int


def get_live() -> Live | None:
    """Return what is live, read consistently; None when nothing was ever published."""
    try:
        row = BundleRow.get(_LIVE, consistent_read=True)
    except BundleRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"bundles: {base.failed_with(error)}") from error
    return Live(row.hash, int(row.generation))


def put_live(live: Live, *, replaces: int, also: Sequence[base.Action] = ()) -> bool:
    """Make *live* the pointer if generation *replaces* is still the live one (0: none yet).

    Args:
        live: The new pointer.
        replaces: Which generation it follows.
        also: Writes that are done with it, or not at all.
    """
    condition = BundleRow.name.does_not_exist() if replaces == 0 else BundleRow.generation == replaces
    pointer = base.Put(BundleRow(_LIVE, hash=live.hash, generation=live.generation), condition)
    return base.commit([pointer, *also])
