"""Choosing: which version of each file is in use, so that all of them fit; each try puts all of them together once."""

from collections.abc import Iterable, Mapping
from typing import Final

from cartwake.bundles import Bundle
from cartwake.rules.compile import Linked, link
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import Content, is_rule, read_file
from cartwake.times import Instant

MOST_SINGLE: Final = 60
"""Tries after each of which one file is given back; from then on all are that are to blame for something."""
MOST_SETTLING: Final = 120
"""Tries after which every changed file is given back."""
MOST_RETAKING: Final = 50
"""Further tries, in which is taken over what fits after all. With several hundred files each try takes a tenth of a
second in Lambda, so all of them end far within the time of publish_rules; what was not tried stays as it was live."""


class Chooser:
    """Holds, while it chooses, which files were given back and why.

    Attributes:
        current: What is in the bucket.
        last: What is live.
        changed: The files in which these differ.
        returned: The files that are used as they are live, and what is wrong with them as they are in the bucket.
        unsettled: What is wrong, though no file can be given back for it.
        problem: What failed though nobody foresaw it.
    """

    def __init__(
        self, current: Mapping[str, bytes], *, live: Bundle | None, last: Mapping[str, str], now: Instant
    ) -> None:
        self.current = {file: content for file, content in current.items() if is_rule(file)}
        self.last = {file: text.encode() for file, text in last.items()}
        self.changed = find_changed(self.current, self.last)
        self.returned: dict[str, tuple[Fault, ...]] = {}
        self.unsettled: list[Fault] = []
        self.problem = ""
        self._live = live
        self._now = now
        self._unreadable: frozenset[str] = frozenset()
        self._contents: dict[tuple[str, bytes], Content | tuple[Fault, ...]] = {}
        self._against: dict[str, list[frozenset[str]]] = {}
        self._tries = 0
        self._retakes = 0

    def choose(self) -> Linked | None:
        """Return what the chosen versions make; None when nothing can be live."""
        for file in sorted(self.current):
            found = self.read(file, self.current[file])
            if isinstance(found, tuple):
                self._return(file, found)
        self._unreadable, failed = frozenset(self.returned), False
        while (linked := self._link()) is not None:
            failed = failed or bool(linked.problem)
            self.problem = self.problem or linked.problem
            if not linked.conflicts:
                # after a failure each further try would look for its cause anew
                return linked if failed else self._retake_all(linked)
            if not self._settle(linked):
                break
        return None

    def list_chosen(self) -> dict[str, bytes]:
        """Return the chosen version of each file."""
        used = {file: it for file, it in self.current.items() if file not in self.returned}
        kept = {file: it for file, it in self.last.items() if file in self.returned}
        return dict(sorted((used | kept).items()))

    def read(self, file: str, content: bytes) -> Content | tuple[Fault, ...]:
        """Return what a file says; while it is chosen it is read once, however many files there are."""
        key = (file, content)
        if key not in self._contents:
            self._contents[key] = _read(file, content)
        return self._contents[key]

    def _link(self) -> Linked | None:
        """Return what the chosen version of each file makes; None when one that was good once no longer is."""
        self._tries += 1
        contents: dict[str, Content] = {}
        for file, chosen in self.list_chosen().items():
            found = self.read(file, chosen)
            if isinstance(found, tuple):
                self.unsettled += found
                return None
            contents[file] = found
        changed = self.changed.keys() - self.returned.keys()
        return link(contents, previous=self._live, changed=changed, now=self._now)

    def _settle(self, linked: Linked) -> bool:
        """Give back the first changed file of the first conflict, or all; False when nothing is left to give back."""
        conflicts = linked.conflicts
        blamed: dict[str, list[Fault]] = {}
        for conflict in conflicts:
            guilty = next((file for file in conflict.files if self._is_taken(file)), None)
            if guilty is not None:
                blamed.setdefault(guilty, []).append(conflict.fault)
        if blamed and self._tries < MOST_SETTLING:
            for file in list(blamed)[: None if self._tries > MOST_SINGLE else 1]:
                self._return(file, blamed[file])
            return True
        if self.last and not blamed:
            # a conflict should name what can be to blame for it: what was live did fit
            self.problem = self.problem or f"No changed file is to blame: {conflicts[0].fault}"
        if (self.last or linked.problem or blamed) and self._return_changed(conflicts):
            return True
        self.unsettled += [conflict.fault for conflict in conflicts]
        return False

    def _is_taken(self, file: str) -> bool:
        return file in self.changed and file not in self.returned

    def _return_changed(self, conflicts: list[Conflict]) -> bool:
        """Give back every changed file: it is not known which of them is to blame."""
        faults = tuple(conflict.fault for conflict in conflicts)
        left = [file for file in self.changed if file not in self.returned]
        for file in left:
            self._return(file, faults)
        return bool(left)

    def _retake_all(self, linked: Linked) -> Linked:
        """Take over whatever was given back and fits now; return what all make with it."""
        left = [file for file in self.returned if file not in self._unreadable]
        if len(left) < 2:  # one alone is known not to fit
            return linked
        linked, known = self._retake_together(left, linked), 0
        while len(self.returned) != known and (left := [it for it in self.returned if self._may_fit(it)]):
            known = len(self.returned)
            linked = self._retake(left, linked)
            if len(self.returned) < known:
                # what was taken over may be just what another one lacked
                self._against.clear()
        return linked

    def _retake_together(self, files: list[str], good: Linked) -> Linked:
        """Take over all, and give back again what a fault names last, until the rest fits.

        What a fault names first is what it blames, and often much hangs on that: on a mail, or on a layout.
        """
        kept = {file: self.returned.pop(file) for file in files}
        while (linked := self._try()) is not None:
            if not linked.conflicts:
                return linked
            blamed: dict[str, list[Conflict]] = {}
            for conflict in linked.conflicts:
                named = [file for file in conflict.files if file in kept and file not in self.returned]
                if named:
                    blamed.setdefault(named[-1], []).append(conflict)
            if not blamed:
                break
            self._return_again(blamed)
        self.returned |= kept
        self._against.clear()
        return good

    def _retake(self, files: list[str], good: Linked) -> Linked:
        """Take over all of some files, or else of each half of them what fits."""
        kept = {file: self.returned.pop(file) for file in files}
        linked = self._try()
        if linked is not None and not linked.conflicts:
            return linked
        self.returned |= kept
        if len(files) == 1:
            if linked is not None:
                self._return_again({files[0]: linked.conflicts})
            return good
        middle = len(files) // 2
        return self._retake(files[middle:], self._retake(files[:middle], good))

    def _try(self) -> Linked | None:
        """Put together what is chosen; None when that failed, or there are no more tries."""
        if self._retakes == MOST_RETAKING:
            return None
        self._retakes += 1
        linked = self._link()
        if linked is None or linked.problem:
            self._retakes = MOST_RETAKING
            return None
        return linked

    def _return_again(self, blamed: Mapping[str, list[Conflict]]) -> None:
        """Give back what was taken over after all, and note against which files it cannot stand."""
        given = self.returned.keys() - self._unreadable - blamed.keys()
        for file, conflicts in blamed.items():
            others = [frozenset(it.files) - {file} for it in conflicts if file in it.files]
            self._against[file] = [it for it in others if it.isdisjoint(given)]
        for file, conflicts in blamed.items():
            self._return(file, [it.fault for it in conflicts])

    def _may_fit(self, file: str) -> bool:
        """Whether it is worth a try: not, while all files of one of its conflicts are used as they were in it."""
        given = self.returned.keys() - self._unreadable
        return file in given and not any(it.isdisjoint(given) for it in self._against.get(file, ()))

    def _return(self, file: str, faults: Iterable[Fault]) -> None:
        """Use the last good version of a file; a fault that stands in another file is told there too."""
        told = tuple(faults)
        if all(fault.file != file for fault in told):
            gone = file not in self.current
            message = f"The file {'cannot go' if gone else 'does not fit'}: {told[0]}"
            told = (*told, Fault(file=file, message=message))
        self.returned[file] = told


def find_changed(current: Mapping[str, bytes], last: Mapping[str, bytes]) -> dict[str, None]:
    """Return the files, in order, that are not as they are live: other, new, or gone."""
    both = sorted(current.keys() | last.keys())
    return {file: None for file in both if normalise(current.get(file)) != normalise(last.get(file))}


def normalise(content: bytes | None) -> bytes:
    """Return a file as it is kept: without byte order mark, with single line ends."""
    return b"" if content is None else content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def _read(file: str, content: bytes) -> Content | tuple[Fault, ...]:
    """Return what a file says, or what is wrong with it."""
    try:
        return read_file(file, content)
    except Faulty as error:
        return error.faults
