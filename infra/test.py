"""Run every test that a change must pass: `make test`.

The stories on the deployed stack mostly wait, so they run beside all others; what they print comes at the end.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build"
PYTEST = (sys.executable, "-m", "pytest", "-m", "not prove")


def main() -> int:
    """Run the tests that are asked for, or all of them, and say by the exit code whether they passed."""
    BUILD.mkdir(exist_ok=True)
    if asked := sys.argv[1:]:
        return subprocess.run([*PYTEST, *asked], cwd=ROOT, check=False).returncode
    deployed, others = BUILD / "test-deployed.xml", BUILD / "test-others.xml"
    told = BUILD / "test-deployed.log"
    with told.open("w") as log:
        stories = subprocess.Popen([*PYTEST, "tests/e2e", f"--junitxml={deployed}"], cwd=ROOT, stdout=log, stderr=log)
        try:
            rest = [*PYTEST, "tests", "--ignore=tests/e2e", f"--junitxml={others}"]
            code = subprocess.run(rest, cwd=ROOT, check=False).returncode
            print("the stories on the deployed stack, until now beside the others:", flush=True)
            story_code = _follow(stories, told)
        except BaseException:
            stories.terminate()
            raise
    return code or story_code or _demand_all(deployed, others)


def _follow(stories: subprocess.Popen[bytes], told: Path) -> int:
    """Print what has been printed, and what is, until it ends."""
    with told.open() as lines:
        while True:
            ended = stories.poll()
            print(lines.read(), end="", flush=True)
            if ended is not None:
                return ended
            try:
                stories.wait(1)
            except subprocess.TimeoutExpired:
                continue


def _demand_all(*results: Path) -> int:
    """Under CI a test that skips itself proves nothing."""
    if os.environ.get("CI") == "true" and any("<skipped" in path.read_text() for path in results):
        print("under CI=true no test may be skipped", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
