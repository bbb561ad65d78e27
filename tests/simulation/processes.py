"""Processes: the functions as Lambda runs them, each process with its own memory and its own error of the clock."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

from cartwake import live, seen, silence
from cartwake.gateways import secrets
from cartwake.store import base, budgets
from simulation.loop import Task
from simulation.setting import clock

SECOND = 1_000_000
TIMEOUTS = {
    "capture_events": 10,
    "derive_segments": 60,
    "enter_journeys": 60,
    "erase_profiles": 60,
    "export_profiles": 60,
    "publish_rules": 300,
    "run_step": 30,
    "send_message": 30,
    "serve_page": 10,
    "sweep_profiles": 300,
    "track_delivery": 30,
    "wake": 50,
}
"""Seconds after which Lambda ends an invocation, as the template has them."""
LAYOUT = base.LAYOUT
NEWER = LAYOUT + 1
"""What the code of the next release writes."""
_read_secret = secrets._secret.__wrapped__


@functools.cache
def load(function: str) -> ModuleType:
    """Return the module of a function."""
    return import_module(f"functions.{function}.app")


@contextmanager
def know_all() -> Iterator[None]:
    """Read what code of any release has written, as whoever watches does."""
    before, base.LAYOUT = base.LAYOUT, NEWER
    yield
    base.LAYOUT = before


@dataclass(eq=False)
class Process:
    """What a warm process remembers."""

    function: str
    skew_micros: int = 0
    layout: int = LAYOUT
    busy: bool = False
    live: Any = field(default_factory=live._Kept)
    seen: Any = field(default_factory=seen._Kept)
    secret: Any = field(default_factory=lambda: functools.cache(_read_secret))
    looked: list[int] = field(default_factory=lambda: [0])
    missed: list[int] = field(default_factory=lambda: [0])
    purses: dict[Any, Any] = field(default_factory=dict)
    silent: dict[str, int] = field(default_factory=dict)
    reported: dict[Any, int] = field(default_factory=dict)
    keyring: Any = None

    def step_in(self) -> None:
        """Make the memory that modules have this process's."""
        clock.skew_micros = self.skew_micros
        base.LAYOUT = self.layout
        live._kept, seen._kept, secrets._secret = self.live, self.seen, self.secret
        secrets._looked, secrets._missed = self.looked, self.missed  # type: ignore[misc]
        budgets._purses = self.purses  # type: ignore[misc]
        silence._until = self.silent
        if self.function == "capture_events":
            app = load(self.function)
            self.keyring = self.keyring or type(app.keyring)(app.find_key)
            app.keyring = self.keyring
        if self.function == "sweep_profiles":
            load(self.function)._reported = self.reported


@dataclass(eq=False)
class Invocation:
    """One call of a function.

    Attributes:
        number: Of all in the world.
        kill_at: When Lambda ends it.
        again: Delivers the same once more.
        struck: What was found to happen to the call that comes next.
        answer: What is answered to the call that comes next.
    """

    number: int
    process: Process
    payload: dict[str, Any]
    kill_at: int
    again: Callable[[], None]
    task: Task | None = None
    call: tuple[str, bytes] | None = None
    fault: Any = None
    struck: Any = None
    answer: Any = None

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.process.function

    def run(self) -> Any:
        """Do the work."""
        return load(self.function).handler(self.payload, self.context())

    def context(self) -> Any:
        """Return what Lambda passes as the context."""
        return SimpleNamespace(
            function_name=self.function,
            memory_limit_in_mb=512,
            invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{self.function}",
            aws_request_id=f"request-{self.number}",
            get_remaining_time_in_millis=lambda: max(0, (self.kill_at - clock.micros) // 1_000),
        )
