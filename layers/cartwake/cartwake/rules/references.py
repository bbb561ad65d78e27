"""References: which segment or score reads which other, and what is wrong with that."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cartwake.rules.compiling.desk import Place, Reads
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import PREDICTIONS

_BEGINS: Final = {"segments": "where", "scores": "points"}

LONGEST_CHAIN: Final = 40
"""How many segments and scores may refer to each other in a row."""


class Chain(NamedTuple):
    """How many files a chain of references has, and the second of them; "" where there is only the first."""

    length: int
    then: str


@dataclass(slots=True)
class References:
    """What every file reads.

    Attributes:
        segments: The names that there are.
        scores: The names that there are.
        are_fitted: Whether there is a fitted model for predictions.
        partial: Only a part of all files is there: of a folder without files nothing is missed.
        reads: What each file reads.
    """

    segments: Collection[str]
    scores: Collection[str]
    are_fitted: bool
    partial: bool
    reads: dict[str, Reads] = field(default_factory=dict)

    def close(self, file: str) -> set[str]:
        """Return *file* and every file that it reads, through others too."""
        found, waiting = {file}, [file]
        while waiting:
            news = [other for other in self._list_next(waiting.pop()) if other in self.reads and other not in found]
            found |= set(news)
            waiting += news
        return found

    def close_reads(self, reads: Reads) -> Reads:
        """Return *reads* with what the segments and scores among it read."""
        names = [f"segments/{name}.json" for name, _ in reads.segments]
        names += [f"scores/{name}.json" for name, _ in reads.scores]
        below = {file for name in names if name in self.reads for file in self.close(name)}
        return join_reads(reads, gather(self.reads, below))

    def find_faults(self, file: str) -> list[Conflict]:
        """Return what is wrong with what a file reads, but for cycles."""
        reads = self.reads[file]
        found = self._find_unknown(file, "segment", reads.segments) + self._find_unknown(file, "score", reads.scores)
        if not self.are_fitted:
            found += [_tell_unfitted(file, place) for place in reads.fitted]
        if not file.startswith(("journeys/", "campaigns/")):
            found += [_tell_since_start(file, path) for path in reads.since_start]
        return found

    def find_unknown_shown(self, file: str, shown: Mapping[str, str]) -> list[Conflict]:
        """Return a fault for each score that a text shows and that there is not.

        Args:
            file: In which the text stands.
            shown: By the name of the score, as texts write it, the place.
        """
        if self.partial and not self.scores:
            return []
        known = {name.replace("-", "_") for name in self.scores}
        found = []
        for name, path in shown.items():
            if name not in known:
                other = f"scores/{name.replace('_', '-')}.json"
                message = f'There is no score "{name}" ({other}).'
                fault = Fault(file=file, path=path, message=message, suggestion=find_nearest(name, known))
                found.append(Conflict(fault, (file, other)))
        return found

    def find_cycles(self) -> list[Conflict]:
        """Return a fault for every segment and score that refers to itself, be it through others."""
        below = self._measure()
        ways = {file: self._find_way_back(file, below) for file in self.reads if file not in below}
        return [_tell_cycle(file, way) for file, way in ways.items() if way]

    def find_chains(self) -> list[Conflict]:
        """Return a fault for every segment and score with which a chain of references becomes too long."""
        below = self._measure()
        first = [file for file, (length, _) in below.items() if length == LONGEST_CHAIN + 1]
        return [_tell_chain(_follow(file, below)) for file in first if file.partition("/")[0] in _BEGINS]

    def _list_next(self, file: str) -> list[str]:
        reads = self.reads[file]
        names = (("segments", reads.segments), ("scores", reads.scores))
        return [f"{folder}/{name}.json" for folder, places in names for name, _ in places]

    def _measure(self) -> dict[str, Chain]:
        """Return the longest chain that begins with each file, but for those that are in a cycle or lead to one."""
        below = {
            file: [name for name in dict.fromkeys(self._list_next(file)) if name in self.reads] for file in self.reads
        }
        above: dict[str, list[str]] = {file: [] for file in below}
        for file, names in below.items():
            for name in names:
                above[name].append(file)
        missing = {file: len(names) for file, names in below.items()}
        waiting = [file for file, count in missing.items() if not count]
        chains: dict[str, Chain] = {}
        while waiting:
            file = waiting.pop()
            deepest = max(below[file], key=lambda name: chains[name].length, default="")
            chains[file] = Chain(chains[deepest].length + 1 if deepest else 1, deepest)
            for reader in above[file]:
                missing[reader] -= 1
                if not missing[reader]:
                    waiting.append(reader)
        return chains

    def _find_way_back(self, goal: str, settled: Collection[str]) -> tuple[str, ...]:
        """Return the shortest way from a file back to it; () where there is none."""
        came_from = {goal: ""}
        waiting = deque([goal])
        while waiting:
            at = waiting.popleft()
            for name in self._list_next(at):
                if name == goal:
                    return tuple(reversed(list(_walk_back(at, came_from))))
                if name in self.reads and name not in came_from and name not in settled:
                    came_from[name] = at
                    waiting.append(name)
        return ()

    def _find_unknown(self, file: str, what: str, places: list[Place]) -> list[Conflict]:
        known = self.segments if what == "segment" else self.scores
        if self.partial and not known:
            return []
        found = []
        for name, path in places:
            other = f"{what}s/{name}.json"
            if name not in known:
                message = f'There is no {what} "{name}" ({other}).'
                fault = Fault(file=file, path=path, message=message, suggestion=find_nearest(name, known))
                found.append(Conflict(fault, (file, other)))
        return found


def gather(reads: Mapping[str, Reads], files: Collection[str]) -> Reads:
    """Return what several files read together."""
    whole = Reads()
    for file in files:
        whole.events |= reads[file].events
        whole.traits |= reads[file].traits
        whole.known |= reads[file].known
        whole.fitted += reads[file].fitted
    return whole


def join_reads(one: Reads, other: Reads) -> Reads:
    """Return what two parts of a file read."""
    return Reads(
        events=one.events | other.events,
        traits=one.traits | other.traits,
        known=one.known | other.known,
        segments=one.segments + other.segments,
        scores=one.scores + other.scores,
        fitted=one.fitted + other.fitted,
        since_start=one.since_start + other.since_start,
    )


def _follow(file: str, chains: Mapping[str, Chain]) -> tuple[str, ...]:
    return (file, *(_follow(chains[file].then, chains) if chains[file].then else ()))


def _walk_back(at: str, came_from: Mapping[str, str]) -> Iterator[str]:
    while at:
        yield at
        at = came_from[at]


def _tell_chain(way: tuple[str, ...]) -> Conflict:
    folder = way[0].partition("/")[0]
    names = " → ".join(_name(each, folder) for each in way)
    message = f"At most {LONGEST_CHAIN} refer to each other in a row: {names}."
    return Conflict(Fault(file=way[0], path=_BEGINS.get(folder, ""), message=message), way)


def _tell_cycle(file: str, way: tuple[str, ...]) -> Conflict:
    folder = file.partition("/")[0]
    names = " → ".join(_name(each, folder) for each in (*way, file))
    message = f"The {folder.removesuffix('s')} refers to itself: {names}."
    return Conflict(Fault(file=file, path=_BEGINS.get(folder, ""), message=message), way)


def _name(file: str, folder: str) -> str:
    of, _, name = file.removesuffix(".json").partition("/")
    return name if of == folder else f"{of.removesuffix('s')} {name}"


def _tell_unfitted(file: str, place: Place) -> Conflict:
    name, path = place
    message = f'"{name}" comes from a model of your own orders, and there is none: {PREDICTIONS} is missing.'
    fault = Fault(file=file, path=path, message=message, example="cartwake fit")
    return Conflict(fault, (file, PREDICTIONS))


def _tell_since_start(file: str, path: str) -> Conflict:
    what = file.partition("/")[0].removesuffix("s")
    message = f'"since": "start" counts from the start of a journey; a {what} has none.'
    return Conflict(Fault(file=file, path=path, message=message, example='"in_last": "30 days"'), (file,))
