"""Leftovers: what steps that are no more still need remembered, for the runs that wait in them."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, assert_never

from msgspec.structs import replace

from cartwake.bundles import Bundle, Leftover
from cartwake.conditions import kinds
from cartwake.conditions.kinds import Condition, ScoreRule
from cartwake.journeys import Await, Goal, Happening, Journey, Split, Step, Wait
from cartwake.paths import list_conditions, walk_steps
from cartwake.rules.compiling.windows import SINCE_START_MS
from cartwake.rules.needs import count_kept, deepen
from cartwake.times import DAY, Instant
from cartwake.trackers import Need
from cartwake.values import PropertyTest

KEEP_MS: Final = 365 * DAY
"""How long after a publish a run can still be in steps that it took away; as long as the longest wait."""

EVENTS_AWAITED: Final = 2
"""One entry more than the one that a run waits for: the event that started it may itself be the last one."""

ORDERS_MEASURED: Final = 10
"""Of a test of variants: orders may come after what is measured, and before it is."""


def await_event(event: str, where: tuple[PropertyTest, ...], key: str) -> Need:
    """Return what must be remembered to know whether an event has come since a run began, of its key where it has one.

    Of keys there is no number of latest ones that would do: each is remembered for as long as a wait can last.
    """
    return Need(event=event, where=where, key=key, latest=EVENTS_AWAITED, within_ms=SINCE_START_MS if key else 0)


class Depth(NamedTuple):
    """How much of a tracker is needed: so many of its latest or oldest entries, and every one of a window."""

    key: str
    latest: int = 1
    within_ms: int = 0
    oldest: int = 0


class Stock(NamedTuple):
    """What steps are read from.

    Attributes:
        needs: By tracker key: of what kind each tracker is.
    """

    journeys: Mapping[str, Journey]
    needs: Mapping[str, Need]
    scores: Mapping[str, ScoreRule]


def carry(stock: Stock, *, previous: Bundle, now: Instant) -> dict[str, Leftover]:
    """Return what runs that began under *previous*, or before, need beyond what the steps of today do.

    The same rules again give the same leftovers, until a year is over.

    Args:
        stock: The new rules.
        previous: What was live until now.
        now: The time of the publish.
    """
    kept = {key: it for key, it in previous.leftovers.items() if it.since > now - KEEP_MS}
    wanted = collect(stock)
    for key, need in collect(Stock(previous.journeys, previous.needs, previous.scores)).items():
        if key not in wanted or deepen(wanted[key], need) != wanted[key]:
            kept[key] = Leftover(need=deepen(kept[key].need, need) if key in kept else need, since=now)
    return dict(sorted(kept.items()))


def collect(stock: Stock) -> dict[str, Need]:
    """Return what the steps of journeys need, as deep as they need it."""
    found: dict[str, Need] = {}
    for journey in stock.journeys.values():
        for key, latest, within_ms, oldest in _read_steps(journey.steps, stock):
            need = replace(stock.needs[key], latest=latest, within_ms=within_ms, oldest=oldest)
            found[key] = deepen(found[key], need) if key in found else need
    return found


def _read_steps(steps: tuple[Step, ...], stock: Stock) -> Iterator[Depth]:
    for step in walk_steps(steps):
        match step:
            case Wait(of_quiet=trackers):
                yield from (Depth(key) for key in trackers)
            case Await(happening=Happening(tracker=key)) | Goal(happening=Happening(tracker=key)) if key:
                yield Depth(key, latest=EVENTS_AWAITED, within_ms=SINCE_START_MS if stock.needs[key].key else 0)
            case Split(orders=key) if key:
                yield Depth(key, latest=ORDERS_MEASURED)
            case _:
                pass
        for condition in list_conditions(step):
            yield from _read_condition(condition, stock)


def _read_condition(condition: Condition, stock: Stock) -> Iterator[Depth]:
    match condition:
        case kinds.AllOf(of=of) | kinds.AnyOf(of=of) | kinds.NoneOf(of=of):
            for each in of:
                yield from _read_condition(each, stock)
        case kinds.Score(name=name):
            rule = stock.scores.get(name)
            yield from _read_score(rule, stock) if rule else ()
        case kinds.Did() | kinds.Amount() | kinds.Sequence() | kinds.Edge() | kinds.Predicted():
            yield from _read_events(condition, stock)
        case kinds.Trait() | kinds.Known() | kinds.Moment() | kinds.Age() | kinds.Anniversary() | kinds.Share():
            return
        case kinds.InSegment() | kinds.EverIn():
            return  # segments are always the live ones
        case _:
            assert_never(condition)


def _read_events(
    condition: kinds.Did | kinds.Amount | kinds.Sequence | kinds.Edge | kinds.Predicted, stock: Stock
) -> Iterator[Depth]:
    match condition:
        case kinds.Did():
            yield _read_count(condition, is_distinct=bool(stock.needs[condition.tracker].distinct))
        case kinds.Amount() | kinds.Sequence():
            within_ms = SINCE_START_MS if condition.since_start else condition.within_ms
            then = condition.then if isinstance(condition, kinds.Sequence) else None
            yield from (Depth(key, within_ms=within_ms) for key in (condition.tracker, *_list_then(then)))
        case kinds.Edge():
            yield Depth(condition.tracker, oldest=0 if condition.last else 1)
        case kinds.Predicted():
            yield Depth(condition.tracker)
        case _:
            assert_never(condition)


def _read_count(condition: kinds.Did, *, is_distinct: bool) -> Depth:
    kept = count_kept(condition.op, condition.count, since_start=condition.since_start)
    if condition.before_ms:
        within_ms = condition.within_ms
        return Depth(condition.tracker, within_ms=within_ms, oldest=0 if within_ms else kept)
    within_ms = SINCE_START_MS if is_distinct and condition.since_start else 0
    return Depth(condition.tracker, latest=kept, within_ms=within_ms)


def _read_score(rule: ScoreRule, stock: Stock) -> Iterator[Depth]:
    for points in rule.points:
        if points.condition is not None:
            yield from _read_condition(points.condition, stock)
        else:
            yield Depth(points.tracker, within_ms=rule.reach_ms)


def _list_then(then: kinds.Then | None) -> Iterator[str]:
    while then is not None:
        yield then.tracker
        then = then.then
