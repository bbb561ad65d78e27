"""A plugin of pytest that tries mutants: tests are collected once, and run in a fork for each, the quickest first.

`infra/mutate.py` starts it. `MUTANTS` names a file with `{mutant: [[test, ...], seconds]}`; outcomes are appended to
the file that `OUTCOMES` names, a line for each.
"""

import gc
import json
import os
import resource
import signal
import time
import warnings
from pathlib import Path

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test

LONGEST_SECONDS = 600
MOST_BYTES = 6_000_000_000


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try each mutant instead of running the tests."""
    wanted: dict[str, tuple[list[str], int]] = json.loads(Path(os.environ["MUTANTS"]).read_text())
    items = {item.nodeid: item for item in session.items}
    gc.freeze()
    warnings.filterwarnings("ignore", "This process .* is multi-threaded")
    began, survived = time.monotonic(), 0
    with Path(os.environ["OUTCOMES"]).open("a") as outcomes:
        for number, (mutant, (tests, most)) in enumerate(wanted.items(), start=1):
            outcome = _try(mutant, [items[test] for test in tests if test in items], most)
            survived += outcome == "survived"
            outcomes.write(json.dumps([mutant, outcome]) + "\n")
            outcomes.flush()
            seconds = time.monotonic() - began
            print(f"{number}/{len(wanted)}  {survived} survived, {seconds:.0f} s: {outcome} {mutant}", flush=True)
    return True


def _try(mutant: str, items: list[pytest.Item], seconds: int) -> str:
    if not items:
        return "not run"
    child = os.fork()
    if child == 0:
        os._exit(_run(mutant, items, seconds))
    _, status = os.waitpid(child, 0)
    return {0: "survived", 1: "killed"}.get(os.waitstatus_to_exitcode(status), "endless")


def _run(mutant: str, items: list[pytest.Item], seconds: int) -> int:
    """Run tests until one fails, for so many seconds of the processor's time at most."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for standard in (1, 2):
        os.dup2(nowhere, standard)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST_SECONDS)
    set_mutant_under_test(mutant)
    session = items[0].session
    try:
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return 1
    except BaseException:  # noqa: BLE001  # also what a test raises to stop pytest
        return 1
    return 0
