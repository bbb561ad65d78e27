"""The sweep: every story, every call of AWS that it makes, every fault there."""

from collections.abc import Iterator

from simulation.crew import Crew, Job
from simulation.faults import SWEPT, Fault

SHARED = "base.py:"
"""What every write of the store goes through: it is nobody's own place."""


def list_points(crew: Crew, *, whole: bool) -> list[Job]:
    """Return every point of the sweep, or one for each place in the code and fault.

    Args:
        crew: Plays each story once without faults, to see which calls it makes.
        whole: Every call, not just the first one from each place.
    """
    points: list[Job] = []
    known: set[str] = set()
    found = crew.ask({"job": "stories"})
    lived = crew.ask_all({"job": "sites", "story": it} for it in found["stories"])
    # of the stories that come to a place the shortest one is quickest
    for told in sorted(lived, key=lambda it: len(it["sites"])):
        story = told["asked"]["story"]
        if told["violations"]:
            raise AssertionError(f"{story}, without any fault: {told['violations']}")
        if whole and story not in found["swept"]:
            continue
        for at, way in enumerate(told["sites"], start=1):
            site = name_place(way)
            if whole or site not in known:
                known.add(site)
                points += [{"job": "point", "story": story, "at": at, "fault": it.value} for it in SWEPT]
    return points


def name_place(way: str) -> str:
    """Return what stands for a place in the code: a call with its tables, and who makes it, by whatever way."""
    call, *frames = way.split(" < ")
    own = [it for it in frames if not it.startswith(SHARED)] or frames
    return " < ".join([call, *own[:1]])


def count_points(points: list[Job]) -> tuple[int, int, int]:
    """Return how many stories, calls and faults the points are made of."""
    stories = {it["story"] for it in points}
    calls = {(it["story"], it["at"]) for it in points}
    return len(stories), len(calls), len({it["fault"] for it in points})


def name_point(job: Job) -> str:
    """Return the command that repeats a point or a seed."""
    if job["job"] == "seed":
        small = " ARGS=--small" if job.get("small") else ""
        return f"make simulate SEEDS=1 FROM={job['seed']}{small}"
    return f'make simulate POINT="{job["story"]}/{job["at"]}/{job["fault"]}"'


def read_point(text: str) -> Job:
    """Return the point that a command names."""
    story, at, fault = text.split("/")
    return {"job": "point", "story": story, "at": int(at), "fault": Fault(fault).value}


def list_seeds(first: int, count: int, *, small: bool = False) -> Iterator[Job]:
    """Yield the jobs of some seeds, each of a usual world or of a small one."""
    for seed in range(first, first + count):
        yield {"job": "seed", "seed": seed} | ({"small": True} if small else {})
