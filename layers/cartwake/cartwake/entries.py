"""Entries: which signals start or end a run, and why one that fits a trigger may still start none."""

from typing import Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Start
from cartwake.events import Event, Trust, derive_id
from cartwake.journeys import Journey, Trigger
from cartwake.moves import decide
from cartwake.profiles import Kind, Profile
from cartwake.reasons import NotEntered
from cartwake.runs import Advance, Rules, Run, Slot, follow, refuse_filter
from cartwake.segments import Signal, SignalKind, View
from cartwake.statements import POINTS_GIVEN, TAG_ADDED, TAG_REMOVED, TRAITS_SET
from cartwake.times import HOUR, Instant

LEAST_APART_MS: Final = HOUR
"""What journeys say starts a journey again so often at most: else two could start each other for ever."""
TOLD: Final = frozenset({TRAITS_SET, TAG_ADDED, TAG_REMOVED, POINTS_GIVEN})


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """A signal, and everything that it is judged by.

    Attributes:
        cause: The event behind the signal; a membership that time changed has none.
        rules: The live ones.
        bundle: Their name, which a run keeps.
    """

    signal: Signal
    cause: Event | None
    rules: Bundle
    bundle: str
    now: Instant


def fits(trigger: Trigger, occasion: Occasion) -> bool:
    """Say whether the signal is one that *trigger* waits for; its own tests look at the triggering event, once."""
    signal, cause = occasion.signal, occasion.cause
    match signal.kind:
        case SignalKind.HAPPENED:
            return trigger.event == signal.name and cause is not None and trigger.fits(cause)
        case SignalKind.ENTERED:
            return trigger.entered == signal.name
        case SignalKind.LEFT:
            return trigger.left == signal.name
        case SignalKind.TOUCHED:
            return False


def propose(profile: Profile, journey: str, occasion: Occasion) -> Run:
    """Return the run that the signal would start.

    It stands in its first wait already, if that is what the journey begins with: one write less, and one call less.
    Its id is a function of journey and signal, so a doubled signal proposes the same run.
    """
    signal, cause = occasion.signal, occasion.cause
    happened = signal.kind is SignalKind.HAPPENED and cause is not None
    reason = signal.source if happened else f"{signal.kind}#{signal.name}#{signal.at}"
    run = Run(
        who=profile.who,
        journey=journey,
        id=derive_id("run", journey, signal.source_who or profile.who, reason),
        due_at=signal.at,
        entered_at=signal.at,
        start=Start(cause.occurred_at if happened else signal.at, cause.short_id) if cause else Start(signal.at),
        trigger=cause,
        bundle=occasion.bundle,
    )
    first = decide(run, profile, Rules(occasion.rules, occasion.rules), occasion.now)
    if not isinstance(first, Advance) or first.planned is not None or first.told or first.drawn:
        return run  # what a move brings with it is one transaction with it
    return follow(run, first)


def refuse(run: Run, profile: Profile, slots: list[Slot], occasion: Occasion) -> NotEntered | None:
    """Return why *run* may not start, or None.

    Args:
        run: As proposed.
        profile: Fresh.
        slots: Those of the profile and of every profile merged into it.
        occasion: What it is judged by.
    """
    if profile.kind is not Kind.PROFILE:
        return NotEntered.ERASED
    journey = occasion.rules.journeys[run.journey]
    if any(slot.run == run.id for slot in slots):
        return NotEntered.SAME_RUN
    if journey.kind == "transactional" and run.trigger is not None and run.trigger.trust is Trust.BROWSER:
        return NotEntered.HEARSAY  # neither consent nor a cap would stand between a public key and a mailbox
    refused = _refuse_again(journey, slots, run)
    if refused is not None:
        return refused
    now = max(occasion.now, run.entered_at, profile.state.evaluated_at)
    view = View(profile.state, occasion.rules, now, run.start)
    return _FILTERED[refuse_filter(journey, view)]


def _refuse_again(journey: Journey, slots: list[Slot], run: Run) -> NotEntered | None:
    if journey.status != "live":
        return NotEntered.PAUSED
    if any(slot.active for slot in slots):
        return NotEntered.ALREADY_ACTIVE
    entries = [slot.entered_at for slot in slots if slot.entered_at is not None]
    again_ms = journey.again_ms
    if again_ms is not None and _is_told_by_journey(run.trigger):
        again_ms = max(again_ms, LEAST_APART_MS)
    if entries and (again_ms is None or max(entries) + again_ms > run.entered_at):
        return NotEntered.ENTERED_BEFORE
    return None


def _is_told_by_journey(event: Event | None) -> bool:
    return event is not None and event.trust is Trust.OWN and "journey" in event.properties and event.name in TOLD


_FILTERED: Final = {False: None, True: NotEntered.FILTER, None: NotEntered.FILTER_UNKNOWN}
