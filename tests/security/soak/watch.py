"""The processes of the engine: found by what they run, watched, and killed one at a time.

In the first half of the time those of every second function are killed, in the second half the others: what is spared
lives long enough to show whether it grows.
"""

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event as Flag
from threading import Thread

from cartwake_cli.local.world import World
from tests.template.stack import list_functions

VARIABLE = b"POWERTOOLS_SERVICE_NAME="
FUNCTIONS = sorted(function.name for function in list_functions())
WARMING = 6
"""Samples in which a worker still imports and fills its caches."""
LONG_SECONDS = 60
"""A worker that lived for less shows nothing."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process in which the engine runs a function."""

    pid: int
    function: str


@dataclass(frozen=True, slots=True, order=True)
class Growth:
    """The memory of a worker: how long it was watched, and the medians of the first and the last third, in MB."""

    seconds: float
    first: float
    last: float


def find_workers(world: World) -> list[Worker]:
    """Find the processes that run this engine's functions."""
    port = f":{world.engine.port}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            environment = _read(folder / "environ").split(b"\0")
            names = [each.removeprefix(VARIABLE).decode() for each in environment if each.startswith(VARIABLE)]
            if names and any(each.endswith(port) for each in environment):
                found.append(Worker(int(folder.name), names[0]))
    return sorted(found, key=lambda worker: worker.pid)


def read_megabytes(pid: int) -> float:
    """Return the memory that a process holds, 0 when it has ended."""
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith(b"VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@dataclass
class Watch(Thread):
    """Samples the memory of every worker, and kills one now and then."""

    world: World
    stop: Flag
    seconds: float
    sample_seconds: float = 2.5
    kill_seconds: float = 5
    killed: Counter[str] = field(default_factory=Counter)
    samples: dict[Worker, list[float]] = field(default_factory=dict)
    engine: list[float] = field(default_factory=list)

    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        super().__init__(name="watch", daemon=True)

    def run(self) -> None:
        """Watch until told to stop."""
        chance, began = random.Random(4), time.monotonic()
        next_kill = began + self.kill_seconds
        while not self.stop.wait(self.sample_seconds):
            workers = find_workers(self.world)
            self.engine.append(read_megabytes(self.world.engine.process.pid))
            for worker in workers:
                self.samples.setdefault(worker, []).append(read_megabytes(worker.pid))
            half = time.monotonic() > began + self.seconds / 2
            doomed = [worker for worker in workers if FUNCTIONS.index(worker.function) % 2 == half]
            if doomed and time.monotonic() >= next_kill:
                next_kill += self.kill_seconds
                function = chance.choice(sorted({worker.function for worker in doomed}))
                self._kill(chance.choice([worker for worker in doomed if worker.function == function]))

    def _kill(self, worker: Worker) -> None:
        try:
            os.kill(worker.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed[worker.function] += 1

    def measure_growth(self) -> dict[str, Growth]:
        """Return what the longest-lived worker of each function held at first and at last, once it had warmed up."""
        found: dict[str, Growth] = {}
        for worker, samples in self.samples.items():
            warm = [each for each in samples[WARMING:] if each]
            if len(warm) * self.sample_seconds >= LONG_SECONDS:
                third = len(warm) // 3
                growth = Growth(len(warm) * self.sample_seconds, median(warm[:third]), median(warm[-third:]))
                found[worker.function] = max(growth, found.get(worker.function, growth))
        return dict(sorted(found.items()))
