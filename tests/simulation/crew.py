"""The crew: worker processes on both cores, each over a copy of the code that nobody edits meanwhile."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from queue import Queue
from threading import Timer
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COPIES = ROOT / ".build" / "simulation"

MOST_JOBS = 1_000
"""After so many worlds a process is replaced by a new one."""
MOST_SECONDS = 600
"""For one world: a story takes a tenth of a second, the largest seed a minute."""
NOTHING: dict[str, Any] = {"fired": {}, "premises": {}, "calls": 0}

type Job = dict[str, Any]
type Told = dict[str, Any]


class NotThere(Exception):
    """What a planted fault replaces is not in the code any more."""


def copy_code(changes: Mapping[str, Iterable[tuple[str, str]]] | None = None) -> Path:
    """Return a copy of functions and layer, with texts replaced in some of its files.

    Raises:
        NotThere: A text to be replaced is not in its file exactly once.
    """
    contents = {path.relative_to(ROOT): path.read_text() for path in _list_files()}
    for name, pairs in (changes or {}).items():
        for old, new in pairs:
            if contents[Path(name)].count(old) != 1:
                raise NotThere(f"{name}: {old}")
            contents[Path(name)] = contents[Path(name)].replace(old, new)
    digest = sha256("".join(f"{name}\0{text}\0" for name, text in sorted(contents.items())).encode()).hexdigest()
    folder = COPIES / digest[:16]
    if not folder.exists():
        COPIES.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=COPIES))
        for name, text in contents.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(text)
        try:
            made.rename(folder)
        except OSError:  # another was faster
            shutil.rmtree(made)
    return folder


def _list_files() -> list[Path]:
    found = [*ROOT.glob("functions/*/*.py"), *(ROOT / "layers" / "cartwake" / "cartwake").rglob("*")]
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


class Worker:
    """One process.

    Attributes:
        jobs: How many it has had: its engine keeps a little of every world.
    """

    def __init__(self, code: Path) -> None:
        self.jobs = 0
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulation.worker"],
            cwd=ROOT / "tests",
            env=environment | {"PYTHONHASHSEED": "0", "SIMULATED_CODE": str(code), "PYTHONPATH": str(ROOT / "tests")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, job: Job) -> Told:
        """Have a job done; a world that does not end, or ends the process, is broken."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.jobs += 1
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        limit = Timer(MOST_SECONDS, self._process.kill)
        limit.start()
        line = self._process.stdout.readline()
        limit.cancel()
        if not line:
            self.jobs = MOST_JOBS
            return {"asked": job, "violations": [f"the process ended with {self._process.wait()}"]} | NOTHING
        told: Told = json.loads(line)
        return told

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


class Crew:
    """Several workers over one copy of the code."""

    def __init__(self, code: Path | None = None, *, size: int = 2) -> None:
        self._code = code or copy_code()
        self._size = size
        self._free: Queue[Worker] = Queue()
        self._all: list[Worker] = []

    def __enter__(self) -> "Crew":
        for _ in range(self._size):
            worker = Worker(self._code)
            self._all.append(worker)
            self._free.put(worker)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.end()

    def ask(self, job: Job) -> Told:
        """Have one job done by whoever is free."""
        worker = self._free.get()
        try:
            return worker.ask(job)
        finally:
            self._free.put(worker if worker.jobs < MOST_JOBS else self._replace(worker))

    def _replace(self, worker: Worker) -> Worker:
        worker.end()
        self._all.remove(worker)
        self._all.append(Worker(self._code))
        return self._all[-1]

    def ask_all(self, jobs: Iterable[Job]) -> Iterator[Told]:
        """Have jobs done, and yield what came of each, in their order."""
        with ThreadPoolExecutor(self._size) as pool:
            yield from pool.map(self.ask, jobs)
