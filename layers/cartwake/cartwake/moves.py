"""Moves: the decision where a run goes next, made from profile, rules and time alone."""

from typing import Final, assert_never

import msgspec

from cartwake.conditions.evaluate import draw
from cartwake.conditions.kinds import Answer, Did, Start
from cartwake.events import short_id
from cartwake.hours import quiet_until
from cartwake.journeys import (
    Await,
    Branch,
    Call,
    Give,
    Goal,
    Happening,
    Journey,
    Send,
    Split,
    Step,
    Stop,
    Tell,
    UntilClock,
    UntilDate,
    Variant,
    Wait,
)
from cartwake.participants import draw_lot
from cartwake.paths import FIRST_STEP, enter, find_step, next_path, top_of
from cartwake.profiles import NO_LOT, Kind, Profile
from cartwake.reasons import EndReason, Skip
from cartwake.runs import (
    Advance,
    Drawn,
    End,
    Hold,
    Move,
    Planned,
    Replan,
    Rules,
    Run,
    TakeCode,
    Told,
    admits,
    find_exit,
    refuse_filter,
    see_from,
)
from cartwake.segments import View, check
from cartwake.times import DAY, NEVER, Instant
from cartwake.variants import find_kept, follow_winner, has_winner
from cartwake.waits import end_at_clock, end_at_date, end_wait

MOST_STEPS_AT_ONCE: Final = 100
MOST_TOLD_AT_ONCE: Final = 20
"""A transaction has room for a hundred rows, and a profile for the traits and tags of so many."""
LOOK_AGAIN_MS: Final = DAY
"""A run that waits for a condition is looked at so often."""
_BY_GOAL: Final = "goal"


def decide(run: Run, profile: Profile, rules: Rules, now: Instant) -> Move | TakeCode:
    """Return the next move of *run*, or the code that has to be given before one can be told.

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
    view = see_from(run, rules.own.journeys[run.journey], view)
    steps = rules.own.journeys[run.journey].steps
    goal = _find_goal(steps, run.path, view)
    if goal is not None:
        return _Walk(msgspec.structs.replace(run, path=str(goal), wait_from=0), steps, view).go()
    if now < run.due_at and not isinstance(find_step(steps, run.path), Await):
        return Replan(due_at=run.due_at)
    return _Walk(run, steps, view).go()


def go_on_with(run: Run, draw: TakeCode, rules: Rules, *, given: bool) -> Move:
    """Return the move of a run once it is known whether the shopper has got a code."""
    if not given and not draw.step.otherwise:
        return End(reason=EndReason.COMPLETED, by=f"no coupon in {draw.step.pool}")
    steps = rules.own.journeys[run.journey].steps
    path = next_path(steps, draw.path) if given else enter(steps, draw.path, "else")
    return Advance(path=path, due_at=draw.due_at, watching=run.watching, variants=run.variants)


def _find_goal(steps: tuple[Step, ...], path: str, view: View) -> int | None:
    """Return the place of the last goal, ahead of *path*, that is reached: a run never goes back."""
    ahead = range(len(steps) - 1, top_of(path), -1)
    return next((place for place in ahead if _is_reached(steps[place], view)), None)


def _is_reached(step: Step, view: View) -> bool:
    if not isinstance(step, Goal):
        return False
    return admits(step, view) and _look_for(step.happening, view)[0]


def _look_for(happening: Happening, view: View) -> tuple[bool, Instant]:
    """Return whether something has come since the view's start, and until when that answer is good."""
    condition = happening.condition or Did(tracker=happening.tracker, since_start=True, keyed=True)
    verdict = check(condition, view)
    return verdict.answer is Answer.HOLDS, verdict.until


class _Walk:
    """One look at a run: it follows the steps until one takes time, a second message comes, or the end is there."""

    def __init__(self, run: Run, steps: tuple[Step, ...], view: View) -> None:
        self._run, self._steps, self._view, self._now = run, steps, view, view.now
        self._path, self._wait_from = run.path, run.wait_from
        self._fresh = run.seq == 0 and run.path == FIRST_STEP and not run.wait_from
        self._planned: Planned | None = None
        self._told: list[Told] = []
        self._variants = dict(run.variants)
        self._drawn: list[Drawn] = []

    def go(self) -> Move | TakeCode:
        """Return the move."""
        for _ in range(MOST_STEPS_AT_ONCE):
            step = find_step(self._steps, self._path)
            if step is None:
                return self._end()
            if self._wait_from == 0 and self._is_passed_over(step):
                self._path = next_path(self._steps, self._path)
                continue
            move = self._take(step)
            if move is not None:
                return move
            self._wait_from = 0
        return self._stay(min(self._now, self._run.due_at))

    def _take(self, step: Step) -> Move | TakeCode | None:
        """Go through a step, or return the move that it takes."""
        match step:
            case Wait() | UntilClock() | UntilDate() | Await():
                return self._wait(step)
            case Send() | Call():
                return self._send(step)
            case Give():
                return self._give(step)
            case Branch():
                holds = check(step.condition, self._view).answer is Answer.HOLDS
                return self._go_in("then" if holds else "else")
            case Split():
                return self._go_in(self._choose(step).name)
            case Goal() | Tell() | Stop():
                return self._pass(step)
            case _:
                assert_never(step)

    def _choose(self, step: Split) -> Variant:
        """Return the way that the run has gone before, the winner's, or the one that chance gives: that is measured."""
        kept = find_kept(step, self._variants.get(step.test))
        if step.test and kept is not None:
            return kept
        chosen = choose(step, self._view, self._run.who)
        if not step.test:
            return chosen
        test = self._view.rules.find_test(self._run.journey, step.test)
        if has_winner(step, test):
            chosen = follow_winner(step, chosen, test)
        elif step.digest:
            self._drawn.append(draw_lot(step, chosen))
        self._variants[step.test] = chosen.name
        return chosen

    def _pass(self, step: Goal | Tell | Stop) -> Move | None:
        match step:
            case Goal():
                if step.or_end and admits(step, self._view) and not _is_reached(step, self._view):
                    return self._end(by=_BY_GOAL)
            case Tell():
                if len(self._told) >= MOST_TOLD_AT_ONCE:
                    return self._stay(min(self._now, self._run.due_at))
                self._told.append(Told(path=self._path, step=step))
            case Stop():
                return self._end(by=step.why)
            case _:
                assert_never(step)
        return self._go_on()

    def _wait(self, step: Wait | UntilClock | UntilDate | Await) -> Move | None:
        # who was brought in later than they entered begins when their run does
        began = self._wait_from or (self._run.due_at if self._fresh else self._now)
        match step:
            case Wait():
                due_at = end_wait(step, began, self._view.state)
            case UntilClock():
                due_at = end_at_clock(step, began, self._view)
            case UntilDate():
                found = end_at_date(step, began, self._view, self._run.trigger)
                if found is None:
                    return self._go_in("else")
                due_at = found
            case Await():
                return self._await(step, began)
            case _:
                assert_never(step)
        if due_at > self._now:
            return self._stay(due_at, wait_from=began)
        self._fresh = False
        return self._go_on()

    def _await(self, step: Await, began: Instant) -> Move | None:
        """Go on as soon as it came; else come back when its answer may change by time alone, or the time is over."""
        since = self._view.start or self._run.start
        start = since if began == self._run.entered_at else Start(began, key=since.key)
        view = msgspec.structs.replace(self._view, start=start) if step.happening.tracker else self._view
        came, until = _look_for(step.happening, view)
        if came:
            return self._go_in("then")
        ends_at = began + step.at_most_ms
        if ends_at <= self._now:
            self._fresh = False
            return self._go_in("else")
        due_at = min(ends_at, self._turn(step.happening, until))
        if self._wait_from and self._path == self._run.path and self._planned is None and not self._told:
            early = self._now < self._run.due_at <= due_at
            return Replan(due_at=self._run.due_at if early else due_at)
        return self._stay(due_at, wait_from=began)

    def _give(self, step: Give) -> Move | TakeCode | None:
        if _skip_by_filter(self._view.rules.journeys[self._run.journey], self._view) is not None:
            return self._go_on()
        if self._is_untouched() and self._planned is None:
            return TakeCode(path=self._path, step=step, due_at=min(self._now, self._run.due_at))
        return self._stay(min(self._now, self._run.due_at))

    def _send(self, step: Send | Call) -> Move | None:
        if self._planned is not None:
            return self._stay(min(self._now, self._run.due_at))
        skip = None if admits(step, self._view) else Skip.CONDITION
        if skip is None:
            quiet = quiet_until(step.channel, self._view) if isinstance(step, Send) else None
            useless = quiet is not None and quiet > self._due_at() + step.not_after_ms
            if quiet is not None and not useless:
                return self._hold(quiet)
            skip = _skip_by_filter(self._view.rules.journeys[self._run.journey], self._view)
            skip = Skip.SENDING_HOURS if skip is None and useless else skip
        variant = "&".join(f"{test}={chosen}" for test, chosen in sorted(self._variants.items()))
        self._fresh = False
        self._planned = Planned(path=self._path, step=step, due_at=self._due_at(), skip=skip, variant=variant)
        return self._go_on()

    def _hold(self, until: Instant) -> Move:
        """Return the move that has the message here wait for the hours in which it may go out."""
        stay = msgspec.structs.replace(self._stay(until), quiet_from=self._due_at())
        same = self._is_untouched() and stay.watching == self._run.watching
        return Replan(due_at=until, quiet_from=stay.quiet_from) if same else stay

    def _due_at(self) -> Instant:
        """Return when the message here was due, before sending hours held it."""
        quiet_from = self._run.quiet_from if self._path == self._run.path else 0
        return quiet_from or min(self._now, self._run.due_at)

    def _is_untouched(self) -> bool:
        return self._path == self._run.path and not self._told

    def _is_passed_over(self, step: Step) -> bool:
        """Say whether a run does not do a step at all; a message that is not sent is kept with the reason."""
        if isinstance(step, Send | Call | Goal):
            return False
        late_ms = self._now - self._run.due_at
        return (0 < step.not_after_ms < late_ms) or not admits(step, self._view)

    def _go_on(self) -> Move | None:
        self._path = next_path(self._steps, self._path)
        return None

    def _go_in(self, side: str) -> Move | None:
        self._path = enter(self._steps, self._path, side)
        return None

    def _stay(self, due_at: Instant, *, wait_from: Instant = 0) -> Advance:
        here = find_step(self._steps, self._path)
        ahead = [it for it in self._steps[top_of(self._path) + 1 :] if isinstance(it, Goal)]
        turns = [self._turn(it.happening, _look_for(it.happening, self._view)[1]) for it in ahead]
        return Advance(
            path=self._path,
            due_at=min([due_at, *turns]),
            wait_from=wait_from,
            watching=isinstance(here, Await) or bool(ahead),
            variants=self._variants,
            planned=self._planned,
            told=tuple(self._told),
            drawn=tuple(self._drawn),
        )

    def _turn(self, happening: Happening, until: Instant) -> Instant:
        """Return when to look again whether something has come: what only a publish changes tells nobody."""
        if happening.condition is None:
            return NEVER
        return min(max(until, self._now + 1), self._now + LOOK_AGAIN_MS)

    def _end(self, *, by: str = "") -> End:
        return End(
            reason=EndReason.COMPLETED,
            by=by,
            variants=self._variants,
            planned=self._planned,
            told=tuple(self._told),
            drawn=tuple(self._drawn),
        )


def choose(step: Split, view: View, who: str) -> Variant:
    """Return the way that a shopper goes: a function of a number that was drawn for them, and of the salt."""
    lot = view.state.lot if view.state.lot < NO_LOT else short_id(who)
    drawn = draw(lot, step.salt)
    for variant in step.variants:
        if drawn < variant.micros:
            return variant
        drawn -= variant.micros
    return step.variants[-1]


def _skip_by_filter(journey: Journey, view: View) -> Skip | None:
    refused = refuse_filter(journey, view)
    return {False: None, True: Skip.FILTER, None: Skip.FILTER_UNKNOWN}[refused]
