"""Publication: what goes live of what is in the bucket, file by file, so that no fault takes away what worked."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.rules.compile import Linked, link
from cartwake.rules.conflicts import Conflict
from cartwake.rules.doubts.names import Seen
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import Content, is_rule, read_file
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
    concerned changed, all that did are replaced. In the end whichever fits is taken over after all.

    Args:
        current: All files in the bucket.
        live: The bundle that is live.
        sources: What that was made of.
        now: The time.
        seen: The names of events and traits that came in lately, where that is known; for warnings.
    """
    found = _Chooser(current, live=live, last=sources.files if sources else {}, now=now).choose()
    broken = [file for file, status in found.files.items() if status.state == "rejected" and file in current]
    return found if found.bundle is None else _warn(found, broken, seen=seen or Seen(), now=now)


def encode_sources(sources: Sources) -> bytes:
    """Return the sources as JSON bytes."""
    return msgspec.json.encode(sources, order="deterministic")


def decode_sources(content: bytes) -> Sources:
    """Return what `encode_sources` wrote."""
    return msgspec.json.decode(content, type=Sources)


class _Chooser:
    """Holds, while it chooses, which files were given back and why."""

    def __init__(
        self, current: Mapping[str, bytes], *, live: Bundle | None, last: Mapping[str, str], now: Instant
    ) -> None:
        self._current = {file: content for file, content in current.items() if is_rule(file)}
        self._last = {file: text.encode() for file, text in last.items()}
        self._live = live
        self._now = now
        self._unsettled: list[Fault] = []
        self._returned: dict[str, tuple[Fault, ...]] = {}
        self._problem = ""

    def choose(self) -> Publication:
        for file in sorted(self._current):
            found = _read(file, self._current[file])
            if isinstance(found, tuple):
                self._return(file, found)
        unreadable, failed = set(self._returned), False
        while (linked := self._link()) is not None:
            failed = failed or bool(linked.problem)
            self._problem = self._problem or linked.problem
            if not linked.conflicts:
                left = [file for file in self._returned if file not in unreadable]
                # after a failure each further try would look for its cause anew
                return self._tell(linked.bundle if failed else self._retake_all(left, linked.bundle))
            if not self._settle(linked):
                break
        return self._tell(None)

    def _link(self) -> Linked | None:
        """Return what the chosen version of each file makes; None when one that was good once no longer is."""
        files = self._read_chosen()
        return None if files is None else link(files, previous=self._live, now=self._now)

    def _read_chosen(self) -> dict[str, Content] | None:
        """Return what the chosen version of each file says; None when one that was good once no longer is."""
        contents: dict[str, Content] = {}
        for file in sorted(self._current.keys() | self._last.keys()):
            chosen = self._chosen(file)
            found = None if chosen is None else _read(file, chosen)
            if isinstance(found, tuple):
                self._unsettled += found
                return None
            if found is not None:
                contents[file] = found
        return contents

    def _chosen(self, file: str) -> bytes | None:
        return (self._last if file in self._returned else self._current).get(file)

    def _settle(self, linked: Linked) -> bool:
        """Give back the first changed file of the first conflict, or all; False when nothing is left to give back."""
        conflicts = linked.conflicts
        for conflict in conflicts:
            guilty = self._find_changed(conflict)
            if guilty is not None:
                self._return(guilty, [each.fault for each in conflicts if self._find_changed(each) == guilty])
                return True
        if self._last:
            # a conflict should name what can be to blame for it: what was live did fit
            self._problem = self._problem or f"No changed file is to blame: {conflicts[0].fault}"
        if (self._last or linked.problem) and self._return_changed(conflicts):
            return True
        self._unsettled += [conflict.fault for conflict in conflicts]
        return False

    def _retake_all(self, files: list[str], bundle: Bundle) -> Bundle:
        """Take over whatever was given back and fits now; return the bundle with it."""
        left, more = files, len(files) > 1  # one alone is known not to fit
        while more:
            before = left
            bundle = self._retake(before, bundle)
            left = [file for file in before if file in self._returned]
            more = 0 < len(left) < len(before)
        return bundle

    def _retake(self, files: list[str], bundle: Bundle) -> Bundle:
        """Do so with all of some files, or else with each half of them."""
        kept = {file: self._returned.pop(file) for file in files}
        linked = self._link()
        if linked is not None and not linked.conflicts:
            return linked.bundle
        self._returned |= kept
        if len(files) == 1:
            return bundle
        middle = len(files) // 2
        return self._retake(files[middle:], self._retake(files[:middle], bundle))

    def _return_changed(self, conflicts: list[Conflict]) -> bool:
        """Give back every changed file: it is not known which of them is to blame."""
        faults = tuple(conflict.fault for conflict in conflicts)
        changed = [file for file in sorted(self._current.keys() | self._last.keys()) if self._differs(file)]
        left = [file for file in changed if file not in self._returned]
        for file in left:
            self._return(file, faults)
        return bool(left)

    def _find_changed(self, conflict: Conflict) -> str | None:
        return next((file for file in conflict.files if file not in self._returned and self._differs(file)), None)

    def _differs(self, file: str) -> bool:
        return _normal(self._current.get(file)) != _normal(self._last.get(file))

    def _return(self, file: str, faults: tuple[Fault, ...] | list[Fault]) -> None:
        """Use the last good version of a file; a fault that stands in another file is told there too."""
        told = tuple(faults)
        if all(fault.file != file for fault in faults):
            gone = file not in self._current
            message = f"The file {'cannot go' if gone else 'does not fit'}: {faults[0]}"
            told = (*told, Fault(file=file, message=message))
        self._returned[file] = told

    def _tell(self, bundle: Bundle | None) -> Publication:
        told: dict[str, list[Fault]] = {}
        for fault in (*chain.from_iterable(self._returned.values()), *self._unsettled):
            told.setdefault(fault.file, []).append(fault)
        files = {
            file: self._status(file, told.get(file, []), usable=bundle is not None)
            for file in sorted(self._current.keys() | told.keys())
        }
        chosen = {file: self._chosen(file) for file in sorted(self._current.keys() | self._last.keys())}
        texts = (
            {file: _normal(content).decode() for file, content in chosen.items() if content is not None}
            if bundle
            else {}
        )
        return Publication(bundle=bundle, sources=Sources(files=texts), files=files, problem=self._problem)

    def _status(self, file: str, told: list[Fault], *, usable: bool) -> FileStatus:
        faults = tuple(dict.fromkeys(told))
        if usable and file not in self._returned:
            state = "live" if file in self._current else "rejected"
            return FileStatus(state=state, in_use=InUse.CURRENT if state == "live" else InUse.NONE, faults=faults)
        in_use = InUse.LAST_GOOD if file in self._last else InUse.NONE
        if not faults and not self._differs(file) and file in self._last:
            return FileStatus(state="live", in_use=in_use)
        waiting = Fault(file=file, message=_WAITING)
        return FileStatus(state="rejected", in_use=in_use, faults=faults or (waiting,))


def _warn(found: Publication, broken: Collection[str], *, seen: Seen, now: Instant) -> Publication:
    """Return the publication with a warning for whatever is doubtful in what is in use."""
    contents = {file: _read(file, text.encode()) for file, text in found.sources.files.items()}
    used = {file: it for file, it in contents.items() if not isinstance(it, tuple)}
    doubts = find_doubts(used, broken=broken, seen=seen, now=now)
    files = {
        file: msgspec.structs.replace(status, warnings=tuple(fault for fault in doubts if fault.file == file))
        for file, status in found.files.items()
    }
    return msgspec.structs.replace(found, files=files)


def _normal(content: bytes | None) -> bytes:
    """Return a file as it is kept: without byte order mark, with single line ends."""
    return b"" if content is None else content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


@lru_cache(maxsize=512)
def _read(file: str, content: bytes) -> Content | tuple[Fault, ...]:
    try:
        return read_file(file, content)
    except Faulty as error:
        return error.faults
