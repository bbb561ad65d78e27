"""What the terminal shows: one line for each step, a spinner for the one under way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status


@dataclass(slots=True)
class Steps:
    """The steps so far; each begins when the one before has ended."""

    console: Console
    _status: Status | None = None
    _doing: str = ""
    _since: float = field(default_factory=time.monotonic)

    def begin(self, text: str) -> None:
        """End the step under way and begin another."""
        self.end()
        self._doing, self._since = text, time.monotonic()
        self._status = self.console.status(text)
        self._status.start()

    def note(self, text: str) -> None:
        """Say more about the step under way, beside the spinner."""
        if self._status is not None:
            self._status.update(f"{self._doing} [dim]{text}[/]")

    def end(self, result: str = "") -> None:
        """Put the step under way down as done, with what came of it."""
        if not self._doing:
            return
        self._stop()
        seconds = time.monotonic() - self._since
        done = f"{self._doing}: {result}" if result else self._doing
        self.console.print(f"[green]✓[/] {done} [dim]{seconds:.1f} s[/]", soft_wrap=True)
        self._doing = ""

    def tell(self, line: str) -> None:
        """Print a line above the spinner."""
        self.console.print(line, soft_wrap=True)

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    @classmethod
    @contextmanager
    def open(cls, console: Console) -> Iterator["Steps"]:
        """Show steps; a step that an error interrupts is marked so."""
        steps = cls(console)
        try:
            yield steps
            steps.end()
        finally:
            steps._stop()
            if steps._doing:
                console.print(f"[red]✗[/] {steps._doing}")
