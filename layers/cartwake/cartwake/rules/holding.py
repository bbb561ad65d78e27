"""Holding: a change that may move many people into or out of segments is set apart, and all else goes live."""

from collections.abc import Iterable, Mapping

import msgspec

from cartwake.bundles import Bundle
from cartwake.rules.doubts.names import Seen
from cartwake.rules.files import PREDICTIONS, SETTINGS
from cartwake.rules.publication import FileStatus, InUse, Publication, Sources, choose
from cartwake.sweeps import Aim
from cartwake.times import Instant
from cartwake.trials import Result, find_changed, name_basis, name_candidate

_DEFINING = ("segments/", "scores/", PREDICTIONS)
"""Files that say who belongs where; settings.json does so in a few of its fields."""

type Texts = dict[str, str | None]
"""What stands in each file of a change; None where it was deleted."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is looked at before it goes live.

    Attributes:
        whole: What would be live with it.
        rest: What is live without it.
        texts: Its files.
        names: The segments that it changes.
        candidate: Its own name: the same files always have the same.
        basis: The name of the definitions that it changes.
        limit: How many people it may move without being asked.
        result: How many it would move; None until they are counted.
    """

    whole: Publication
    rest: Publication
    texts: Texts
    names: tuple[str, ...]
    candidate: str
    basis: str
    limit: int
    result: Result | None = None

    @property
    def is_small(self) -> bool:
        """Whether it moves so few people that nobody need be asked."""
        return self.result is not None and self.result.people <= self.limit

    def aim(self, *, bundle: str, generation: int, now: Instant) -> Aim:
        """Return what a trial of the change is for, of which *bundle* is what would be live."""
        return Aim(
            bundle=bundle,
            generation=generation,
            candidate=self.candidate,
            basis=self.basis,
            names=self.names,
            began_at=now,
        )


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What is live, what it was made of, and the names that were seen lately."""

    rules: Bundle
    sources: Sources
    seen: Seen = Seen()


def find_change(files: Mapping[str, bytes], found: Publication, before: Before, now: Instant) -> Change | None:
    """Return the change that *found* would make to segments, if there is a limit on it; templates move nobody.

    Args:
        files: All files in the bucket.
        found: What they make.
        before: What is live.
        now: The time.
    """
    if found.bundle is None:
        return None
    limit, names = _find_limit(found.bundle, before.rules), find_changed(found.bundle, before.rules)
    if limit is None or not names:
        return None
    texts, rest = _set_apart(files, found, before, now)
    return Change(
        whole=found,
        rest=rest,
        texts=texts,
        names=names,
        candidate=name_candidate(texts, found.bundle),
        basis=name_basis(before.rules),
        limit=limit,
    )


def _find_limit(candidate: Bundle, live: Bundle) -> int | None:
    """Return the stricter limit: a change is held though it takes the limit away, or brings it."""
    limits = (candidate.settings.limit_moved, live.settings.limit_moved)
    return min((limit for limit in limits if limit is not None), default=None)


def _loosens(candidate: Bundle | None, live: Bundle) -> bool:
    """Say whether a change takes the limit away, or raises it: else it would go live first, and the change after it."""
    limit, before = candidate.settings.limit_moved if candidate else None, live.settings.limit_moved
    return before is not None and (limit is None or limit > before)


def _set_apart(
    files: Mapping[str, bytes], found: Publication, before: Before, now: Instant
) -> tuple[Texts, Publication]:
    """Return the files that change segments, and what goes live without them: settings.json stays back if it must."""
    texts: Texts = {}
    everything = (*_DEFINING, SETTINGS)
    for apart in (everything if _loosens(found.bundle, before.rules) else _DEFINING, everything):
        texts = _list_texts(found.sources, before.sources, apart)
        kept = _put_back(files, texts, before.sources)
        rest = choose(kept, live=before.rules, sources=before.sources, now=now, seen=before.seen)
        if rest.bundle is None or not find_changed(rest.bundle, before.rules):
            return texts, _mark(rest, texts, found, before.sources)
    # the files are what they were, and mean something else: Cartwake itself has changed
    nothing = Publication(bundle=None, sources=before.sources, files=rest.files, problem=rest.problem)
    return texts, _mark(nothing, texts, found, before.sources)


def _list_texts(found: Sources, live: Sources, begin: Iterable[str]) -> Texts:
    names = sorted(found.files.keys() | live.files.keys())
    return {
        file: found.files.get(file)
        for file in names
        if file.startswith(tuple(begin)) and found.files.get(file) != live.files.get(file)
    }


def _put_back(files: Mapping[str, bytes], texts: Texts, sources: Sources) -> dict[str, bytes]:
    kept = {file: content for file, content in files.items() if file not in texts}
    return kept | {file: sources.files[file].encode() for file in texts if file in sources.files}


def _mark(rest: Publication, texts: Texts, whole: Publication, sources: Sources) -> Publication:
    """Say of the files of a change, and of those that are right only with it, that they are held."""
    needing = {
        file
        for file, status in rest.files.items()
        if status.state == "rejected" and file in whole.files and whole.files[file].state == "live"
    }
    held = {
        file: FileStatus(state="held", in_use=InUse.LAST_GOOD if file in sources.files else InUse.NONE)
        for file in texts.keys() | needing
    }
    return msgspec.structs.replace(rest, files=dict(sorted((rest.files | held).items())))
