"""Publication: what goes live of what is in the bucket, file by file, so that no fault takes away what worked."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from itertools import chain
from typing import Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.rules.choosing import Chooser, normalise
from cartwake.rules.compile import Linked
from cartwake.rules.doubts.names import Seen
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.faults import Fault
from cartwake.times import Instant

SOURCES_VERSION: Final = 1
_WAITING: Final = "The file waits: nothing is taken over before the files that have faults are mended."


class InUse(StrEnum):
    """Which version of a file is in use."""

    CURRENT = "current"
    LAST_GOOD = "last_good"
    NONE = "none"


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The files that a bundle was made of."""

    version: int = SOURCES_VERSION
    files: dict[str, str] = {}


class FileStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file.

    Attributes:
        state: `live`; `held` with a change that waits; or `rejected`: then `in_use` says what counts instead.
        warnings: What is allowed in the version that is in use, and hardly meant.
    """

    state: str
    in_use: InUse
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What to do.

    Attributes:
        bundle: To be live; None when there is nothing that could be.
        sources: What it was made of.
        files: What became of every file.
        problem: What failed though nobody foresaw it, so that not all of the files could go live.
    """

    bundle: Bundle | None
    sources: Sources
    files: dict[str, FileStatus]
    problem: str = ""

    def is_news(self, live: Bundle | None, sources: Sources) -> bool:
        """Say whether the bundle differs from what is live, in its sources or in what was made of them."""
        if self.bundle is None or live is None:
            return self.bundle is not None
        return self.sources != sources or msgspec.structs.replace(self.bundle, generation=live.generation) != live


def choose(  # noqa: PLR0913  what there is, what is live, and what is known of the world
    current: Mapping[str, bytes],
    *,
    live: Bundle | None = None,
    sources: Sources | None = None,
    now: Instant = 0,
    seen: Seen | None = None,
) -> Publication:
    """Return what goes live.

    A file with a fault is replaced by its last good version. Where files do not fit together, the first one of those
    concerned that changed is; and so on until all fit, which the files of the live bundle do. Where none of those
    concerned changed, all that did are replaced. In the end whichever fits is taken over after all, as far as the
    number of tries goes.

    Args:
        current: All files in the bucket.
        live: The bundle that is live.
        sources: What that was made of.
        now: The time.
        seen: The names of events and traits that came in lately, where that is known; for warnings.
    """
    chooser = Chooser(current, live=live, last=sources.files if sources else {}, now=now)
    linked = chooser.choose()
    found = _tell(chooser, linked)
    if linked is None:
        return found
    broken = [file for file, status in found.files.items() if status.state == "rejected" and file in current]
    contents = {file: chooser.read(file, text.encode()) for file, text in found.sources.files.items()}
    used = {file: it for file, it in contents.items() if not isinstance(it, tuple)}
    return _warn(found, (*linked.borne, *find_doubts(used, broken=broken, seen=seen or Seen(), now=now)))


def encode_sources(sources: Sources) -> bytes:
    """Return the sources as JSON bytes."""
    return msgspec.json.encode(sources, order="deterministic")


def decode_sources(content: bytes) -> Sources:
    """Return what `encode_sources` wrote."""
    return msgspec.json.decode(content, type=Sources)


def _tell(chooser: Chooser, linked: Linked | None) -> Publication:
    told: dict[str, list[Fault]] = {}
    for fault in (*chain.from_iterable(chooser.returned.values()), *chooser.unsettled):
        told.setdefault(fault.file, []).append(fault)
    files = {
        file: _tell_file(chooser, file, told.get(file, []), usable=linked is not None)
        for file in sorted(chooser.current.keys() | told.keys())
    }
    chosen = chooser.list_chosen() if linked else {}
    texts = {file: normalise(content).decode() for file, content in chosen.items()}
    bundle = linked.bundle if linked else None
    return Publication(bundle=bundle, sources=Sources(files=texts), files=files, problem=chooser.problem)


def _tell_file(chooser: Chooser, file: str, told: list[Fault], *, usable: bool) -> FileStatus:
    faults = tuple(dict.fromkeys(told))
    if usable and file not in chooser.returned:
        state = "live" if file in chooser.current else "rejected"
        return FileStatus(state=state, in_use=InUse.CURRENT if state == "live" else InUse.NONE, faults=faults)
    in_use = InUse.LAST_GOOD if file in chooser.last else InUse.NONE
    if not faults and file not in chooser.changed and file in chooser.last:
        return FileStatus(state="live", in_use=in_use)
    waiting = Fault(file=file, message=_WAITING)
    return FileStatus(state="rejected", in_use=in_use, faults=faults or (waiting,))


def _warn(found: Publication, warnings: Collection[Fault]) -> Publication:
    files = {
        file: msgspec.structs.replace(status, warnings=tuple(fault for fault in warnings if fault.file == file))
        for file, status in found.files.items()
    }
    return msgspec.structs.replace(found, files=files)
