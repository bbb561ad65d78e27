"""Conflicts: what is wrong only because of another file."""

from dataclasses import dataclass

from cartwake.rules.faults import Fault


@dataclass(frozen=True, slots=True)
class Conflict:
    """A fault between files.

    Attributes:
        fault: As it is told.
        files: The files that have a part in it; the first of them that changed is not taken over.
        bearable: It harms only who would get the message: where none of its files changed it is a warning.
    """

    fault: Fault
    files: tuple[str, ...]
    bearable: bool = False
