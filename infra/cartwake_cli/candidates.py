"""Candidates: the rules of a folder as they would be live, or what keeps them from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cartwake.bundles import Bundle
from cartwake.rules.choosing import find_changed
from cartwake.rules.compile import link
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import SETTINGS, Content, read_file
from cartwake.rules.publication import Sources
from cartwake.times import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What files would make.

    Attributes:
        rules: Not to be used where there are faults.
        files: All of which they are made.
    """

    rules: Bundle
    files: dict[str, bytes]
    faults: tuple[Fault, ...] = ()


def build_candidate(files: Mapping[str, bytes], *, live: Bundle | None, sources: Sources, now: Instant) -> Candidate:
    """Return what *files* would make if they were published.

    Without settings.json they are a part: what else there is is as it is live.

    Args:
        files: Of the folder.
        live: What is live.
        sources: What that was made of.
        now: The time.
    """
    last = {file: text.encode() for file, text in sources.files.items()}
    whole = dict(files) if SETTINGS in files else last | dict(files)
    contents: dict[str, Content] = {}
    faults: list[Fault] = []
    for file, content in sorted(whole.items()):
        try:
            contents[file] = read_file(file, content)
        except Faulty as error:
            faults += error.faults
    changed = find_changed(whole, last)
    linked = link(contents, previous=live, changed=changed, now=now, partial=SETTINGS not in whole)
    told = {fault.file for fault in faults}
    # a file that cannot be read is told once, and not again by each file that needs it
    faults += [each.fault for each in linked.conflicts if not told & set(each.files)]
    return Candidate(rules=linked.bundle, files=whole, faults=tuple(faults))
