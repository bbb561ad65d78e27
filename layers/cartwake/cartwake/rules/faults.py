"""Faults: what is wrong with a file, where, what comes nearest, and an example."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong with one file.

    Attributes:
        file: For example `segments/vip.json`.
        path: Where in it: `where.all[0].at_leest`, or `line 7, column 3`; "" for the file as a whole.
        message: A sentence.
        suggestion: The nearest right thing, ready to be put in, or "".
        example: JSON or template source that is right.
        severity: A warning keeps no file from going live.
    """

    file: str
    path: str = ""
    message: str
    suggestion: str = ""
    example: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}: {self.path}" if self.path else self.file
        nearest = f' Did you mean "{self.suggestion}"?' if self.suggestion else ""
        example = f" Example: {self.example}" if self.example else ""
        return f"{place}: {self.message}{nearest}{example}"


class Faulty(Exception):
    """A file, or a part of it, cannot be used; carries every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def find_nearest(word: str, known: Iterable[str], *, likeness: float = 0.5) -> str:
    """Return the known word that looks most like *word*, or ""; *likeness* is how much it must, up to 1."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else ""


def name_all(words: Iterable[str]) -> str:
    """Return the words as a sentence lists them: `"a", "b" or "c"`."""
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)
