"""Conflicts: what is wrong only because of another file."""

from dataclasses import dataclass

from cartwake.rules.faults import Fault


@dataclass(frozen=True, slots=True)
class Conflict:
    """A fault between files.

    Attributes:
        fault: As it is told.
        files: The files that have a part in it; the first of them that changed is not taken over.
    """

    fault: Fault
    files: tuple[str, ...]
