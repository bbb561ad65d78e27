"""Nothing lost, nothing twice: the real functions, in worlds that fail in every way AWS can.

The worlds are in processes of their own: their clock, their chance and their AWS are none of this one's.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from simulation.crew import ROOT, Crew, Told, copy_code
from simulation.found import FOUND_POINTS, FOUND_SEEDS
from simulation.hunt import hunt
from simulation.planted import PLANTED, Planted
from simulation.report import Report, find_thin
from simulation.sweep import count_points, list_points, list_seeds, name_point, read_point

SEEDS = 100
PATIENCE = "a webhook is tried for as long as was said"
QUICK = (
    "the caps are not looked at",
    "exits are looked up under one source key only",
    "the SES client retries",
    "a webhook is told again under a new id",
)
ALL_THE_WAY = """
import sys
from simulation import setting
setting.prepare()
from simulation import gate, receivers
gate.install()
receivers.install()
setting.scale_down()
from simulation.swarm import run_seed
result = run_seed(int(sys.argv[1]))
print(result.digest, result.calls)
"""
"""What a worker does, without the shortcut."""


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Two processes in which worlds are lived through, over the code as it is now."""
    with Crew(size=2) as crew:
        yield crew


def demand(told: Told) -> None:
    """Demand that every promise was kept; the message is the command that repeats the world."""
    thin = find_thin(told)
    assert not told["violations"], f"{name_point(told['asked'])}: {told['violations'][:3]}"
    assert not thin, f"{name_point(told['asked'])}: {thin}"


def test_one_seed_gives_one_history() -> None:
    """Two processes that live through the same seed have the same history, to the byte; another seed has another."""
    with Crew(size=1) as one, Crew(size=1) as other:
        told = [one.ask({"job": "seed", "seed": seed}) for seed in (7, 8)]
        other.ask({"job": "sites", "story": "purchase in time"})
        again = [other.ask({"job": "seed", "seed": seed}) for seed in (8, 7)]
    assert [it["digest"] for it in told] == [it["digest"] for it in reversed(again)]
    assert told[0]["digest"] != told[1]["digest"]


def test_the_shortcut_changes_no_history(crew: Crew) -> None:
    """A world whose every call goes all the way through the SDK has the same history, to the byte."""
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT / "tests")}
    for seed in (3, 631):
        told = crew.ask({"job": "seed", "seed": seed})
        command = [sys.executable, "-c", ALL_THE_WAY, str(seed)]
        whole = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
        assert whole.stdout.split() == [told["digest"], str(told["calls"])]


def test_every_fault_at_every_place(crew: Crew) -> None:
    """One point of the sweep for each place in the code that calls AWS, and each fault there."""
    points = list_points(crew, whole=False)
    stories, places, faults = count_points(points)
    assert stories >= 8
    assert places >= 130
    assert faults == 8
    for told in crew.ask_all(points):
        demand(told)


def test_random_worlds(crew: Crew) -> None:
    """A hundred small random worlds, each with people, time and faults enough, in which every promise is kept."""
    report = Report()
    # in small worlds hardly any receiver is down for so long
    patient = crew.ask(read_point("a webhook that is never taken/1/throttled"))
    demand(patient)
    report.premises[PATIENCE] += patient["premises"][PATIENCE]
    # from the last one, which is large: both processes then end at the same time
    for told in crew.ask_all(reversed(list(list_seeds(0, SEEDS, small=True)))):
        demand(told)
        report.add(told)
    assert not report.find_zeros()


@pytest.mark.parametrize("seed", FOUND_SEEDS)
def test_found_seeds(crew: Crew, seed: int) -> None:
    """A world in which something was found stays as it was mended."""
    demand(crew.ask({"job": "seed", "seed": seed}))


@pytest.mark.parametrize("point", FOUND_POINTS)
def test_found_points(crew: Crew, point: str) -> None:
    """A point of the sweep at which something was found stays as it was mended."""
    demand(crew.ask(read_point(point)))


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_planted_faults_are_still_faults(planted: Planted) -> None:
    """What a planted fault replaces is in the code."""
    assert len(PLANTED) >= 20
    for file, old, new in planted.changes:
        assert copy_code({file: [(old, new)]})


@pytest.mark.parametrize("name", QUICK)
def test_the_simulator_bites(name: str) -> None:
    """A planted fault is seen; `make prove` looks for all of them."""
    found, _ = hunt(PLANTED[name], size=1)
    assert 0 < found <= PLANTED[name].within
