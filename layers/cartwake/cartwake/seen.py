"""Seen: the names of events and traits that come in, kept once a day by each process, for the warnings of a publish.

An edge, not a decision. What cannot be kept now is kept with the next event: nothing waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cartwake.errors import TryAgain
from cartwake.events import Event
from cartwake.store import names
from cartwake.store.names import Named
from cartwake.telemetry import count
from cartwake.times import DAY, Instant

MOST_A_DAY: Final = 500
"""A browser's key is public: whoever invents names fills no table with them."""


@dataclass(slots=True)
class _Kept:
    """What this process has kept today."""

    day: int = -1
    names: set[tuple[Named, str]] = field(default_factory=set)


_kept = _Kept()


def note_names(events: Sequence[Event], now: Instant) -> None:
    """Keep the names in *events* that this process has not kept today."""
    if now // DAY != _kept.day:
        _kept.day, _kept.names = now // DAY, set()
    told = {(Named.EVENT, event.name) for event in events} | {
        (Named.TRAIT, trait) for event in events for trait in event.traits
    }
    news = sorted(told - _kept.names)[: MOST_A_DAY - len(_kept.names)]
    for kind in Named:
        found = [name for of, name in news if of is kind]
        if found:
            try:
                names.put_names(kind, found, now)
            except TryAgain:
                count("NamesNotKept")
                return
    _kept.names.update(news)


def forget() -> None:
    """Keep everything anew; for tests."""
    _kept.day, _kept.names = -1, set()
