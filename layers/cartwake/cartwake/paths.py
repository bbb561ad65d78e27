"""Paths: where in a journey's steps a run stands, such as `3.then.0`, and which step comes next."""

from collections.abc import Iterator
from typing import Final

from cartwake.conditions.kinds import Condition
from cartwake.journeys import Await, Branch, Give, Goal, Split, Step, UntilDate

FIRST_STEP: Final = "0"


def list_sides(step: Step) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """Return the ways that lead on inside of a step, by the names that they have in a path."""
    match step:
        case Branch() | Await():
            return (("then", step.then), ("else", step.otherwise))
        case UntilDate() | Give():
            return (("else", step.otherwise),)
        case Split():
            return tuple((variant.name, variant.steps) for variant in step.variants)
        case _:
            return ()


def list_conditions(step: Step) -> list[Condition]:
    """Return the conditions that a step reads, without those of steps inside of it."""
    found = [step.only_if]
    match step:
        case Branch():
            found.append(step.condition)
        case Await() | Goal():
            found.append(step.happening.condition)
        case _:
            pass
    return [condition for condition in found if condition is not None]


def walk_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield every step, and those inside of it."""
    for step in steps:
        yield step
        for _, inner in list_sides(step):
            yield from walk_steps(inner)


def walk_paths(steps: tuple[Step, ...], head: str = "") -> Iterator[tuple[str, Step]]:
    """Yield every step with its path, those inside of one after it."""
    for index, step in enumerate(steps):
        path = f"{head}{index}"
        yield path, step
        for side, inner in list_sides(step):
            yield from walk_paths(inner, f"{path}.{side}.")


def find_step(steps: tuple[Step, ...], path: str) -> Step | None:
    """Return the step at *path*, or None past the end."""
    index, _, rest = path.partition(".")
    if int(index) >= len(steps):
        return None
    step = steps[int(index)]
    if not rest:
        return step
    side, _, below = rest.partition(".")
    return find_step(find_side(step, side), below)


def find_side(step: Step, side: str) -> tuple[Step, ...]:
    """Return the steps of one way inside of a step; () where it has no such way."""
    return dict(list_sides(step)).get(side, ())


def enter(steps: tuple[Step, ...], path: str, side: str) -> str:
    """Return the first position of a way inside of the step at *path*; where it has no steps, the next after it."""
    step = find_step(steps, path)
    return f"{path}.{side}.0" if step is not None and find_side(step, side) else next_path(steps, path)


def next_path(steps: tuple[Step, ...], path: str) -> str:
    """Return the position after *path*: the next in its list, else after the step that it is inside of."""
    head, _, index = path.rpartition(".")
    following = f"{head}.{int(index) + 1}" if head else str(int(index) + 1)
    if not head or find_step(steps, following) is not None:
        return following
    return next_path(steps, head.rpartition(".")[0])


def top_of(path: str) -> int:
    """Return the place in the journey's own list of steps that a path goes through."""
    return int(path.partition(".")[0])
