"""Surveys: every stored profile is looked at once, in parts read side by side, and none is kept but a sample."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock
from typing import Final, Protocol

from cartwake.backfill import ReadEvents
from cartwake.conditions.kinds import InSegment
from cartwake.events import short_id
from cartwake.profiles import Profile
from cartwake.times import Instant
from cartwake_cli.lacks import Lack
from cartwake_cli.reasons_tree import find_reason, list_lacks
from cartwake_cli.trying import Fate, Finding, Trial, look

PARTS: Final = 4
SHOWN: Final = (Fate.ENTERS, Fate.LEAVES, Fate.STAYS)


class Source(Protocol):
    """Where profiles and their events are read from, by several threads at once."""

    def read_pages(self, part: int, parts: int) -> Iterator[list[Profile]]:
        """Yield the rows of one of several disjoint parts of all, page by page."""

    def read_events(self, profile: Profile) -> ReadEvents:
        """Return what gives the stored events of a profile."""


@dataclass(slots=True)
class Missing:
    """How many people lack something, and how much of it the poorest and the richest of them have."""

    people: int = 0
    least_ms: int | None = None
    most_ms: int | None = None

    def add(self, lack: Lack) -> None:
        """Count one more."""
        self.people += 1
        if lack.there_ms is not None:
            self.least_ms = lack.there_ms if self.least_ms is None else min(self.least_ms, lack.there_ms)
            self.most_ms = lack.there_ms if self.most_ms is None else max(self.most_ms, lack.there_ms)


@dataclass(slots=True)
class Survey:
    """What is counted, and a sample of each fate: always the same people, whatever order they are read in.

    Attributes:
        most: How many people a sample has.
        read: Rows of any kind.
        missing: By the part of the definition that is not known and what it needs.
    """

    trial: Trial
    most: int
    read: int = 0
    people: int = 0
    unknown: int = 0
    backfilled: int = 0
    fates: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    missing: dict[tuple[str, str], Missing] = field(default_factory=dict)
    samples: dict[Fate, list[tuple[int, str, Finding]]] = field(default_factory=lambda: {fate: [] for fate in SHOWN})

    @property
    def members(self) -> int:
        """How many would be in the segment."""
        return self.fates[Fate.ENTERS] + self.fates[Fate.STAYS]

    @property
    def members_live(self) -> int:
        """How many are in it now."""
        return self.fates[Fate.LEAVES] + self.fates[Fate.STAYS]

    def add(self, finding: Finding) -> None:
        """Count one shopper."""
        self.people += 1
        self.backfilled += finding.backfilled
        self.fates[finding.fate] += 1
        if not finding.known:
            self.unknown += 1
            reason = find_reason(InSegment(segment=self.trial.segment), finding.view)
            for says, lack in dict(list_lacks(reason)).items():
                self.missing.setdefault((says, lack.why), Missing()).add(lack)
        if finding.fate in self.samples and self.most:
            self._sample(finding)

    def list_sample(self, fate: Fate) -> list[Finding]:
        """Return the sample of a fate, in order of their keys."""
        return [finding for _, _, finding in sorted(self.samples[fate], key=lambda each: each[1])]

    def _sample(self, finding: Finding) -> None:
        """Keep those of the highest rank, which is a function of the key: it is drawn, and the same each time."""
        who, sample = finding.profile.who, self.samples[finding.fate]
        entry = (short_id(f"sample\x1f{who}"), who, finding)
        if len(sample) < self.most:
            heapq.heappush(sample, entry)
        elif entry[:2] > sample[0][:2]:
            heapq.heapreplace(sample, entry)


def conduct(
    trial: Trial, source: Source, *, most: int, now: Instant, report: Callable[[int], None] = lambda _: None
) -> Survey:
    """Return what a trial makes of everybody.

    Args:
        trial: What is tried.
        source: Where they are read from.
        most: How many people each sample has.
        now: The time, for all of them.
        report: Is told how many rows more are read.
    """
    survey, lock, stopped = Survey(trial, most), Lock(), Flag()

    def read_part(part: int) -> None:
        for page in source.read_pages(part, PARTS):
            if stopped.is_set():
                return
            found = list(_look_at_all(page, trial, source, now))
            with lock:
                survey.read += len(page)
                for finding in found:
                    survey.add(finding)
                report(len(page))

    with ThreadPoolExecutor(PARTS, thread_name_prefix="survey") as pool:
        try:
            for future in as_completed([pool.submit(read_part, part) for part in range(PARTS)]):
                future.result()
        finally:
            stopped.set()
    return survey


def _look_at_all(page: Iterable[Profile], trial: Trial, source: Source, now: Instant) -> Iterator[Finding]:
    for profile in page:
        finding = look(profile, trial, source.read_events(profile), now)
        if finding is not None:
            yield finding
