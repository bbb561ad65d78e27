"""Runs: one shopper's way through one journey, and the decision about the next step of it."""

from typing import Final, assert_never

import msgspec

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Answer, Did, Start
from cartwake.events import Event
from cartwake.hours import quiet_until
from cartwake.journeys import Branch, Journey, Send, Step, Trigger, Wait
from cartwake.profiles import Kind, Profile, State
from cartwake.reasons import EndReason, NotEntered, Skip
from cartwake.segments import View, check
from cartwake.times import Instant

FIRST_STEP: Final = "0"
MOST_STEPS_AT_ONCE: Final = 100


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the runs table.

    Attributes:
        who: Key of the profile as it was at the start; it may have become a pointer since.
        id: A function of journey, profile and trigger, so that a doubled trigger collides.
        path: Position in the steps, for example `3.then.0`.
        seq: Raised by every move: a step is a compare-and-advance on it.
        due_at: When the next move is due.
        wait_from: When the wait at `path` began; 0 when it is not a wait, or not begun.
        entered_at: Receipt of the triggering event.
        start: The triggering event's own time and short id, for "since: start".
        bundle: Hash of the bundle whose steps this run follows.
        held: The journey is paused: the run waits outside the due index.
        ended: Why it ended, or None.
        ended_by: The event or segment that ended it.
    """

    who: str
    journey: str
    id: str
    path: str = FIRST_STEP
    seq: int = 0
    due_at: Instant
    wait_from: Instant = 0
    entered_at: Instant
    start: Start
    trigger: Event | None = None
    bundle: str
    held: bool = False
    ended: EndReason | None = None
    ended_at: Instant = 0
    ended_by: str = ""

    @property
    def key(self) -> str:
        """The sort key: `<journey>#<run id>`."""
        return f"{self.journey}#{self.id}"


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """The re-entry rule as a row: the last entry of a profile into a journey.

    Attributes:
        run: Id of the last run.
        active: Whether that run still goes on.
        entered_at: When it started; None when there never was one.
        refused: The last reason for which a trigger did not start a run, with its time, for `explain`.
    """

    who: str
    journey: str
    run: str = ""
    active: bool = False
    entered_at: Instant | None = None
    refused: NotEntered | None = None
    refused_at: Instant = 0


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a move plans, or the reason for which it will not be sent."""

    path: str
    step: Send
    skip: Skip | None = None


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """Go to `path` and come back at `due_at`; plan the message in the same transaction."""

    path: str
    due_at: Instant
    wait_from: Instant = 0
    planned: Planned | None = None


class Replan(msgspec.Struct, frozen=True, kw_only=True):
    """Stay, and come back later: woken too early, an activity began the wait anew, or the hours are quiet."""

    due_at: Instant


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Stay, outside the due index, until the journey goes on."""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The run is over; a last message may still be planned with it."""

    reason: EndReason
    by: str = ""
    planned: Planned | None = None


class Rules(msgspec.Struct, frozen=True):
    """What a run goes by: the steps and waits of the bundle it started with; all else is live."""

    own: Bundle
    live: Bundle


type Move = Advance | Replan | Hold | End


def refuse_filter(journey: Journey, view: View) -> bool | None:
    """Say whether the journey's filter refuses the profile: False lets it pass, None is unknown."""
    if journey.filter is None:
        return False
    answer = check(journey.filter, view).answer
    return None if answer is Answer.UNKNOWN else answer is Answer.FAILS


def find_exit(journey: Journey, run: Run, view: View) -> str | None:
    """Return the name of what has ended *run* since it started, or None: read from the state, not from signals."""
    for trigger in journey.exits:
        if _has_exited(trigger, run, view):
            return trigger.event or trigger.entered or trigger.left
    return None


def decide(run: Run, profile: Profile, rules: Rules, now: Instant) -> Move:
    """Return the next move of *run*.

    Args:
        run: As stored.
        profile: Fresh, and never a pointer.
        rules: Those the run started with, and the live ones.
        now: The time.
    """
    if profile.kind is not Kind.PROFILE:
        return End(reason=EndReason.ERASED)
    # what was received after this function looked at its clock is in the state, and counts
    view = View(profile.state, rules.live, max(now, profile.state.evaluated_at), run.start)
    journey = rules.live.journeys.get(run.journey)
    if journey is None or journey.status == "archived":
        return End(reason=EndReason.ARCHIVED)
    exited_by = find_exit(journey, run, view)
    if exited_by is not None:
        return End(reason=EndReason.EXITED, by=exited_by)
    if journey.status != "live":
        return Hold()
    if run.journey not in rules.own.journeys:
        return End(reason=EndReason.STEP_GONE)
    if now < run.due_at:
        return Replan(due_at=run.due_at)
    return _walk(run, rules.own.journeys[run.journey].steps, view)


def find_step(steps: tuple[Step, ...], path: str) -> Step | None:
    """Return the step at *path*, or None past the end."""
    index, _, rest = path.partition(".")
    if int(index) >= len(steps):
        return None
    step = steps[int(index)]
    if not rest:
        return step
    side, _, below = rest.partition(".")
    return find_step(_side(step, side), below)


def _walk(run: Run, steps: tuple[Step, ...], view: View) -> Move:
    """Follow the steps until one takes time, a second message comes, or the end is there."""
    journey, now = view.rules.journeys[run.journey], view.now
    path, planned, wait_from = run.path, None, run.wait_from
    for _ in range(MOST_STEPS_AT_ONCE):
        step = find_step(steps, path)
        match step:
            case None:
                return End(reason=EndReason.COMPLETED, planned=planned)
            case Wait():
                began = wait_from or (run.entered_at if run.seq == 0 and path == FIRST_STEP else now)
                due_at = _end_of_wait(step, began, view.state)
                if due_at > now:
                    return Advance(path=path, due_at=due_at, wait_from=began, planned=planned)
                path = _next_path(steps, path)
            case Branch():
                verdict = check(step.condition, view)
                side = "then" if verdict.answer is Answer.HOLDS else "else"
                path = f"{path}.{side}.0" if _side(step, side) else _next_path(steps, path)
            case Send():
                if planned is not None:
                    return Advance(path=path, due_at=now, planned=planned)
                quiet = quiet_until(step.channel, view)
                if quiet is not None:
                    return Replan(due_at=quiet) if path == run.path else Advance(path=path, due_at=quiet)
                planned = _plan(path, step, journey, view)
                path = _next_path(steps, path)
            case _:
                assert_never(step)
        wait_from = 0
    return Advance(path=path, due_at=now, planned=planned)


def _plan(path: str, step: Send, journey: Journey, view: View) -> Planned:
    refused = refuse_filter(journey, view)
    skip = {False: None, True: Skip.FILTER, None: Skip.FILTER_UNKNOWN}[refused]
    return Planned(path=path, step=step, skip=skip)


def _end_of_wait(wait: Wait, began: Instant, state: State) -> Instant:
    """Return when a wait ends: each named activity since it began starts it anew, up to its maximum."""
    if not wait.of_quiet:
        return began + wait.for_ms
    activities = [
        tracker.entries[-1].at for key in wait.of_quiet if (tracker := state.trackers.get(key)) and tracker.entries
    ]
    quiet = max([began, *activities]) + wait.for_ms
    return min(quiet, began + wait.at_most_ms) if wait.at_most_ms else quiet


def _has_exited(trigger: Trigger, run: Run, view: View) -> bool:
    if trigger.event:
        happened = Did(tracker=trigger.tracker, since_start=True)
        return check(happened, view).answer is Answer.HOLDS
    membership = view.state.memberships.get(trigger.entered or trigger.left)
    if membership is None:
        return False
    return (membership.entered_at if trigger.entered else membership.left_at) > run.entered_at


def _side(step: Step, side: str) -> tuple[Step, ...]:
    if not isinstance(step, Branch):
        return ()
    return step.then if side == "then" else step.otherwise


def _next_path(steps: tuple[Step, ...], path: str) -> str:
    """Return the position after *path*: the next in its list, else after the branch that it is in."""
    head, _, index = path.rpartition(".")
    following = f"{head}.{int(index) + 1}" if head else str(int(index) + 1)
    if not head or find_step(steps, following) is not None:
        return following
    return _next_path(steps, head.rpartition(".")[0])
