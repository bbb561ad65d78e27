"""Change the pure core, one small change at a time, and see which changes no test notices: `make mutate`."""

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from fnmatch import fnmatch
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "layers" / "cartwake" / "cartwake"
PLACE = ROOT / ".build" / "mutation"
MADE = PLACE / "mutants"
STATS = MADE / "mutmut-stats.json"
OUTCOMES = PLACE / "outcomes.jsonl"
WANTED = PLACE / "wanted.json"
MUTMUT = ROOT / ".tools" / "mutmut"
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
        "test_explain*",
        "test_store",
    ),
    *("test_broken_files",),
)
# These are run first, however long they take: quicker ones run all of a module, and ask little of it.
AT_FIRST = {"cartwake.rules.holding": "tests/flows/test_held_changes.py"}
# A machine that is busy, or a place where calls are counted, is no place to measure time.
PYTEST = ["-m", "not prove and not slow", "-k", "not in_proportion", "--hypothesis-profile=mutate"]
_LEAST_SECONDS = 12
_NICE = ["nice", "-n", "19"]
TEXT = """# Mutants

`make mutate` wrote this on {date} with [mutmut](https://github.com/boxed/mutmut): it changes the pure core in one small
place at a time, and runs the tests that run that place, the quickest first and for some seconds, until one fails.
*Killed*: a test failed. *Endless*: the change made a test run many times longer. *Survived*: no test noticed. Which
mutants of a module are tried follows from a seed. A module without functions has none, nor has what is decorated.

| module | mutants | tried | killed | endless | survived | not run |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Lay the code out as mutmut wants it, choose mutants by the seed, and try those that have no outcome yet."""
    wanted = _read_arguments()
    _lay_out()
    if not _make_mutants():
        return 1
    chosen = _choose(wanted)
    outcomes = _read_outcomes()
    done = {"killed", "endless"} if wanted.again else {"killed", "endless", "survived", "not run"}
    left = [name for name in chosen if outcomes.get(name) not in done]
    random.Random(wanted.seed).shuffle(left)  # noqa: S311  # a run that is broken off has tried some of every module
    print(f"{len(chosen)} mutants, {len(chosen) - len(left)} of them tried before")
    if left and _try(left, wanted.seconds) != 0:
        return 1
    _report()
    return 0


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=["*"], help="modules of the core, as in: trackers conditions.*")
    parser.add_argument("--each", type=int, default=16, help="mutants of each module, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long the tests of one mutant may take in all")
    parser.add_argument("--again", action="store_true", help="try once more what survived")
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
    settings: dict[str, Any] = {
        "source_paths": ["cartwake"],
        "only_mutate": [f"cartwake/{name}.py" for name in CORE],
        "also_copy": ["tests", "functions", "infra", "docs", "template.yaml", "README.md", "CHANGELOG.md"],
        "pytest_add_cli_args": PYTEST,
        "pytest_add_cli_args_test_selection": _list_tests(),
        "timeout_multiplier": 6.0,
        "timeout_constant": 2.0,
        "track_dependencies": False,
        "use_git_change_detection": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    project = (ROOT / "pyproject.toml").read_text().replace('"layers/cartwake", "infra"]\naddopts', '"infra"]\naddopts')
    (PLACE / "pyproject.toml").write_text(project + "\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def _copy_package() -> None:
    """Copy the modules that changed, and forget their outcomes: mutmut makes the mutants of a newer module anew."""
    changed = set()
    for path in PACKAGE.rglob("*"):
        target = PLACE / "cartwake" / path.relative_to(PACKAGE)
        if path.suffix == ".pyc" or path.is_dir():
            continue
        if not target.exists() or target.read_bytes() != path.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            changed.add(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    kept = {name: outcome for name, outcome in _read_outcomes().items() if _name_module(name) not in changed}
    OUTCOMES.write_text("".join(json.dumps(each) + "\n" for each in kept.items()))


def _list_tests() -> list[str]:
    tests = [it for it in sorted(ROOT.glob("tests/unit/test_*.py")) if not any(fnmatch(it.stem, no) for no in LEFT_OUT)]
    return [*(str(it.relative_to(ROOT)) for it in tests), "tests/functions", *AT_FIRST.values()]


def _make_mutants() -> bool:
    """Have all mutants made, and learn which tests run which function and how long they take."""
    # There is no command for it: asked for a mutant that is not there, mutmut does this, and stops.
    command = [*_NICE, sys.executable, "-m", "mutmut", "run", "--max-children", "1", "none"]
    made = subprocess.run(command, cwd=PLACE, env=_find_mutmut(), check=False, stderr=subprocess.PIPE, text=True)
    if not STATS.exists():
        sys.stderr.write(made.stderr)
    return STATS.exists()


def _try(names: list[str], seconds: float) -> int:
    """Try mutants on one core, behind everything else: mutmut's own way collects all tests for each."""
    WANTED.write_text(json.dumps(_find_tests(names, seconds)))
    command = [*_NICE, sys.executable, "-m", "pytest", "-q", "-s", "-p", "mutants", *PYTEST, *_list_tests()]
    environment = _find_mutmut() | {"MUTANTS": str(WANTED), "OUTCOMES": str(OUTCOMES)}
    return subprocess.run(command, cwd=MADE, env=environment, check=False).returncode


def _find_mutmut() -> dict[str, str]:
    """Return an environment in which the project's Python finds mutmut too."""
    return {**os.environ, "PYTHONPATH": f"{MUTMUT}:{ROOT / 'infra'}", "PYTHONHASHSEED": "0"}


def _find_tests(names: list[str], limit: float) -> dict[str, tuple[list[str], int]]:
    """Return the quickest tests of each mutant's function, then of its module, and the seconds after which it hangs."""
    stats = json.loads(STATS.read_text())
    seconds, by_function = stats["duration_by_test"], stats["tests_by_mangled_function_name"]
    by_module: dict[str, set[str]] = {}
    for function, of_function in by_function.items():
        by_module.setdefault(function.rpartition(".")[0], set()).update(of_function)
    by_time = {test: (took, test) for test, took in seconds.items()}.get
    tests = {}
    for name in names:
        nearest = set(by_function.get(name.partition("__mutmut_")[0], []))
        # what remembers its answers was run in one test alone
        further = by_module[name.rpartition(".")[0]] - nearest
        known = [test for tests_of in (nearest, further) for test in sorted(tests_of, key=by_time)]
        sums = accumulate(seconds.get(it, 0) for it in known)
        first = AT_FIRST.get(name.rpartition(".")[0], "-")
        chosen = [test for test, so_far in zip(known, sums, strict=True) if so_far <= limit]
        chosen = list(dict.fromkeys([*(test for test in known if test.startswith(first)), *chosen]))
        tests[name] = chosen, ceil(_LEAST_SECONDS + 3 * sum(seconds[it] for it in chosen))
    return tests


def _choose(wanted: argparse.Namespace) -> list[str]:
    """Choose mutants of each module by chance; the seed and the names alone decide."""
    chosen = []
    for module, names in _read_mutants().items():
        if any(fnmatch(module, pattern) for pattern in wanted.modules):
            chance = random.Random(f"{wanted.seed}/{module}")  # noqa: S311  # chosen, not secret
            chosen += sorted(chance.sample(names, min(wanted.each, len(names))))
    return chosen


def _read_mutants() -> dict[str, list[str]]:
    """Return each module's mutants."""
    found = {}
    for path in sorted((MADE / "cartwake").rglob("*.py.meta")):
        if names := sorted(json.loads(path.read_text())["exit_code_by_key"]):
            found[str(path.relative_to(MADE / "cartwake")).removesuffix(".py.meta").replace("/", ".")] = names
    return found


def _read_outcomes() -> dict[str, str]:
    """Return what became of each mutant that was tried since its module was last changed."""
    lines = OUTCOMES.read_text().splitlines() if OUTCOMES.exists() else []
    return dict(json.loads(line) for line in lines)


def _name_module(mutant: str) -> str:
    return mutant.removeprefix("cartwake.").rpartition(".")[0]


def _report() -> None:
    """Write the page of all that was tried; a reason that was written beside a survivor stays there."""
    reasons = _read_reasons()
    outcomes = _read_outcomes()
    mutants = _read_mutants()
    chosen = [name for names in mutants.values() for name in names if name in outcomes]
    rows = []
    for module in sorted({_name_module(name) for name in chosen}):
        of_module = [outcomes[name] for name in chosen if _name_module(name) == module]
        counts = [of_module.count(it) for it in ("killed", "endless", "survived", "not run")]
        rows.append([f"`{module}`", len(mutants[module]), len(of_module), *counts])
    rows.append(["all", *(sum(row[at] for row in rows) for at in range(1, 7))])
    survivors = [
        f"- {it}: {reasons.get(it, '?')}"
        for it in sorted(_describe(n) for n in chosen if outcomes[n] in {"survived", "not run"})
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
    sys.path[:0] = [] if "mutmut" in sys.modules else [str(MUTMUT)]
    from mutmut.mutation.diff_apply import find_mutant, get_diff_for_mutant  # noqa: PLC0415  installed by now

    with contextlib.chdir(PLACE):
        shown = get_diff_for_mutant(mutant, path=find_mutant(mutant).path)
    lines = [line for line in shown.splitlines() if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]
    before, after = ([line[1:].strip() for line in lines if line[0] == sign] for sign in "-+")
    function = mutant.rpartition(".")[2].partition("__mutmut")[0].removeprefix("x").replace("ǁ", ".").lstrip("._")
    return f"`{_name_module(mutant)}`, {function}: `{' '.join(before)}` → `{' '.join(after)}`"


if __name__ == "__main__":
    sys.exit(main())
