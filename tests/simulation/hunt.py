"""The hunt: looks for a planted fault, point by point and seed by seed, until it is seen."""

from collections.abc import Iterator

from simulation.crew import Crew, Job, Told, copy_code
from simulation.planted import Planted


def hunt(planted: Planted, *, size: int = 1) -> tuple[int, Told]:
    """Return after how many worlds a planted fault is seen, and what is seen; 0 when it never is within its number."""
    changes: dict[str, list[tuple[str, str]]] = {}
    for file, old, new in planted.changes:
        changes.setdefault(file, []).append((old, new))
    told: Told = {}
    with Crew(copy_code(changes), size=size) as crew:
        for number, job in enumerate(_list_jobs(crew, planted), start=1):
            told = crew.ask(job)
            if told["violations"]:
                return number, told
            if number >= planted.within:
                break
    return 0, told


def _list_jobs(crew: Crew, planted: Planted) -> Iterator[Job]:
    if not planted.story:
        for seed in range(planted.first_seed, planted.first_seed + planted.within):
            yield {"job": "seed", "seed": seed}
        return
    if not planted.faults:
        yield {"job": "sites", "story": planted.story}
        return
    calls = len(crew.ask({"job": "sites", "story": planted.story})["sites"])
    for fault in planted.faults:
        for at in range(1, calls + 1):
            yield {"job": "point", "story": planted.story, "at": at, "fault": fault.value}
