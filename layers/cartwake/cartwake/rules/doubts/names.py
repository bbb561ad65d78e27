"""Doubts about names: events and traits that nobody has heard of."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from cartwake.rules.amount_models import AverageOf, DistinctOf, LargestOf, TotalOf
from cartwake.rules.behaviour_models import Did, DidNot, First, Last, ThenDid, ThenDidNot
from cartwake.rules.doubts.walks import Placed, walk_conditions
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import SETTINGS, Content, walk
from cartwake.rules.models import Journey
from cartwake.rules.profile_models import AgeOf, AnniversaryOf, Trait
from cartwake.rules.score_models import EventPoints, Score
from cartwake.rules.settings_models import Settings
from cartwake.rules.trigger_models import ByDate, ByEvent
from cartwake.rules.vocabulary import EVENTS, TRAITS
from cartwake.rules.wait_models import GoalStep, UntilDateStep, WaitForStep, WaitStep

_ALIKE: Final = 0.7


class Seen(NamedTuple):
    """The names that came in in the last 30 days."""

    events: Collection[str] = ()
    traits: Collection[str] = ()


class Name(NamedTuple):
    """A name, what it names, and the path at which it stands."""

    kind: Literal["event", "trait"]
    name: str
    path: str


def doubt_names(files: Mapping[str, Content], seen: Seen) -> Iterator[Fault]:
    """Yield a warning for every event and trait that is unknown: neither offered, nor listed, nor seen."""
    settings = files.get(SETTINGS)
    listed = settings.known if isinstance(settings, Settings) else None
    known = {
        "event": {*EVENTS, *seen.events, *(listed.events if listed else ())},
        "trait": {*TRAITS, *seen.traits, *(listed.traits if listed else ())},
    }
    for file, content in sorted(files.items()):
        for kind, name, path in list_names(content):
            if name not in known[kind] and not (kind == "trait" and name.partition(".")[0] in known[kind]):
                yield Fault(
                    file=file,
                    path=path,
                    message=f'No {kind} of the name "{name}" is known. If it is right, list it in settings.json.',
                    suggestion=_find_nearest(name, known[kind], inner=kind == "trait"),
                    example=f'"known": {{"{kind}s": ["{name}"]}}',
                    severity="warning",
                )


def _find_nearest(name: str, known: Collection[str], *, inner: bool) -> str:
    """Return the nearest name; of a dotted one the first part may be what is wrong."""
    outer, dot, rest = name.partition(".") if inner else (name, "", "")
    nearest = find_nearest(outer, known, likeness=_ALIKE)
    return f"{nearest}{dot}{rest}" if nearest else ""


def list_names(content: Content) -> Iterator[Name]:
    """Yield every event and trait that a file names."""
    match content:
        case Settings():
            yield Name("event", content.orders.event, "orders.event")
            for key, events in (("clicks", content.engagement.clicks), ("signs", content.engagement.signs)):
                yield from (Name("event", name, f"engagement.{key}[{index}]") for index, name in enumerate(events))
        case Score(points=points):
            for index, each in enumerate(points):
                if isinstance(each, EventPoints):
                    yield Name("event", each.did, f"points[{index}].did")
        case Journey():
            yield from _list_of_journey(content)
        case _:
            pass
    for placed in walk_conditions(content):
        yield from _list_of_condition(placed)


def _list_of_journey(rule: Journey) -> Iterator[Name]:
    triggers = [("trigger", rule.trigger), *((f"exit[{index}]", each) for index, each in enumerate(rule.exit))]
    for path, trigger in triggers:
        if isinstance(trigger, ByEvent):
            yield Name("event", trigger.event, f"{path}.event")
        if isinstance(trigger, ByDate):
            yield Name("trait", trigger.date_in, f"{path}.date_in")
    for path, step in walk(rule.steps):
        match step:
            case WaitStep():
                for index, name in enumerate(step.of_quiet or ()):
                    yield Name("event", name, f"{path}.of_quiet[{index}]")
            case WaitForStep(wait_for=str(name)):
                yield Name("event", name, f"{path}.wait_for")
            case GoalStep(goal=str(name)):
                yield Name("event", name, f"{path}.goal")
            case UntilDateStep(wait_until_date_in=name, of="shopper"):
                yield Name("trait", name, f"{path}.wait_until_date_in")
            case _:
                pass


def _list_of_condition(placed: Placed) -> Iterator[Name]:
    path, rule = placed
    match rule:
        case Did(did=name, then=then):
            yield Name("event", name, f"{path}.did")
            yield from _list_of_sequel(then, f"{path}.then")
        case DidNot(did_not=name):
            yield Name("event", name, f"{path}.did_not")
        case First(first=name):
            yield Name("event", name, f"{path}.first")
        case Last(last=name):
            yield Name("event", name, f"{path}.last")
        case TotalOf(on=name) | AverageOf(on=name) | LargestOf(on=name) | DistinctOf(on=name):
            yield Name("event", name, f"{path}.on")
        case Trait(trait=name) | AgeOf(age_of=name) | AnniversaryOf(anniversary_of=name):
            yield Name("trait", name, f"{path}.{rule.begins}")
        case _:
            return


def _list_of_sequel(then: ThenDid | ThenDidNot | None, path: str) -> Iterator[Name]:
    match then:
        case ThenDid(did=name, then=inner):
            yield Name("event", name, f"{path}.did")
            yield from _list_of_sequel(inner, f"{path}.then")
        case ThenDidNot(did_not=name):
            yield Name("event", name, f"{path}.did_not")
        case None:
            return
