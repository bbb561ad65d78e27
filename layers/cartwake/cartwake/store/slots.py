"""The slots table: the re-entry rule as a row."""

from typing import Any, Final

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError, UpdateError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.events import KEEP_MS
from cartwake.reasons import NotEntered
from cartwake.run_keys import MOST_ACTIVE
from cartwake.runs import Run, Slot
from cartwake.settings import require
from cartwake.store import base
from cartwake.times import HOUR, SECOND, Instant

KEEP_KEY_MS: Final = KEEP_MS
"""How long after its run has ended a key is known: as long as the event that named it."""


class SlotRow(Model):
    """The last entry of a profile into a journey: `<journey>#`, or of one key: `<journey>#<key>`.

    Of a journey with keys the row without one counts the runs that go on.
    """

    class Meta(base.Meta):
        table_name = require("SLOTS_TABLE")

    who = UnicodeAttribute(hash_key=True)
    slot = UnicodeAttribute(range_key=True)
    run = UnicodeAttribute(null=True)
    active = BooleanAttribute(null=True)
    entered_at = NumberAttribute(null=True)
    refused = UnicodeAttribute(null=True)
    refused_at = NumberAttribute(null=True)
    running = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


def get_slot(who: str, journey: str, about: str = "") -> Slot:
    """Return the slot of a profile for a journey and key, read consistently; a free one when there is no row."""
    try:
        return _to_slot(SlotRow.get(who, f"{journey}#{about}", consistent_read=True))
    except SlotRow.DoesNotExist:
        return Slot(who=who, journey=journey, about=about)
    except GetError as error:
        raise TryAgain(f"slots: {base.failed_with(error)}") from error


def look_around(slot: Slot) -> Slot:
    """Return the slot of a key with how many runs of the journey go on, and what was last refused of all keys."""
    whole = get_slot(slot.who, slot.journey)
    said = slot if slot.run else whole
    return msgspec.structs.replace(slot, running=whole.running, refused=said.refused, refused_at=said.refused_at)


def list_slots(who: str) -> list[Slot]:
    """Return all slots of one key."""
    return [_to_slot(row) for row in SlotRow.query(who)]


def take(slot: Slot, run: Run) -> list[base.Update]:
    """Return the writes that give *slot* to *run*, if it is still as it was read."""
    actions: list[Any] = [SlotRow.run.set(run.id), SlotRow.active.set(True), SlotRow.entered_at.set(run.entered_at)]
    if not run.about:
        return [base.Update(_row(slot.who, run), actions, _unchanged(slot))]
    room = SlotRow.running.does_not_exist() | (SlotRow.running < MOST_ACTIVE)
    return [
        base.Update(_row(slot.who, run), [*actions, SlotRow.expires_at.remove()], _unchanged(slot)),
        base.Update(SlotRow(slot.who, f"{run.journey}#"), [SlotRow.running.add(1)], room),
    ]


def demand_unchanged(slot: Slot) -> base.Check:
    """Return the demand that *slot* is still as it was read: of a profile that was merged into another."""
    return base.Check(_row(slot.who, slot), _unchanged(slot))


def release(ended: Run) -> list[base.Update]:
    """Return the writes that free the slot of a run that ends."""
    mine = SlotRow.run == ended.id
    if not ended.about:
        return [base.Update(_row(ended.who, ended), [SlotRow.active.set(False)], mine)]
    until = (ended.ended_at + KEEP_KEY_MS) // SECOND
    return [
        base.Update(_row(ended.who, ended), [SlotRow.active.set(False), SlotRow.expires_at.set(until)], mine),
        base.Update(SlotRow(ended.who, f"{ended.journey}#"), [SlotRow.running.add(-1)]),
    ]


def note_refusal(slot: Slot, why: NotEntered, at: Instant) -> None:
    """Keep the last reason for which a trigger did not start a run; the entry itself is left alone.

    The same reason within the hour is no news: somebody who fills a cart says it with every product. A key that never
    started a run gets no row of its own.
    """
    if slot.refused is why and at - slot.refused_at < HOUR:
        return
    row = SlotRow(slot.who, f"{slot.journey}#{slot.about if slot.run else ''}")
    try:
        row.update(actions=[SlotRow.refused.set(why.value), SlotRow.refused_at.set(at)])
    except UpdateError as error:
        raise TryAgain(f"slots: {base.failed_with(error)}") from error


def _unchanged(slot: Slot) -> Any:
    if not slot.run:
        return SlotRow.run.does_not_exist()
    return (SlotRow.run == slot.run) & (SlotRow.active == slot.active)


def _row(who: str, named: Slot | Run) -> SlotRow:
    return SlotRow(who, f"{named.journey}#{named.about}")


def _to_slot(row: SlotRow) -> Slot:
    journey, _, about = row.slot.partition("#")
    return Slot(
        who=row.who,
        journey=journey,
        about=about,
        run=row.run or "",
        active=bool(row.active),
        entered_at=int(row.entered_at) if row.entered_at is not None else None,
        refused=NotEntered(row.refused) if row.refused else None,
        refused_at=int(row.refused_at or 0),
        running=int(row.running or 0),
    )
