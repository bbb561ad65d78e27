"""Leftovers: what steps that are no more still need remembered, for the runs that wait in them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, assert_never

import msgspec

from cartwake.bundles import Branch, Bundle, Journey, Leftover, Send, Step, Wait
from cartwake.conditions import AllOf, AnyOf, Condition, Did, InSegment, NoneOf, Total, Trait
from cartwake.rules.needs import count_kept, deepen
from cartwake.times import DAY, Instant
from cartwake.trackers import Need

KEEP_MS: Final = 365 * DAY
"""How long after a publish a run can still be in steps that it took away; as long as the longest wait."""


type Depth = tuple[str, int, int]
"""The key of a tracker, how many of its latest entries are needed, and how far back every one."""


def carry(
    journeys: Mapping[str, Journey], needs: Mapping[str, Need], *, previous: Bundle | None, now: Instant
) -> dict[str, Leftover]:
    """Return what runs that began under *previous*, or before, need beyond what the steps of *journeys* do.

    The same rules again give the same leftovers, until a year is over.

    Args:
        journeys: The new ones.
        needs: What the new rules need, by tracker key.
        previous: What was live until now.
        now: The time of the publish.
    """
    if previous is None:
        return {}
    kept = {key: it for key, it in previous.leftovers.items() if it.since > now - KEEP_MS}
    wanted = _collect(journeys, needs)
    for key, need in _collect(previous.journeys, previous.needs).items():
        if key not in wanted or deepen(wanted[key], need) != wanted[key]:
            kept[key] = Leftover(need=deepen(kept[key].need, need) if key in kept else need, since=now)
    return dict(sorted(kept.items()))


def _collect(journeys: Mapping[str, Journey], known: Mapping[str, Need]) -> dict[str, Need]:
    """Return what the steps of *journeys* need, as deep as they need it; *known* says of what kind each tracker is."""
    found: dict[str, Need] = {}
    for journey in journeys.values():
        for key, latest, within_ms in _read_steps(journey.steps):
            need = msgspec.structs.replace(known[key], latest=latest, within_ms=within_ms)
            found[key] = deepen(found[key], need) if key in found else need
    return found


def _read_steps(steps: Iterable[Step]) -> Iterator[Depth]:
    for step in steps:
        match step:
            case Wait(of_quiet=trackers):
                yield from ((key, 1, 0) for key in trackers)
            case Branch(condition=condition, then=then, otherwise=otherwise):
                yield from _read_condition(condition)
                yield from _read_steps((*then, *otherwise))
            case Send():
                continue
            case _:
                assert_never(step)


def _read_condition(condition: Condition) -> Iterator[Depth]:
    match condition:
        case Did():
            yield condition.tracker, count_kept(condition.op, condition.count, since_start=condition.since_start), 0
        case Total():
            yield condition.tracker, 1, condition.within_ms
        case AllOf(of=of) | AnyOf(of=of) | NoneOf(of=of):
            for each in of:
                yield from _read_condition(each)
        case Trait() | InSegment():
            return
        case _:
            assert_never(condition)
