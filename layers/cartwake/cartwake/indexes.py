"""Indexes: who reads what, so that of each event only what it can change is looked at."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol


class Reader(Protocol):
    """Something that reads what is known of a shopper."""

    @property
    def events(self) -> tuple[str, ...]:
        """Names of events."""

    @property
    def traits(self) -> tuple[str, ...]:
        """Names of traits."""

    @property
    def known(self) -> tuple[str, ...]:
        """Groups of what Cartwake itself knows."""


class Index(NamedTuple):
    """The names of readers, by what they read."""

    by_event: dict[str, tuple[str, ...]]
    by_trait: dict[str, tuple[str, ...]]
    by_known: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, readers: Mapping[str, Reader]) -> "Index":
        """Return the index of readers by their names."""
        return cls(
            _index((name, event) for name, it in readers.items() for event in it.events),
            _index((name, trait) for name, it in readers.items() for trait in it.traits),
            _index((name, known) for name, it in readers.items() for known in it.known),
        )


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, read in pairs:
        found.setdefault(read, []).append(name)
    return {read: tuple(names) for read, names in found.items()}
