"""Run every law with many more cases: `make prove`; what is done is remembered, and the figures go to docs/prove.md."""

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
DONE = ROOT / ".build" / "prove.json"
PAGE = ROOT / "docs" / "prove.md"
CASES = 10_000
AT_ONCE = 2
STOPPED_WITHIN_SECONDS = 30
READ = ("functions", "layers", "infra/cartwake_cli", "infra/starter", "locks", "template.yaml", "pyproject.toml")
"""What tests read beside what is in their own folder: changed, all of them are run again."""
type Figures = dict[str, Any]
"""Of a module: the hash of what it read, its laws with the cases of each, and seconds."""


class Work:
    """A module that is being proved."""

    def __init__(self, name: str) -> None:
        """Start it, in a group of processes of its own."""
        self.name = name
        self.hash = compute_hash(name)
        self.began = time.monotonic()
        self.output = ROOT / ".build" / "prove" / f"{name.replace('/', '-')}.txt"
        self.output.parent.mkdir(parents=True, exist_ok=True)
        many = ["--hypothesis-profile=prove"] if holds_laws(name) else []
        command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-show-statistics", *many, name]
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )

    def has_passed(self) -> bool:
        """Say whether all passed; a test that skips itself proves nothing."""
        return self.process.returncode == 0 and not re.search(r"\b[1-9]\d* skipped\b", self.output.read_text())

    def tell(self) -> Figures:
        """Return what is remembered of it."""
        laws = read_laws(self.output.read_text(), self.name)
        return {"hash": self.hash, "laws": laws, "seconds": round(time.monotonic() - self.began)}

    def read_failures(self) -> str:
        """Return what it said before the statistics, which are long."""
        return re.split(r"^=+ Hypothesis Statistics =+$", self.output.read_text(), maxsplit=1, flags=re.MULTILINE)[0]

    def stop(self) -> None:
        """End it, with all that it has started; where it does not hear of that, it is told once more."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout=STOPPED_WITHIN_SECONDS)


def main() -> int:
    """Prove each module that is not yet as it is now, two at a time, and write the page when all are."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    done: dict[str, Figures] = json.loads(DONE.read_text()).get("modules", {}) if DONE.exists() else {}
    modules = list(find_modules())
    waiting = [name for name in modules if done.get(name, {}).get("hash") != compute_hash(name)]
    print(f"{len(modules) - len(waiting)} of {len(modules)} modules are proved", flush=True)
    failed = prove(sorted(waiting, key=lambda name: -done.get(name, {}).get("seconds", 0)), done)
    if failed:
        print(f"\nbroken: {', '.join(failed)}")
        return 1
    PAGE.write_text(write_page({name: done[name] for name in modules}))
    print(f"written to {PAGE.relative_to(ROOT)}")
    return 0


def prove(waiting: list[str], done: dict[str, Figures]) -> list[str]:
    """Prove the modules that wait, remember each in *done* as it passes, and return those that did not."""
    running: list[Work] = []
    failed: list[str] = []
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                running.append(Work(waiting.pop(0)))
            time.sleep(0.2)
            for work in [it for it in running if it.process.poll() is not None]:
                running.remove(work)
                left = f"{len(waiting) + len(running)} left"
                if work.has_passed():
                    done[work.name] = work.tell()
                    DONE.write_text(json.dumps({"modules": done}))
                    cases = sum(done[work.name]["laws"].values())
                    print(f"{work.name}: {cases:,} cases in {done[work.name]['seconds']} s; {left}", flush=True)
                else:
                    failed.append(work.name)
                    print(f"{work.read_failures()}\n{work.name}: broken, see {work.output}; {left}", flush=True)
    finally:
        for work in running:
            work.stop()
    return failed


def find_modules() -> Iterator[str]:
    """Yield each module that holds laws, or tests that run in this tier alone."""
    for path in sorted(TESTS.glob("**/test_*.py")):
        name = str(path.relative_to(ROOT))
        if holds_laws(name) or "mark.prove" in path.read_text():
            yield name


def holds_laws(name: str) -> bool:
    """Say whether a module holds laws."""
    return "from hypothesis import" in (ROOT / name).read_text()


def compute_hash(name: str) -> str:
    """Return what stands for all that a module depends on: what is tested, itself, and what it reads of the tests."""
    path = TESTS.parent / name
    above = [folder / "conftest.py" for folder in path.parents if TESTS in (folder, *folder.parents)]
    data = [it for it in list_files(TESTS) if it.suffix != ".py"]
    read = [file for folder in READ for file in list_files(ROOT / folder)]
    digest = hashlib.sha256()
    for each in sorted({*find_imported([path, *(it for it in above if it.exists())]), *data, *read}):
        digest.update(f"{each.relative_to(ROOT)}\0{hashlib.sha256(each.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def find_imported(modules: list[Path]) -> set[Path]:
    """Return modules with all that they import of the tests, and what those import."""
    found: set[Path] = set()
    while modules:
        module = modules.pop()
        if module not in found:
            found.add(module)
            names = re.findall(r"^\s*(?:from|import) (?:tests\.)?([\w.]+)", module.read_text(), re.MULTILINE)
            modules += [path for it in names if (path := TESTS / f"{it.replace('.', '/')}.py").exists()]
    return found


def list_files(path: Path) -> list[Path]:
    """Return a file, or all files of a folder; compiled ones are none."""
    found = [path] if path.is_file() else path.rglob("*")
    return [it for it in found if it.is_file() and "__pycache__" not in it.parts]


def read_laws(output: str, name: str) -> dict[str, int]:
    """Return the laws of a module by name, each with the number of its cases, from what Hypothesis says of them."""
    laws: dict[str, int] = {}
    law = ""
    for line in output.splitlines():
        if found := re.match(r"(tests/\S+\.py)::([^\[]+).*:$", line):
            law = found[2] if found[1] == name else ""
        elif law and (passing := re.match(r"\s+- (\d+) passing", line)):
            laws[law] = laws.get(law, 0) + int(passing[1])
    return laws


def write_page(done: dict[str, Figures]) -> str:
    """Return the page: how many laws, how many cases, and which laws had fewer than the others."""
    lines = [
        f"| `{name}` | {len(it['laws'])} | {sum(it['laws'].values()):,} | {it['seconds']} |"
        for name, it in done.items()
    ]
    laws = {f"{name}::{law}": cases for name, it in done.items() for law, cases in it["laws"].items()}
    fewer = [f"- `{law}`: {cases:,}" for law, cases in laws.items() if cases < CASES]
    less = "These have fewer cases: there are no more different ones, or each of them takes long.\n\n"
    return (
        "# Prove\n\n"
        f"`make prove` wrote this on {datetime.now(UTC):%Y-%m-%d}: {len(laws)} laws held, over {sum(laws.values()):,}\n"
        f"generated cases in all; {len(laws) - len(fewer)} of them over {CASES:,} cases or more each.\n\n"
        "| module | laws | cases | seconds |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"
        "\nA module without laws has tests that run in this tier alone.\n"
        + (f"\n{less}" + "\n".join(fewer) + "\n" if fewer else "")
    )


if __name__ == "__main__":
    sys.exit(main())
