"""Walks through files: every condition in them, with its path."""

from collections.abc import Iterator

from cartwake.rules.condition_models import AllOf, AnyCondition, AnyOf, NoneOf
from cartwake.rules.files import Content, walk
from cartwake.rules.models import Journey, Segment
from cartwake.rules.score_models import Score, StatePoints
from cartwake.rules.step_models import list_conditions as list_step_conditions

type Placed = tuple[str, AnyCondition]
"""A condition, and the path at which it stands."""


def list_conditions(content: Content) -> Iterator[Placed]:
    """Yield the conditions that a file begins with somewhere; those inside of them are not among it."""
    match content:
        case Segment(where=where):
            yield "where", where
        case Score(points=points):
            for index, each in enumerate(points):
                if isinstance(each, StatePoints):
                    yield f"points[{index}].when", each.when
        case Journey():
            if content.filter is not None:
                yield "filter", content.filter
            for path, step in walk(content.steps):
                for key, condition in list_step_conditions(step):
                    yield f"{path}.{key}", condition
        case _:
            return


def list_inner(rule: AnyCondition, path: str) -> list[Placed]:
    """Return the conditions that stand right inside of a group of them."""
    match rule:
        case AllOf(all=inner):
            name = "all"
        case AnyOf(any=inner):
            name = "any"
        case NoneOf(none=inner):
            name = "none"
        case _:
            return []
    return [(f"{path}.{name}[{index}]", each) for index, each in enumerate(inner)]


def walk_condition(rule: AnyCondition, path: str) -> Iterator[Placed]:
    """Yield a condition and every one inside of it."""
    yield path, rule
    for inner_path, inner in list_inner(rule, path):
        yield from walk_condition(inner, inner_path)


def walk_conditions(content: Content) -> Iterator[Placed]:
    """Yield every condition of a file."""
    for path, rule in list_conditions(content):
        yield from walk_condition(rule, path)
