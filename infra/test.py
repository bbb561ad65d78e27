"""Run every test that a change must pass: `make test`.

In three parts side by side, so that both cores are busy also while the stories on the deployed stack wait. The first
part is shown as it runs, the others after it, each from its beginning.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build"
PYTEST = (sys.executable, "-m", "pytest", "-m", "not prove")

DEPLOYED: Final = "tests/e2e"
WORLDS: Final = ("tests/simulation", "tests/flows", "tests/security")
PARTS: Final = {
    "all others": ("tests", *(f"--ignore={folder}" for folder in (DEPLOYED, *WORLDS))),
    "worlds, flows and attacks": WORLDS,
    "stories on the deployed stack": (DEPLOYED,),
}
"""What belongs to each; a new folder is among the first."""


def main() -> int:
    """Run the tests that are asked for, or all of them, and say by the exit code whether they passed."""
    BUILD.mkdir(exist_ok=True)
    if asked := sys.argv[1:]:
        return subprocess.run([*PYTEST, *asked], cwd=ROOT, check=False).returncode
    running: list[Part] = []
    try:
        running += [Part(number, name, folders) for number, (name, folders) in enumerate(PARTS.items())]
        codes = [part.follow() for part in running]
    except BaseException:
        for part in running:
            part.process.terminate()
        raise
    failed = [part.name for part, code in zip(running, codes, strict=True) if code]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return max(map(abs, codes)) or _demand_all(part.results for part in running)


class Part:
    """Some of the tests, in a process of their own."""

    def __init__(self, number: int, name: str, folders: Iterable[str]) -> None:
        """Begin to run the tests in *folders*."""
        self.name = name
        self.results, self._told = BUILD / f"test-{number}.xml", BUILD / f"test-{number}.log"
        with self._told.open("w") as log:
            command = [*PYTEST, *folders, f"--junitxml={self.results}"]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def follow(self) -> int:
        """Print what has been printed, and what is, until it ends; return its exit code."""
        print(f"--- {self.name} ---", flush=True)
        with self._told.open() as lines:
            while True:
                ended = self.process.poll()
                print(lines.read(), end="", flush=True)
                if ended is not None:
                    return ended
                try:
                    self.process.wait(1)
                except subprocess.TimeoutExpired:
                    continue


def _demand_all(results: Iterable[Path]) -> int:
    """Under CI a test that skips itself proves nothing."""
    if os.environ.get("CI") == "true" and any("<skipped" in path.read_text() for path in results):
        print("under CI=true no test may be skipped", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
