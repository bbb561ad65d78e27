"""Placement: where on a journey somebody would stand now, had it been there when they entered its segment."""

from typing import Final, assert_never

from msgspec.structs import replace

from cartwake.conditions.kinds import Answer, Did, Start
from cartwake.journeys import (
    Await,
    Branch,
    Call,
    Give,
    Goal,
    Send,
    Split,
    Step,
    Stop,
    Tell,
    UntilClock,
    UntilDate,
    Wait,
)
from cartwake.moves import choose
from cartwake.paths import FIRST_STEP, enter, find_step, next_path, top_of
from cartwake.runs import Rules, Run, admits, find_exit
from cartwake.segments import View, check
from cartwake.times import Instant
from cartwake.waits import end_at_clock, end_at_date, end_wait

MOST_STEPS: Final = 1_000
"""More than any journey has: a run only ever goes forward."""


def place(run: Run, entered_at: Instant, rules: Rules, view: View) -> Run | None:
    """Return the run where it would stand; None when nothing is ahead of it.

    Time is counted from *entered_at*. Waits that are over are passed, and so is everything whose time is past: it is
    neither sent nor said after the fact. Branches go by what is true now. The run stands in the first wait that is not
    over, and goes on at that wait's end, or as soon as a goal ahead is reached.

    Args:
        run: As it would begin.
        entered_at: When the shopper entered the segment.
        rules: Those with which it begins, and the live ones.
        view: The shopper now.
    """
    run = replace(run, entered_at=entered_at, start=Start(entered_at))
    view = replace(view, start=run.start)
    if find_exit(rules.live.journeys[run.journey], run, view) is not None:
        return None
    return _Placing(run, rules.own.journeys[run.journey].steps, view).go()


class _Placing:
    """One way through the steps, with the clock of back then."""

    def __init__(self, run: Run, steps: tuple[Step, ...], view: View) -> None:
        self._run, self._steps, self._view = run, steps, view
        self._path, self._at = FIRST_STEP, run.entered_at
        self._variants: dict[str, str] = {}

    def go(self) -> Run | None:
        for _ in range(MOST_STEPS):
            step = find_step(self._steps, self._path)
            if step is None or isinstance(step, Stop):
                return None
            if not isinstance(step, Goal) and not admits(step, self._view):
                self._path = next_path(self._steps, self._path)
                continue
            began = self._at
            due_at = self._pass(step)
            if due_at is not None and not self._jump():
                return self._stand(step, began, due_at)
            if isinstance(step, Goal) and step.or_end and not self._is_reached(step):
                return None
        return None

    def _jump(self) -> bool:
        """Go on, as of now, behind the last goal ahead that has been reached; False where none was."""
        reached = [place for place, goal in self._list_goals() if self._is_reached(goal)]
        if reached:
            self._path, self._at = next_path(self._steps, str(reached[-1])), self._view.now
        return bool(reached)

    def _list_goals(self) -> list[tuple[int, Goal]]:
        """Return the goals ahead, with their places."""
        ahead = range(top_of(self._path) + 1, len(self._steps))
        return [(place, step) for place in ahead if isinstance(step := self._steps[place], Goal)]

    def _stand(self, step: Step, began: Instant, due_at: Instant) -> Run:
        return replace(
            self._run,
            path=self._path,
            wait_from=began,
            due_at=due_at,
            watching=isinstance(step, Await) or bool(self._list_goals()),
            variants=self._variants,
        )

    def _pass(self, step: Step) -> Instant | None:
        """Go past a step, or return when the wait ends that it is."""
        match step:
            case Wait() | UntilClock() | UntilDate() | Await():
                return self._wait(step)
            case Send() | Call() | Give() | Tell() | Goal() | Stop():
                self._path = next_path(self._steps, self._path)
            case Branch():
                self._enter("then" if check(step.condition, self._view).answer is Answer.HOLDS else "else")
            case Split():
                chosen = choose(step, self._view, self._run.who)
                if step.test:
                    self._variants[step.test] = chosen.name
                self._enter(chosen.name)
            case _:
                assert_never(step)
        return None

    def _wait(self, step: Wait | UntilClock | UntilDate | Await) -> Instant | None:
        if isinstance(step, Await):
            return self._await(step)
        match step:
            case Wait():
                ends_at: Instant | None = end_wait(step, self._at, self._view.state)
            case UntilClock():
                ends_at = end_at_clock(step, self._at, self._view)
            case UntilDate():
                ends_at = end_at_date(step, self._at, self._view)
            case _:
                assert_never(step)
        if ends_at is None:
            self._enter("else")
        elif ends_at > self._view.now:
            return ends_at
        else:
            self._at = ends_at
            self._path = next_path(self._steps, self._path)
        return None

    def _await(self, step: Await) -> Instant | None:
        """Go on where what is waited for has come, as of now, or the time was over; else wait on."""
        ends_at = self._at + step.at_most_ms
        if self._has_come(step, Start(self._at)):
            self._at = self._view.now
            self._enter("then")
        elif ends_at > self._view.now:
            return ends_at
        else:
            self._at = ends_at
            self._enter("else")
        return None

    def _is_reached(self, goal: Goal) -> bool:
        return admits(goal, self._view) and self._has_come(goal, self._run.start)

    def _has_come(self, step: Await | Goal, start: Start) -> bool:
        condition = step.happening.condition or Did(tracker=step.happening.tracker, since_start=True)
        return check(condition, replace(self._view, start=start)).answer is Answer.HOLDS

    def _enter(self, side: str) -> None:
        self._path = enter(self._steps, self._path, side)
