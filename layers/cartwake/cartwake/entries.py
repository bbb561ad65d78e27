"""Entries: which signals start or end a run, and why one that fits a trigger may still start none."""

from typing import Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Start
from cartwake.events import JOURNEY_ENROLLED, Event, Trust, derive_id
from cartwake.journeys import Journey, Trigger
from cartwake.knowledge import find_zone
from cartwake.moments import Moment, find_moment
from cartwake.moves import decide
from cartwake.profiles import Kind, Profile
from cartwake.reasons import NotEntered
from cartwake.run_keys import MOST_ACTIVE, read_key
from cartwake.runs import Advance, Rules, Run, Slot, follow, refuse_filter
from cartwake.segments import Signal, SignalKind, View, read_trait
from cartwake.statements import POINTS_GIVEN, TAG_ADDED, TAG_REMOVED, TRAITS_SET
from cartwake.sums import SETTLED_AFTER_MS
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
        case SignalKind.TOUCHED | SignalKind.JOINED:
            return False


def propose(profile: Profile, journey: str, occasion: Occasion) -> Run:
    """Return the run that the signal would start.

    It stands in its first wait already, if that is what the journey begins with: one write less, and one call less.
    Its id is a function of journey and signal, so a doubled signal proposes the same run.
    """
    signal, cause = occasion.signal, occasion.cause
    happened = signal.kind is SignalKind.HAPPENED and cause is not None
    run = Run(
        who=profile.who,
        journey=journey,
        about=read_key(cause.properties, occasion.rules.journeys[journey].key) if cause else "",
        id=name_run(profile, profile.who, journey=journey, occasion=occasion),
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


def name_run(profile: Profile, who: str, *, journey: str, occasion: Occasion) -> str:
    """Return the id of the run that the signal would start, or has started, under a key of the shopper.

    A date starts one run, whenever it comes: who moves to another timezone on that day sees it come once more.
    """
    signal = occasion.signal
    if signal.name in occasion.rules.dates:
        moment = _find_moment(profile, occasion)
        return derive_id("run", journey, who, f"{signal.name}#{moment.name if moment else signal.at}")
    happened = signal.kind is SignalKind.HAPPENED and occasion.cause is not None
    reason = signal.source if happened else f"{signal.kind}#{signal.name}#{signal.at}"
    return derive_id("run", journey, signal.source_who or who, reason)


def _find_moment(profile: Profile, occasion: Occasion) -> Moment | None:
    when, state = occasion.rules.dates[occasion.signal.name].when, profile.state
    zone = find_zone(state, occasion.rules.settings.timezone)
    return find_moment(when, read_trait(state, when.trait), occasion.signal.at, zone)


def refuse(run: Run, profile: Profile, slots: list[Slot], occasion: Occasion) -> NotEntered | None:
    """Return why *run* may not start, or None.

    Args:
        run: As proposed.
        profile: Fresh.
        slots: Those of the profile, which comes first, and of every profile merged into it.
        occasion: What it is judged by.
    """
    if profile.kind is not Kind.PROFILE:
        return NotEntered.ERASED
    journey = occasion.rules.journeys[run.journey]
    if any(slot.run == run.id for slot in slots):
        return NotEntered.SAME_RUN
    unfit = _refuse_trigger(journey, run, profile, occasion)
    if unfit is not None:
        return unfit
    refused = _refuse_again(journey, slots, run)
    if refused is not None:
        return refused
    now = max(occasion.now, run.entered_at, profile.state.evaluated_at)
    view = View(profile.state, occasion.rules, now, run.start)
    return _FILTERED[refuse_filter(journey, view)]


def _refuse_trigger(journey: Journey, run: Run, profile: Profile, occasion: Occasion) -> NotEntered | None:
    """Return why what happened is not good enough to start a run, or None."""
    if _is_old(journey, occasion):
        return NotEntered.TOO_OLD
    if _is_hearsay(journey, run.trigger):
        return NotEntered.HEARSAY
    if journey.key and not run.about:
        return NotEntered.NO_KEY
    if occasion.signal.name in occasion.rules.dates and _find_moment(profile, occasion) is None:
        return NotEntered.DATE_MOVED
    return None


def _is_old(journey: Journey, occasion: Occasion) -> bool:
    """Say whether an event is told of that the journey was not there for, or that nothing delivers so late by itself.

    Who derives a shopper's events again by hand tells of all that are stored.
    """
    signal = occasion.signal
    if signal.kind is not SignalKind.HAPPENED:
        return False
    return signal.at < journey.since or signal.at <= occasion.now - SETTLED_AFTER_MS


def _is_hearsay(journey: Journey, told: Event | None) -> bool:
    """Say whether it takes a server's word to start a run, and this is none.

    Neither consent nor a cap stands between what is transactional and a mailbox. Where time alone starts a run, a
    browser may have said the date or the trait that made it come.
    """
    if journey.kind == "transactional":
        return told is None or told.trust is Trust.BROWSER
    return told is not None and told.trust is Trust.BROWSER and told.name == JOURNEY_ENROLLED


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
    crowded = run.about and slots[0].running >= MOST_ACTIVE
    return NotEntered.TOO_MANY_RUNS if crowded else None


def _is_told_by_journey(event: Event | None) -> bool:
    return event is not None and event.trust is Trust.OWN and "journey" in event.properties and event.name in TOLD


_FILTERED: Final = {False: None, True: NotEntered.FILTER, None: NotEntered.FILTER_UNKNOWN}
