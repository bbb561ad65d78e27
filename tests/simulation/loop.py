"""The loop: everything that happens has an instant, and functions take turns where they call AWS."""

import heapq
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

from simulation.setting import clock, sleepers

type Micros = int


class Killed(BaseException):
    """The process ends here, without a word."""


class Loop:
    """What happens when; one thing at a time, in an order that only instants and their making decide."""

    def __init__(self) -> None:
        self._heap: list[tuple[Micros, int, Callable[[], None]]] = []
        self._made = 0
        self._until: Micros = 0
        self.tasks: set[Task] = set()

    def at(self, when: Micros, action: Callable[[], None]) -> None:
        """Have *action* happen at an instant, or now if that has passed."""
        self._made += 1
        heapq.heappush(self._heap, (max(when, clock.micros), self._made, action))

    def after(self, delay: Micros, action: Callable[[], None]) -> None:
        """Have *action* happen when some time has passed."""
        self.at(clock.micros + delay, action)

    def next_at(self) -> Micros | None:
        """Return when the next thing happens."""
        return self._heap[0][0] if self._heap else None

    def run(self, until: Micros) -> None:
        """Let everything happen up to and including an instant, which it is then."""
        self._until = until
        while self._heap and self._heap[0][0] <= until:
            when, _, action = heapq.heappop(self._heap)
            clock.micros = max(when, clock.micros)
            action()
        clock.micros = max(until, clock.micros)

    def spawn(
        self,
        work: Callable[[], Any],
        done: Callable[[Any, BaseException | None], None],
        prepare: Callable[["Task"], None],
    ) -> None:
        """Begin *work* soon, as a greenlet, which takes turns; *done* is told what came of it."""
        task = Task(self, work, done)
        prepare(task)
        self.tasks.add(task)
        self.at(clock.micros, task.go_on)

    def end(self) -> None:
        """Kill whatever still runs."""
        for task in list(self.tasks):
            task.kill()
            task.go_on()
        self._heap.clear()

    def may_stay(self, until: Micros) -> bool:
        """Say whether nothing else happens before an instant: then nobody else needs a turn."""
        return until <= self._until and (not self._heap or self._heap[0][0] > until)


class Task:
    """A function at work."""

    def __init__(self, loop: Loop, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        self._loop, self._work, self._done = loop, work, done
        self._course = greenlet(self._run)
        self._killed = False
        self.on_resume: Callable[[], None] = lambda: None

    def go_on(self) -> None:
        """Give it the turn, until it pauses or ends."""
        self._course.parent = getcurrent()
        self._course.switch()

    def pause(self, delay: Micros) -> None:
        """Let time pass, in which others may act.

        Raises:
            Killed: The process was ended meanwhile.
        """
        if self._killed:
            raise Killed
        until = clock.micros + delay
        if self._loop.may_stay(until):
            clock.micros = until
        else:
            self._loop.at(until, self.go_on)
            self._yield()
        if self._killed:
            raise Killed

    def kill(self) -> None:
        """Have it end when it has its next turn."""
        self._killed = True

    def _yield(self) -> None:
        self._course.parent.switch()
        self.on_resume()

    def _run(self) -> None:
        sleepers[self._course] = self.pause
        result, error = None, None
        try:
            self.on_resume()
            result = self._work()
        except BaseException as caught:  # noqa: BLE001  whatever ended it, the world goes on
            error = caught
        finally:
            del sleepers[self._course]
        self._loop.tasks.discard(self)
        self._loop.at(clock.micros, lambda: self._done(result, error))
