"""Proving: the whole sweep and thousands of seeds, resumed where they were left, with what is found kept."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulation.crew import ROOT, Crew, Job, copy_code
from simulation.hunt import hunt
from simulation.planted import PLANTED
from simulation.report import Report, read_report
from simulation.sweep import count_points, list_points, list_seeds

KEPT = ROOT / ".build" / "simulation"
PAGE = ROOT / "docs" / "simulated.md"
KEPT_EVERY = 20


def simulate(first: int, count: int, *, small: bool = False, size: int = 2) -> Report:
    """Live through some seeds, and say how it goes; what this code has passed is not done again."""
    code = copy_code()
    with Crew(code, size=size) as crew:
        jobs = list(list_seeds(first, count, small=small))
        return go_through(f"{'small ' if small else ''}seeds {first} {count}", jobs, crew, code)


def sweep(*, size: int = 2) -> tuple[Report, list[Job]]:
    """Go through the whole sweep."""
    code = copy_code()
    with Crew(code, size=size) as crew:
        points = list_points(crew, whole=True)
        return go_through("sweep", points, crew, code), points


def go_through(name: str, jobs: list[Job], crew: Crew, code: Path) -> Report:
    """Have jobs done, from where they were left."""
    kept = KEPT / f"{name.replace(' ', '-')}-{code.name}-{name_simulator()}.json"
    report, done = load(kept)
    began = time.monotonic()
    for told in crew.ask_all(jobs[done:]):
        before = len(report.broken)
        report.add(told)
        done += 1
        for line in report.broken[before:]:
            print(f"\nbroken; to repeat it: {line}", flush=True)
        if done % KEPT_EVERY == 0 or done == len(jobs):
            kept.write_text(json.dumps({"report": report.to_dict(), "done": done}))
            show(name, done, len(jobs), time.monotonic() - began)
    print(flush=True)
    return report


def prove_all(*, seeds: int, size: int = 2) -> bool:
    """Do all of it, and write the page; False when a promise was broken or a planted fault was not seen."""
    swept, points = sweep(size=size)
    lived = simulate(0, seeds, size=size)
    hunted = hunt_all()
    PAGE.write_text(write_page(swept, points, lived, hunted))
    print(f"written to {PAGE.relative_to(ROOT)}")
    print_all([*swept.broken, *lived.broken, *(f"never: {it}" for it in lived.find_zeros())])
    print_all(f"not seen: {name}" for name, number in hunted.items() if not number)
    return is_good(swept, zeros=False) and is_good(lived, zeros=True) and all(hunted.values())


def hunt_all() -> dict[str, int]:
    """Look for every planted fault, and return after how many worlds each is seen; what was seen is not looked for."""
    kept = KEPT / f"hunted-{copy_code().name}-{name_simulator()}.json"
    hunted: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    wanted = [name for name in PLANTED if not hunted.get(name)]
    with ThreadPoolExecutor(2) as pool:
        for name, (number, _) in zip(wanted, pool.map(lambda it: hunt(PLANTED[it]), wanted), strict=True):
            hunted[name] = number
            kept.write_text(json.dumps(hunted))
            print(f"  planted: {name}: {f'seen in world {number}' if number else 'NOT SEEN'}", flush=True)
    return hunted


def write_page(swept: Report, points: list[Job], lived: Report, hunted: dict[str, int]) -> str:
    """Return the page of figures."""
    stories, calls, faults = count_points(points)
    lines = [
        "# Simulated",
        "",
        f"`make prove` wrote this on {datetime.now(UTC):%Y-%m-%d}; [reliability](reliability.md) says what it means.",
        "",
        f"Sweep: {stories} stories, {calls} calls x {faults} faults = {len(points):,} worlds.",
        f"Broken: {len(swept.broken)}.",
        "",
        f"Random worlds: {lived.worlds:,} seeds, {lived.calls:,} calls of AWS, {lived.mails:,} messages sent.",
        f"Broken: {len(lived.broken)}.",
        "",
        *make_table("fault, in random worlds", "fired", lived.fired),
        *make_table("promise, in random worlds", "put to the test", lived.premises),
        *make_table("planted fault", "seen in world", hunted),
    ]
    return "\n".join(lines).rstrip() + "\n"


def make_table(what: str, how: str, counted: Mapping[str, int]) -> list[str]:
    """Return a table."""
    return [f"| {what} | {how} |", "|---|---|", *(f"| {name} | {it:,} |" for name, it in sorted(counted.items())), ""]


def load(kept: Path) -> tuple[Report, int]:
    """Return what was kept, or a beginning."""
    if not kept.exists():
        return Report(), 0
    found: dict[str, Any] = json.loads(kept.read_text())
    return read_report(found["report"]), found["done"]


def show(name: str, done: int, of: int, seconds: float) -> None:
    """Print how far it is."""
    end = "\r" if sys.stdout.isatty() else "\n"
    print(f"  {name}: {done} of {of}, {seconds:.0f} s", end=end, flush=True)


def name_simulator() -> str:
    """Return what stands for the simulator's own code: under another one, what was passed must be passed again."""
    from hashlib import sha256

    told = {
        "crew",
        "found",
        "hunt",
        "planted",
        "prove",
        "report",
        "test_simulation",
        "test_thousands",
        "thousands",
    }  # no part of any world
    files = sorted(it for it in (ROOT / "tests" / "simulation").glob("*.py") if it.stem not in told)
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]


def tell(report: Report, *, zeros: bool) -> Iterator[str]:
    """Yield the lines of a report.

    Args:
        report: What came of it.
        zeros: Whether what never happened is a failure: it is in many worlds, and means nothing in a few.
    """
    yield f"{report.worlds} worlds, {report.calls} calls of AWS, {report.mails} messages, {len(report.broken)} broken"
    for title, counted in (("fault", report.fired), ("promise", report.premises)):
        yield from (f"  {count:>9}  {title}: {name}" for name, count in sorted(counted.items()))
    if zeros:
        yield from (f"          0  never: {name}" for name in report.find_zeros())


def is_good(report: Report, *, zeros: bool) -> bool:
    """Say whether nothing was broken and, where that counts, nothing was left out."""
    return not report.broken and not (zeros and report.find_zeros())


def print_all(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        print(line)
