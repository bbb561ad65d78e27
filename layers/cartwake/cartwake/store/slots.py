"""The slots table: the re-entry rule as a row."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, UpdateError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.reasons import NotEntered
from cartwake.runs import Run, Slot
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import HOUR, Instant


class SlotRow(Model):
    """The last entry of a profile into a journey."""

    class Meta(base.Meta):
        table_name = require("SLOTS_TABLE")

    who = UnicodeAttribute(hash_key=True)
    slot = UnicodeAttribute(range_key=True)
    run = UnicodeAttribute(null=True)
    active = BooleanAttribute(null=True)
    entered_at = NumberAttribute(null=True)
    refused = UnicodeAttribute(null=True)
    refused_at = NumberAttribute(null=True)


def get_slot(who: str, journey: str) -> Slot:
    """Return the slot of a profile for a journey, read consistently; a free one when there is no row."""
    try:
        return _to_slot(SlotRow.get(who, _key(journey), consistent_read=True))
    except SlotRow.DoesNotExist:
        return Slot(who=who, journey=journey)
    except GetError as error:
        raise TryAgain(f"slots: {base.failed_with(error)}") from error


def list_slots(who: str) -> list[Slot]:
    """Return all slots of one key."""
    return [_to_slot(row) for row in SlotRow.query(who)]


def take(slot: Slot, run: Run) -> base.Update:
    """Return the write that gives *slot* to *run*, if it is still as it was read."""
    actions = [SlotRow.run.set(run.id), SlotRow.active.set(True), SlotRow.entered_at.set(run.entered_at)]
    return base.Update(SlotRow(slot.who, _key(slot.journey)), actions, _unchanged(slot))


def demand_unchanged(slot: Slot) -> base.Check:
    """Return the demand that *slot* is still as it was read: of a profile that was merged into another."""
    return base.Check(SlotRow(slot.who, _key(slot.journey)), _unchanged(slot))


def release(run: Run) -> base.Update:
    """Return the write that frees the slot of a run that ends."""
    row = SlotRow(run.who, _key(run.journey))
    return base.Update(row, [SlotRow.active.set(False)], SlotRow.run == run.id)


def note_refusal(slot: Slot, why: NotEntered, at: Instant) -> None:
    """Keep the last reason for which a trigger did not start a run; the entry itself is left alone.

    The same reason within the hour is no news: somebody who fills a cart says it with every product.
    """
    if slot.refused is why and at - slot.refused_at < HOUR:
        return
    row = SlotRow(slot.who, _key(slot.journey))
    try:
        row.update(actions=[SlotRow.refused.set(why.value), SlotRow.refused_at.set(at)])
    except UpdateError as error:
        raise TryAgain(f"slots: {base.failed_with(error)}") from error


def _unchanged(slot: Slot) -> Any:
    if not slot.run:
        return SlotRow.run.does_not_exist()
    return (SlotRow.run == slot.run) & (SlotRow.active == slot.active)


def _key(journey: str) -> str:
    return f"{journey}#"


def _to_slot(row: SlotRow) -> Slot:
    return Slot(
        who=row.who,
        journey=row.slot.removesuffix("#"),
        run=row.run or "",
        active=bool(row.active),
        entered_at=int(row.entered_at) if row.entered_at is not None else None,
        refused=NotEntered(row.refused) if row.refused else None,
        refused_at=int(row.refused_at or 0),
    )
