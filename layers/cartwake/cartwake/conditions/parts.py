"""Parts: what a condition is made of, and what it reads."""

from collections.abc import Iterator

from cartwake.conditions.kinds import (
    AllOf,
    Amount,
    AnyOf,
    Condition,
    Did,
    Edge,
    NoneOf,
    Points,
    Predicted,
    Sequence,
    Then,
)


def walk(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and all that it is composed of; what other segments or scores are made of is not among it."""
    yield condition
    if isinstance(condition, AllOf | AnyOf | NoneOf):
        for part in condition.of:
            yield from walk(part)


def walk_points(points: Points) -> Iterator[Condition]:
    """Yield the condition that brings points, and all that it is composed of."""
    if points.condition is not None:
        yield from walk(points.condition)


def list_trackers(condition: Condition) -> list[str]:
    """Return the keys of the trackers that a condition is answered from, without its parts."""
    match condition:
        case Sequence():
            return [condition.tracker, *list_then(condition.then)]
        case Did() | Amount() | Edge() | Predicted():
            return [condition.tracker]
        case _:
            return []


def list_then(then: Then | None) -> list[str]:
    """Return the keys of the trackers of what follows, one after the other."""
    return [] if then is None else [then.tracker, *list_then(then.then)]
