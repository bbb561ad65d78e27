"""Runs: one shopper's way through one journey, what may move it, and what ends it."""

import msgspec

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Answer, Did, Start
from cartwake.events import Event, derive_id, own_event
from cartwake.journeys import Call, Give, Journey, Send, Step, Tell, Trigger
from cartwake.paths import FIRST_STEP
from cartwake.reasons import EndReason, NotEntered, Skip
from cartwake.run_keys import read_key, stand_for
from cartwake.segments import View, check
from cartwake.times import Instant


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the runs table.

    Attributes:
        who: Key of the profile as it was at the start; it may have become a pointer since.
        id: A function of journey, profile and trigger, so that a doubled trigger collides.
        about: The key of a journey that has one, as its slot is named; "".
        path: Position in the steps, for example `3.then.0`.
        seq: Raised by every move: a step is a compare-and-advance on it.
        due_at: When the next move is due.
        wait_from: When the wait at `path` began; 0 when it is not a wait, or not begun.
        quiet_from: When the message at `path` was due that sending hours hold; 0 when they hold none.
        entered_at: Receipt of the triggering event.
        start: The triggering event's own time and short id, for "since: start".
        bundle: Hash of the bundle whose steps this run follows.
        held: The journey is paused: the run waits outside the due index.
        watching: What happens to the shopper can move it before it is due.
        variants: By test, the variant that it goes.
        told_at: The time of the last event by which a step told something of the shopper.
        ended: Why it ended, or None.
        ended_by: The event or segment that ended it.
    """

    who: str
    journey: str
    id: str
    about: str = ""
    path: str = FIRST_STEP
    seq: int = 0
    due_at: Instant
    wait_from: Instant = 0
    quiet_from: Instant = 0
    entered_at: Instant
    start: Start
    trigger: Event | None = None
    bundle: str
    held: bool = False
    watching: bool = False
    variants: dict[str, str] = {}
    told_at: Instant = 0
    ended: EndReason | None = None
    ended_at: Instant = 0
    ended_by: str = ""

    @property
    def key(self) -> str:
        """The sort key: `<journey>#<run id>`."""
        return f"{self.journey}#{self.id}"


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """The re-entry rule as a row: the last entry of a profile into a journey, of each key by itself.

    Attributes:
        about: The key; "" where the journey has none, and for what concerns all of them.
        run: Id of the last run.
        active: Whether that run still goes on.
        entered_at: When it started; None when there never was one.
        refused: The last reason for which a trigger did not start a run, with its time, for `explain`.
        running: How many runs of the journey go on, where they have keys.
    """

    who: str
    journey: str
    about: str = ""
    run: str = ""
    active: bool = False
    entered_at: Instant | None = None
    refused: NotEntered | None = None
    refused_at: Instant = 0
    running: int = 0


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a move plans, or the reason for which it will not be sent.

    Attributes:
        due_at: When it was due: what had it wait since makes it no fresher.
        variant: As counts and reports name the variants that led here, for example `subject=a`.
    """

    path: str
    step: Send | Call
    due_at: Instant
    skip: Skip | None = None
    variant: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a move says of the shopper: an event that is written in the same transaction."""

    path: str
    step: Tell


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A variant that chance has given in a move: from here on it is measured what the shopper does."""

    test: str
    digest: str
    variant: str
    within_ms: int
    orders: str = ""


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """Go to `path` and come back at `due_at`; what is planned and told is one transaction with it."""

    path: str
    due_at: Instant
    wait_from: Instant = 0
    quiet_from: Instant = 0
    watching: bool = False
    variants: dict[str, str] = {}
    planned: Planned | None = None
    told: tuple[Told, ...] = ()
    drawn: tuple[Drawn, ...] = ()


class Replan(msgspec.Struct, frozen=True, kw_only=True):
    """Stay, and come back later: woken too early, an activity began the wait anew, or the hours are quiet.

    Attributes:
        quiet_from: As the run's, where the hours hold it; 0: as it was.
    """

    due_at: Instant
    quiet_from: Instant = 0


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Stay, outside the due index, until the journey goes on."""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The run is over; a last message may still be planned with it, and something be told.

    Attributes:
        variants: None: as they were.
    """

    reason: EndReason
    by: str = ""
    variants: dict[str, str] | None = None
    planned: Planned | None = None
    told: tuple[Told, ...] = ()
    drawn: tuple[Drawn, ...] = ()


class TakeCode(msgspec.Struct, frozen=True, kw_only=True):
    """Give a code first, which is the same whoever does it and however often; where the run goes then depends on it."""

    path: str
    step: Give
    due_at: Instant


class Rules(msgspec.Struct, frozen=True):
    """What a run goes by: the steps and waits of the bundle it started with; all else is live."""

    own: Bundle
    live: Bundle


type Move = Advance | Replan | Hold | End


def follow(run: Run, move: Advance) -> Run:
    """Return the run where *move* leads it; who saves it raises its `seq`."""
    return msgspec.structs.replace(
        run,
        path=move.path,
        due_at=move.due_at,
        wait_from=move.wait_from,
        quiet_from=move.quiet_from,
        watching=move.watching,
        variants=move.variants,
        held=False,
    )


def tell(run: Run, move: Move, now: Instant) -> list[Event]:
    """Return what *move* tells, as events: the id of each is a function of run and step, so that doubles collide.

    Of what is told at once the later step counts: no two of a run's have the same time.
    """
    told = move.told if isinstance(move, Advance | End) else ()
    return [_to_event(run, each, max(now, run.told_at + 1) + place) for place, each in enumerate(told)]


def _to_event(run: Run, told: Told, at: Instant) -> Event:
    event = own_event(
        run.who,
        told.step.event,
        id=derive_id("step", run.who, run.key, told.path),
        at=at,
        properties=told.step.properties | {"journey": run.journey},
    )
    return msgspec.structs.replace(event, traits=told.step.traits)


def refuse_filter(journey: Journey, view: View) -> bool | None:
    """Say whether the journey's filter refuses the profile: False lets it pass, None is unknown."""
    if journey.filter is None:
        return False
    answer = check(journey.filter, view).answer
    return None if answer is Answer.UNKNOWN else answer is Answer.FAILS


def admits(step: Step, view: View) -> bool:
    """Say whether a step's own condition holds, where it has one."""
    return step.only_if is None or check(step.only_if, view).answer is Answer.HOLDS


def see_from(run: Run, journey: Journey, view: View) -> View:
    """Return *view* as it is seen from within *run*: since its start, with the key that *journey* would give it.

    The key is read anew: rules may have come to tell runs apart by something else since this one began.
    """
    key = read_key(run.trigger.properties, journey.key) if run.trigger is not None else ""
    start = msgspec.structs.replace(run.start, key=stand_for(key))
    return msgspec.structs.replace(view, start=start)


def find_exit(journey: Journey, run: Run, view: View) -> str | None:
    """Return the name of what has ended *run* since it started, or None: read from the state, not from signals."""
    view = see_from(run, journey, view)
    for trigger in journey.exits:
        if _has_exited(trigger, run, view):
            return trigger.event or trigger.entered or trigger.left
    return None


def _has_exited(trigger: Trigger, run: Run, view: View) -> bool:
    if trigger.event:
        happened = Did(tracker=trigger.tracker, since_start=True, keyed=True)
        return check(happened, view).answer is Answer.HOLDS
    membership = view.state.memberships.get(trigger.entered or trigger.left)
    if membership is None:
        return False
    return (membership.entered_at if trigger.entered else membership.left_at) > run.entered_at
