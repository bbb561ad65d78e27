"""Trials: whom a change of the rules would move is counted before it goes live, where a limit says so."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.progress import show_moved
from cartwake.sweeps import Part, add_all
from cartwake.times import DAY, Instant
from cartwake.trackers import Need

GOOD_FOR_MS: Final = 7 * DAY
"""A count says nothing of the people of a later week."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial has come to, as it is kept in the bucket.

    Attributes:
        candidate: The name of the change.
        basis: The name of the definitions that it was compared with.
        people: How many would enter or leave at least one segment, or cannot be told of.
        failed: Of how many it cannot be told.
        segments: By segment, how many would enter and leave.
        counted_at: When the count began.
    """

    candidate: str
    basis: str
    people: int
    failed: int = 0
    segments: dict[str, dict[str, int]] = {}
    counted_at: Instant = 0

    def holds(self, basis: str, now: Instant) -> bool:
        """Say whether it still counts: the definitions are the same, and the people not others by now."""
        return self.basis == basis and now - self.counted_at < GOOD_FOR_MS


def name_candidate(texts: Mapping[str, str | None], rules: Bundle) -> str:
    """Return the name of a change: the same files that mean the same always give the same one.

    Args:
        texts: What stands in each changed file; None where it was deleted.
        rules: What would be live with it: a newer Cartwake may make something else of the same files.
    """
    return _digest([dict(sorted(texts.items())), _define(rules)])


def name_basis(rules: Bundle) -> str:
    """Return the name of what decides about memberships in *rules*, and of when it was last changed.

    A count and a confirmation are spent when definitions change, though the same ones come back later.
    """
    return _digest([rules.defined_generation, _define(rules)])


def _define(rules: Bundle) -> list[Any]:
    """Return what decides about memberships: templates and journeys are no part of it."""
    wheres = {name: it.where for name, it in sorted(rules.segments.items())}
    return [wheres, rules.scores, rules.predictions, rules.settings.timezone]


def name_result(candidate: str) -> str:
    """Return the key of the file in which the result of a trial is kept."""
    return f"trials/{candidate}.json"


def name_confirmation(candidate: str) -> str:
    """Return the key of the file that confirms a change."""
    return f"confirm/{candidate}"


def show_result(parts: Sequence[Part]) -> dict[str, Any]:
    """Return what a trial has come to, as JSON data."""
    tally, aim = add_all(parts), parts[0].aim
    return {
        "candidate": aim.candidate,
        "basis": aim.basis,
        "people": tally.people,
        **({"failed": tally.failed} if tally.failed else {}),
        "segments": show_moved(tally.moved),
        "counted_at": aim.began_at,
    }


def read_result(content: bytes | None) -> Result | None:
    """Return the result in a file that `show_result` gave; None when there is none."""
    return None if content is None else msgspec.json.decode(content, type=Result)


def find_changed(rules: Bundle, live: Bundle) -> tuple[str, ...]:
    """Return the segments that *rules*, made after *live*, define otherwise; those that are no more among them."""
    changed = {name for name, it in rules.segments.items() if it.changed_generation > live.generation}
    return tuple(sorted(changed | (live.segments.keys() - rules.segments.keys())))


def needs_sweep(rules: Bundle, live: Bundle | None) -> bool:
    """Say whether everybody must be looked at: a definition has changed, or more history is needed.

    Before the first rules there are no profiles.
    """
    if live is None:
        return False
    changed = any(it.changed_generation > live.generation for it in rules.memberships.values())
    return changed or any(_is_deeper(need, live.needs.get(key)) for key, need in rules.needs.items())


def _is_deeper(need: Need, before: Need | None) -> bool:
    if before is None:
        return True
    deeper = need.latest > before.latest or need.within_ms > before.within_ms or need.oldest > before.oldest
    return deeper or (need.whole and not before.whole)


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]
