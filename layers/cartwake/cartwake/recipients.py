"""Recipients: who is meant by an enrolment, when each begins, and why somebody is left out after all."""

from typing import Final

from msgspec.structs import replace

from cartwake.bundles import Bundle
from cartwake.conditions.evaluate import draw
from cartwake.conditions.kinds import Start
from cartwake.enrolments import Part
from cartwake.entries import Occasion, refuse
from cartwake.events import derive_id
from cartwake.journeys import UntilDate
from cartwake.placement import place
from cartwake.profiles import Membership, Profile
from cartwake.reasons import NotEntered
from cartwake.runs import Rules, Run, Slot
from cartwake.segments import Signal, SignalKind, View, adopt, advance, is_member
from cartwake.times import HOUR, Instant
from cartwake.values import MICROS
from cartwake.waits import end_at_date

SPREAD_EXISTING_MS: Final = HOUR
"""Those who were members already begin, or go on, spread over this time."""


def find_membership(profile: Profile, part: Part, rules: Bundle) -> Membership | None:
    """Return the membership by which somebody is meant: they had it as the enrolment began; None: they are not meant.

    What has expired until then is stepped through first. Who has left since is meant, and who has entered since is
    not; of who left and came back it is not known when they first came in, and they are meant. If the segment itself
    has meanwhile been given another meaning, that counts, as of now.

    Args:
        profile: As stored: nothing that is found out about it is kept.
        part: Of the enrolment.
        rules: The live ones.
    """
    segment, at = rules.segments.get(part.aim.segment), part.began_at
    if segment is None:
        return None
    profile, _ = advance(adopt(profile, rules, at), rules, at)
    membership = profile.state.memberships.get(part.aim.segment)
    if membership is None:
        return None
    redefined = segment.changed_generation > part.generation
    meant = is_member(membership) if redefined else was_member(membership, at)
    return membership if meant else None


def was_member(membership: Membership, at: Instant) -> bool:
    """Say whether somebody was a member at an instant after which little has happened."""
    if is_member(membership) and membership.since <= at:
        return True
    entered_before = is_member(membership) or 0 < membership.entered_at <= at
    return entered_before and membership.left_at > at


def propose(profile: Profile, membership: Membership, part: Part, rules: Rules) -> Run | None:
    """Return the run of somebody who is meant; None where, as it is placed, nothing is ahead of them.

    Its id is a function of journey and shopper: whoever looks at them again proposes the same one.
    """
    aim, at = part.aim, part.began_at
    spread_ms = aim.spread_ms if aim.is_campaign else SPREAD_EXISTING_MS
    apart = draw(profile.state.lot, f"enrolled {part.journey}") * spread_ms // MICROS
    run = Run(
        who=profile.who,
        journey=part.journey,
        id=derive_id("run", part.journey, profile.who, "enrolled"),
        due_at=part.next_at + apart,
        entered_at=at,
        start=Start(at),
        bundle=part.bundle,
    )
    view = View(profile.state, rules.live, max(at, profile.state.evaluated_at))
    if aim.placed:
        placed = place(run, membership.entered_at or at, rules, view)
        return placed and replace(placed, due_at=max(placed.due_at + apart, run.due_at))
    return replace(run, due_at=run.due_at + _find_ahead(part, view)) if aim.date else run


def may_enter(run: Run, profile: Profile, slots: list[Slot], occasion: Occasion) -> NotEntered | None:
    """Return why somebody is left out, or None: above all, who was ever on the journey is.

    Args:
        run: As proposed.
        profile: Fresh.
        slots: Those of the profile and of every profile merged into it.
        occasion: What it is judged by.
    """
    if any(slot.run == run.id for slot in slots):
        return NotEntered.SAME_RUN
    if any(slot.entered_at is not None for slot in slots):
        return NotEntered.ENTERED_BEFORE
    return refuse(run, profile, slots, occasion)


def show_occasion(part: Part, rules: Bundle, now: Instant) -> Occasion:
    """Return what a run that begins with an enrolment is judged by: as if its segment had been entered."""
    signal = Signal(SignalKind.ENTERED, part.aim.segment, part.began_at)
    return Occasion(signal=signal, cause=None, rules=rules, bundle=part.bundle, now=now)


def _find_ahead(part: Part, view: View) -> int:
    """Return how long after the beginning a shopper's own clock shows the time; 0 where it already has."""
    local = end_at_date(UntilDate(date=part.aim.date), part.began_at, view)
    return 0 if local is None else local - part.began_at
