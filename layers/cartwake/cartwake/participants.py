"""Participants: a shopper counts once in a test, when the time is over in which what they do is measured."""

from collections.abc import Iterable
from typing import Final

import msgspec

from cartwake.journeys import Split, Variant
from cartwake.messages import Message
from cartwake.profiles import Kind, Profile
from cartwake.runs import Drawn, Run
from cartwake.times import Instant
from cartwake.trackers import UNKNOWN
from cartwake.variants import GUARD

JUDGED: Final = "judged"
BEGAN: Final = "began_at"


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the participants table: a shopper whom chance has given a variant.

    Attributes:
        who: The run's own key.
        digest: Of the test's definition: of another one the shopper is a new participant.
        run: The run that came to the split first.
        orders: The tracker of what is an order.
        entered_at: When it came there.
        due_at: What happens from then on is not measured.
        judged_at: When it was counted; 0: not yet.
        outcome: What the shopper did until then; None: it could not be told, and nothing was counted.
    """

    who: str
    journey: str
    test: str
    digest: str
    variant: str
    run: str
    orders: str = ""
    entered_at: Instant
    due_at: Instant
    judged_at: Instant = 0
    outcome: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        """The sort key."""
        return name_participant(self.journey, self.test, self.digest)


def draw_lot(step: Split, variant: Variant) -> Drawn:
    """Return what a move notes of the variant that chance has given."""
    return Drawn(test=step.test, digest=step.digest, variant=variant.name, within_ms=step.within_ms, orders=step.orders)


def name_participant(journey: str, test: str, digest: str) -> str:
    """Return the sort key of a participant."""
    return f"{journey}#{test}#{digest}"


def name_counter(journey: str, test: str, digest: str, variant: str) -> str:
    """Return under what participants are counted: as messages are, with the test in the place of the step."""
    return f"{journey}#{test}#{digest}={variant}"


def enrol(run: Run, drawn: Drawn, now: Instant) -> Participant:
    """Return the participant that *run* makes of its shopper."""
    return Participant(
        who=run.who,
        journey=run.journey,
        test=drawn.test,
        digest=drawn.digest,
        variant=drawn.variant,
        run=run.id,
        orders=drawn.orders,
        entered_at=now,
        due_at=now + drawn.within_ms,
    )


def judge(participant: Participant, profile: Profile, messages: Iterable[Message], now: Instant) -> Participant:
    """Return the participant with what became of it, to be counted.

    Args:
        participant: Whose time is over.
        profile: As it is now.
        messages: All that were planned under the participant's key.
        now: The time.
    """
    return msgspec.structs.replace(participant, judged_at=now, outcome=_find_outcome(participant, profile, messages))


def count_outcome(participant: Participant) -> dict[str, int]:
    """Return what a judged participant adds to the counts: nothing where it could not be told what they did."""
    return {} if participant.outcome is None else dict.fromkeys((JUDGED, *participant.outcome), 1)


def _find_outcome(participant: Participant, profile: Profile, messages: Iterable[Message]) -> tuple[str, ...] | None:
    tracker = profile.state.trackers.get(participant.orders, UNKNOWN)
    if profile.kind is not Kind.PROFILE or tracker.complete_from > participant.entered_at:
        return None
    mark = f"{participant.test}={participant.variant}"
    own = [it for it in messages if it.journey == participant.journey and mark in it.variant.split("&")]
    found = [name for name in ("opened", "clicked") if any(_is_in(participant, it.happened.get(name)) for it in own)]
    if any(_is_in(participant, entry.at) for entry in tracker.entries):
        found.append("ordered")
    if any(not it.subscribed and _is_in(participant, it.at) for it in profile.state.consents.values()):
        found.append(GUARD)
    return tuple(found)


def _is_in(participant: Participant, at: Instant | None) -> bool:
    return at is not None and participant.entered_at <= at < participant.due_at
