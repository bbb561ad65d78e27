"""Run every law with many more cases: `make prove`; what is done is remembered, and the figures go to docs/prove.md."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DONE = ROOT / ".build" / "prove.json"
PAGE = ROOT / "docs" / "prove.md"
CASES = 10_000


def main() -> int:
    """Prove each module that holds laws, skip those that this very tree has passed, and write the page."""
    tree = _read_tree()
    done: dict[str, Any] = json.loads(DONE.read_text()) if DONE.exists() else {}
    if done.get("tree") != tree:
        done = {"tree": tree, "modules": {}}
    modules = [path for path in sorted(ROOT.glob("tests/**/test_*.py")) if _is_long(path.read_text())]
    for number, path in enumerate(modules, start=1):
        name = str(path.relative_to(ROOT))
        if name in done["modules"]:
            continue
        print(f"{number}/{len(modules)}  {name}", flush=True)
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-profile=prove", name]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            return 1
        laws = path.read_text().count("@given(")
        done["modules"][name] = {"laws": laws, "seconds": round(time.monotonic() - began)}
        DONE.parent.mkdir(exist_ok=True)
        DONE.write_text(json.dumps(done))
    PAGE.write_text(_write_page(done["modules"]))
    print(f"written to {PAGE.relative_to(ROOT)}")
    return 0


def _is_long(code: str) -> bool:
    """Say whether a module holds laws, or tests that run in this tier alone; worlds have a command of their own."""
    return "from hypothesis import" in code or "pytest.mark.prove" in code


def _write_page(modules: dict[str, dict[str, int]]) -> str:
    lines = [f"| `{name}` | {it['laws']} | {it['seconds']} |" for name, it in sorted(modules.items())]
    laws = sum(it["laws"] for it in modules.values())
    return (
        "# Prove\n\n"
        f"`make prove` wrote this on {datetime.now(UTC):%Y-%m-%d}: {laws} laws held for {CASES:,} cases each, where a\n"
        "law does not set a number of its own.\n\n"
        "| module | laws | seconds |\n|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def _read_tree() -> str:
    """Return what stands for the state of the code and the tests: a commit, and what is changed since."""
    commands = (["git", "rev-parse", "HEAD"], ["git", "diff", "HEAD", "--", "functions", "infra", "layers", "tests"])
    return "\n".join(subprocess.run(it, cwd=ROOT, capture_output=True, text=True, check=True).stdout for it in commands)


if __name__ == "__main__":
    sys.exit(main())
