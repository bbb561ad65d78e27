"""Change the pure core, one small change at a time, and see which changes no test notices: `make mutate`."""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "layers" / "cartwake" / "cartwake"
PLACE = ROOT / ".build" / "mutation"
MADE = PLACE / "mutants"
STATS = MADE / "mutmut-stats.json"
PAGE = ROOT / "docs" / "mutation.md"

# The core: what reads no table, calls no service and knows no environment.
CORE = (
    *("addresses", "backfill", "bundles", "carts", "entries", "events", "hours", "identity", "knowledge", "links"),
    *("marks", "messages", "profiles", "progress", "reasons", "registers", "runs", "seen", "segments", "statements"),
    *("sums", "sweeps", "times", "trackers", "trials", "values", "visits"),
    *("capture/*", "conditions/*", "feedback/*"),
    *("rules/compile*", "rules/expressions", "rules/groups", "rules/holding", "rules/leftovers", "rules/needs"),
    *("rules/plain", "rules/references", "rules/conflicts"),
)
# A small one, tried whole: with it mutmut makes all mutants, and learns which tests run which function.
FIRST = "cartwake.times.*"
# These say nothing of the core, or take too long to be run a thousand times.
LEFT_OUT = (
    *(
        "test_cli",
        "test_demo_*",
        "test_editor",
        "test_fit",
        "test_gateways_*",
        "test_local_*",
        "test_pages",
        "test_starter*",
    ),
    *(
        "test_clickstream",
        "test_complete_journey",
        "test_events_reference",
        "test_templates",
        "test_explain*",
        "test_store",
    ),
    *("test_broken_files",),
)
SECONDS = 15.0
OUTCOMES = {0: "survived", 1: "killed", 3: "killed", 5: "not run", 33: "not run"}
OUTCOMES |= dict.fromkeys((36, 24, -24, 152, 255, -9, -11), "endless")
OPEN = {"survived", "not run", "open"}
TEXT = """# Mutants

`make mutate` wrote this on {date} with [mutmut](https://github.com/boxed/mutmut): it changes the pure core in one small
place at a time, and runs the tests that run that place, until one fails. *Killed*: a test failed. *Endless*: the change
made a test run many times longer. *Survived*: no test noticed. Mutants of each module are chosen by a seed.

| module | mutants | tried | killed | endless | survived | not run |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Lay the code out as mutmut wants it, choose mutants by the seed, and try those that have no outcome yet."""
    wanted = _read_arguments()
    _lay_out()
    if not STATS.exists() and _mutate([FIRST]) != 0:
        return 1
    chosen = _choose(wanted)
    left = [name for name in chosen if wanted.again == "all" or _is_open(name, wanted.again)]
    print(f"{len(chosen)} mutants, {len(chosen) - len(left)} of them tried before")
    _shorten()
    if left and _mutate(left) != 0:
        return 1
    _report(chosen)
    return 0


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=["*"], help="modules of the core, as in: trackers conditions.*")
    parser.add_argument("--each", type=int, default=16, help="mutants of each module, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", choices=["no", "survived", "all"], default="no", help="what to try once more")
    return parser.parse_args()


def _lay_out() -> None:
    """Copy what mutmut reads: it wants the package at the top, and settings of its own."""
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("tests", "functions", "infra", "docs"):
        for place in (PLACE, MADE):
            shutil.rmtree(place / name, ignore_errors=True)
        shutil.copytree(
            ROOT / name, PLACE / name, ignore=shutil.ignore_patterns("__pycache__", "simulation", "security")
        )
    _copy_package()
    for name in ("template.yaml", "README.md", "CHANGELOG.md"):
        shutil.copy2(ROOT / name, PLACE / name)
    core = [f"cartwake/{name}.py" for name in CORE]
    tests = [
        f"tests/{it.relative_to(ROOT / 'tests')}" for it in sorted(ROOT.glob("tests/unit/test_*.py")) if _is_run(it)
    ]
    settings: dict[str, Any] = {
        "source_paths": ["cartwake"],
        "only_mutate": core,
        "also_copy": ["tests", "functions", "infra", "docs", "template.yaml", "README.md", "CHANGELOG.md"],
        "pytest_add_cli_args": [
            "-m",
            "not prove and not slow",
            "-k",
            "not in_proportion",
            "--hypothesis-profile=mutate",
        ],
        "pytest_add_cli_args_test_selection": [*tests, "tests/functions"],
        "timeout_multiplier": 6.0,
        "timeout_constant": 2.0,
        "track_dependencies": False,
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    project = (ROOT / "pyproject.toml").read_text().replace('"layers/cartwake", "infra"]\naddopts', '"infra"]\naddopts')
    (PLACE / "pyproject.toml").write_text(project + "\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def _copy_package() -> None:
    """Copy the modules that changed: mutmut makes the mutants of a module anew when it is newer."""
    for path in PACKAGE.rglob("*"):
        target = PLACE / "cartwake" / path.relative_to(PACKAGE)
        if (
            path.is_file()
            and path.suffix != ".pyc"
            and (not target.exists() or target.read_bytes() != path.read_bytes())
        ):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _is_run(test: Path) -> bool:
    return not any(fnmatch(test.stem, name) for name in LEFT_OUT)


def _mutate(names: list[str]) -> int:
    """Run mutmut on these, on one core, behind everything else."""
    command = ["nice", "-n", "19", sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    return subprocess.run(command, cwd=PLACE, env=_find_mutmut(), check=False).returncode


def _find_mutmut() -> dict[str, str]:
    """Return an environment in which the project's Python finds mutmut too."""
    return {**os.environ, "PYTHONPATH": str(ROOT / ".tools" / "mutmut"), "PYTHONHASHSEED": "0"}


def _shorten() -> None:
    """Give each function the quickest of its tests, up to some seconds in all."""
    stats = json.loads(STATS.read_text())
    seconds = stats["duration_by_test"]
    for name, tests in stats["tests_by_mangled_function_name"].items():
        kept, sum_of_seconds = [], 0.0
        for test in sorted(tests, key=lambda it: (seconds.get(it, 0), it)):
            sum_of_seconds += seconds.get(test, 0)
            if sum_of_seconds > SECONDS:
                break
            kept.append(test)
        stats["tests_by_mangled_function_name"][name] = kept
    STATS.write_text(json.dumps(stats))


def _choose(wanted: argparse.Namespace) -> list[str]:
    """Choose mutants of each module by chance; the seed and the names alone decide."""
    chosen = []
    for module, names in _read_mutants().items():
        if any(fnmatch(module, pattern) for pattern in wanted.modules):
            chance = random.Random(f"{wanted.seed}/{module}")  # noqa: S311  # chosen, not secret
            chosen += sorted(chance.sample(sorted(names), min(wanted.each, len(names))))
    return chosen


def _read_mutants() -> dict[str, dict[str, int | None]]:
    """Return each module's mutants and what became of them."""
    found = {}
    for path in sorted((MADE / "cartwake").rglob("*.py.meta")):
        outcomes = json.loads(path.read_text())["exit_code_by_key"]
        if outcomes:
            found[str(path.relative_to(MADE / "cartwake")).removesuffix(".py.meta").replace("/", ".")] = outcomes
    return found


def _is_open(name: str, again: str) -> bool:
    outcome = _find_outcome(name)
    return outcome in {"open", again}


def _find_outcome(name: str) -> str:
    return OUTCOMES.get(_read_mutants()[_name_module(name)][name], "open")


def _name_module(mutant: str) -> str:
    return mutant.removeprefix("cartwake.").rpartition(".")[0]


def _report(chosen: list[str]) -> None:
    """Write the page; a reason that was written beside a survivor stays there."""
    reasons = _read_reasons()
    outcomes = {name: _find_outcome(name) for name in chosen}
    mutants = _read_mutants()
    rows = []
    for module in sorted({_name_module(name) for name in chosen}):
        of_module = [outcome for name, outcome in outcomes.items() if _name_module(name) == module]
        counts = [of_module.count(it) for it in ("killed", "endless", "survived", "not run")]
        rows.append([f"`{module}`", len(mutants[module]), len(of_module), *counts])
    rows.append(["all", *(sum(row[at] for row in rows) for at in range(1, 7))])
    survivors = [
        f"- {it}: {reasons.get(it, '?')}" for it in sorted(_describe(n) for n in chosen if outcomes[n] in OPEN)
    ]
    PAGE.write_text(
        TEXT.format(date=f"{datetime.now(UTC):%Y-%m-%d}")
        + "".join("| " + " | ".join(f"{it:,}" if isinstance(it, int) else it for it in row) + " |\n" for row in rows)
        + "\n## Survivors\n\n"
        + "".join(f"{line}\n" for line in survivors)
    )
    print(f"{len(survivors)} of {len(chosen)} survived; written to {PAGE.relative_to(ROOT)}")


def _read_reasons() -> dict[str, str]:
    lines = PAGE.read_text().splitlines() if PAGE.exists() else []
    found = [line.removeprefix("- ").rpartition("`: ") for line in lines if line.startswith("- `") and "`: " in line]
    return {f"{change}`": reason for change, _, reason in found}


def _describe(mutant: str) -> str:
    """Return the function and the line of a mutant, before and after."""
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    shown = subprocess.run(command, cwd=PLACE, env=_find_mutmut(), check=True, capture_output=True, text=True).stdout
    lines = [line for line in shown.splitlines() if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]
    before, after = ([line[1:].strip() for line in lines if line[0] == sign] for sign in "-+")
    function = mutant.rpartition(".")[2].partition("__mutmut")[0].removeprefix("x").replace("ǁ", ".").lstrip("._")
    return f"`{_name_module(mutant)}`, {function}: `{' '.join(before)}` → `{' '.join(after)}`"


if __name__ == "__main__":
    sys.exit(main())
