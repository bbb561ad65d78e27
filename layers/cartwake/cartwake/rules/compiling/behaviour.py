"""Compiling of conditions on behaviour: each becomes a condition and the tracker that it is answered from."""

from collections.abc import Iterator
from typing import Literal, assert_never

from msgspec.structs import replace

from cartwake.conditions import kinds
from cartwake.conditions.kinds import BoundOp, Condition, CountOp
from cartwake.rules.amount_models import AverageOf, DistinctOf, LargestOf, TotalOf
from cartwake.rules.behaviour_models import Counted, Did, DidNot, First, Last, ThenDid, ThenDidNot
from cartwake.rules.compiling.desk import Desk
from cartwake.rules.compiling.windows import SINCE_START_MS, Span, compile_window
from cartwake.rules.needs import compile_where, count_kept
from cartwake.rules.value_models import BOUNDS
from cartwake.times import parse_duration
from cartwake.trackers import Need

type Behaviour = Did | DidNot | DistinctOf | TotalOf | AverageOf | LargestOf | First | Last


def compile_behaviour(rule: Behaviour, desk: Desk, path: str) -> Condition:
    """Return the condition that a rule on behaviour says."""
    match rule:
        case Did() | DidNot():
            return _compile_did(rule, desk, path)
        case DistinctOf():
            return _compile_distinct(rule, desk, path)
        case TotalOf() | AverageOf() | LargestOf():
            return _compile_amount(rule, desk, path)
        case First() | Last():
            return _compile_edge(rule, desk)
        case _:
            assert_never(rule)


def _compile_did(rule: Did | DidNot, desk: Desk, path: str) -> Condition:
    """Return a count, or a sequence where something is to follow."""
    span = _read_window(rule, desk, path)
    if isinstance(rule, DidNot):
        kind = Need(event=rule.did_not, where=compile_where(rule.where, desk.shop.zone))
        return _count(kind, span, ("at_most", 0), desk)
    kind = Need(event=rule.did, where=compile_where(rule.where, desk.shop.zone))
    if rule.then is None:
        return join([_count(kind, span, each, desk) for each in _list_counts(rule)])
    sequence = _follow(kind, span, rule.then, desk)
    return join([replace(sequence, op=op, count=count) for op, count in _list_counts(rule)])


def _compile_distinct(rule: DistinctOf, desk: Desk, path: str) -> Condition:
    """Return a count of different values; since the start of a run one event may bring many of them."""
    span = _read_window(rule, desk, path)
    within_ms = SINCE_START_MS if span.since_start else 0
    where = compile_where(rule.where, desk.shop.zone)
    kind = Need(event=rule.on, where=where, distinct=rule.distinct_of, within_ms=within_ms)
    return join([_count(kind, span, each, desk) for each in _list_counts(rule)])


def _compile_amount(rule: TotalOf | AverageOf | LargestOf, desk: Desk, path: str) -> Condition:
    """Return a total, an average or the largest amount against each of its bounds."""
    span = _read_window(rule, desk, path)
    of, amount = _find_amount(rule)
    tracker = desk.track(
        _need_all(Need(event=rule.on, where=compile_where(rule.where, desk.shop.zone), amount=amount), span)
    )
    frame = kinds.Amount(
        tracker=tracker,
        of=of,
        op="at_least",
        bound=0.0,
        within_ms=span.within_ms,
        before_ms=span.before_ms,
        from_at=span.from_at,
        since_start=span.since_start,
    )
    return join([replace(frame, op=op, bound=float(bound)) for op, bound in list_bounds(rule)])


def _find_amount(rule: TotalOf | AverageOf | LargestOf) -> tuple[Literal["total", "average", "largest"], str]:
    match rule:
        case TotalOf():
            return "total", rule.total_of
        case AverageOf():
            return "average", rule.average_of
        case LargestOf():
            return "largest", rule.largest_of


def _compile_edge(rule: First | Last, desk: Desk) -> Condition:
    """Return what is said of the first or the last event of its name."""
    span = compile_window(rule, desk.shop.zone)
    last = isinstance(rule, Last)
    event = rule.last if isinstance(rule, Last) else rule.first
    kind = Need(event=event, marks=compile_where(rule.where, desk.shop.zone))
    if span.is_dated:
        return _compile_dated_edge(kind, span, desk, last=last)
    return kinds.Edge(
        tracker=desk.track(kind if last else replace(kind, oldest=1)),
        last=last,
        marked=bool(kind.marks),
        within_ms=span.within_ms,
        before_ms=span.before_ms,
    )


def _compile_dated_edge(kind: Need, span: Span, desk: Desk, *, last: bool) -> Condition:
    """The first one is so old if it is the first before the end, and nothing was before the beginning; and mirrored."""
    beyond = Need(event=kind.event)
    if last:
        kind = replace(kind, from_at=span.from_at)
        other = Span(from_at=span.before_at) if span.before_at else None
    else:
        kind = replace(kind, oldest=1, before_at=span.before_at)
        other = Span(before_at=span.from_at) if span.from_at else None
    edge = kinds.Edge(tracker=desk.track(kind), last=last, marked=bool(kind.marks), from_at=kind.from_at)
    return join([edge, *([_count(beyond, other, ("at_most", 0), desk)] if other else [])])


def list_bounds(rule: object) -> Iterator[tuple[BoundOp, float]]:
    """Yield the bounds that a rule says."""
    for op in BOUNDS:
        bound = getattr(rule, op)
        if bound is not None:
            yield op, bound


def join(conditions: list[Condition]) -> Condition:
    """Return the one condition, or that all of them hold."""
    return conditions[0] if len(conditions) == 1 else kinds.AllOf(of=tuple(conditions))


def _read_window(rule: Did | DidNot | DistinctOf | TotalOf | AverageOf | LargestOf, desk: Desk, path: str) -> Span:
    if rule.since:
        desk.reads.since_start.append(f"{path}.since")
    return compile_window(rule, desk.shop.zone)


def _list_counts(rule: Counted) -> list[tuple[CountOp, int]]:
    if rule.exactly is not None:
        return [("exactly", rule.exactly)]
    counts: list[tuple[CountOp, int]] = []
    if rule.at_least is not None or rule.at_most is None:
        counts.append(("at_least", rule.at_least or 1))
    if rule.at_most is not None:
        counts.append(("at_most", rule.at_most))
    return counts


def _count(kind: Need, span: Span, counted: tuple[CountOp, int], desk: Desk) -> Condition:
    """Return a count, and keep of its kind as many as it takes to know the answer at any time."""
    op, count = counted
    kept = count_kept(op, count, since_start=span.since_start)
    need = replace(kind, from_at=span.from_at, before_at=span.before_at)
    if not span.before_ms:
        need = replace(need, latest=kept)
    elif span.within_ms:
        need = replace(need, within_ms=span.within_ms)
    else:
        need = replace(need, oldest=kept)
    return kinds.Did(
        tracker=desk.track(need),
        op=op,
        count=count,
        within_ms=span.within_ms,
        before_ms=span.before_ms,
        from_at=span.from_at,
        since_start=span.since_start,
    )


def _need_all(kind: Need, span: Span) -> Need:
    """Return the need of every event of a window."""
    if span.since_start or span.within_ms:
        return replace(kind, within_ms=SINCE_START_MS if span.since_start else span.within_ms)
    return replace(kind, from_at=span.from_at, before_at=span.before_at, whole=True)


def _follow(kind: Need, span: Span, then: ThenDid | ThenDidNot, desk: Desk) -> kinds.Sequence:
    return kinds.Sequence(
        tracker=desk.track(_need_all(kind, span)),
        within_ms=span.within_ms,
        from_at=span.from_at,
        since_start=span.since_start,
        # What follows is no older than what it follows: the same window holds it, but for an end.
        then=_compile_then(then, span._replace(before_at=0), desk),
    )


def _compile_then(rule: ThenDid | ThenDidNot, span: Span, desk: Desk) -> kinds.Then:
    event = rule.did if isinstance(rule, ThenDid) else rule.did_not
    then = rule.then if isinstance(rule, ThenDid) else None
    return kinds.Then(
        tracker=desk.track(_need_all(Need(event=event, where=compile_where(rule.where, desk.shop.zone)), span)),
        within_ms=parse_duration(rule.within),
        did=isinstance(rule, ThenDid),
        then=_compile_then(then, span, desk) if then else None,
    )
