"""Conditions as marketers write them become conditions as they are evaluated, and what these read is collected."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from cartwake import conditions
from cartwake.rules.condition_models import AllOf, AnyCondition, AnyOf, Did, DidNot, InSegment, NoneOf, TotalOf, Trait
from cartwake.rules.needs import Needs, compile_tests, compile_where, count_kept
from cartwake.times import parse_duration
from cartwake.trackers import Need


@dataclass(slots=True)
class Reads:
    """What the conditions of one file read.

    Attributes:
        segments: Names of segments, each with the path at which it stands.
        since_start: Paths at which "since: start" stands.
    """

    events: set[str] = field(default_factory=set)
    traits: set[str] = field(default_factory=set)
    segments: list[tuple[str, str]] = field(default_factory=list)
    since_start: list[str] = field(default_factory=list)


def compile_condition(rule: AnyCondition, needs: Needs, reads: Reads, *, path: str) -> conditions.Condition:
    """Return the compiled form of *rule*, which stands at *path*; its needs and what it reads are added."""
    match rule:
        case Did():
            op, count = _count_of(rule)
            return _compile_did(rule, rule.did, op, count=count, needs=needs, reads=reads, path=path)
        case DidNot():
            return _compile_did(rule, rule.did_not, "at_most", count=0, needs=needs, reads=reads, path=path)
        case TotalOf():
            return _compile_total(rule, needs, reads)
        case Trait():
            reads.traits.add(rule.trait)
            tests = tuple(conditions.Trait(name=rule.trait, test=test) for test in compile_tests(rule))
            return tests[0] if len(tests) == 1 else conditions.AllOf(of=tests)
        case InSegment():
            reads.segments.append((rule.in_segment, f"{path}.in_segment"))
            return conditions.InSegment(segment=rule.in_segment)
        case AllOf():
            return conditions.AllOf(of=_compile_each(rule.all, needs, reads, path=f"{path}.all"))
        case AnyOf():
            return conditions.AnyOf(of=_compile_each(rule.any, needs, reads, path=f"{path}.any"))
        case NoneOf():
            return conditions.NoneOf(of=_compile_each(rule.none, needs, reads, path=f"{path}.none"))
        case _:
            assert_never(rule)


def _compile_each(
    rules: list[AnyCondition], needs: Needs, reads: Reads, *, path: str
) -> tuple[conditions.Condition, ...]:
    def compile_all() -> Iterator[conditions.Condition]:
        for index, rule in enumerate(rules):
            yield compile_condition(rule, needs, reads, path=f"{path}[{index}]")

    return tuple(compile_all())


def _count_of(rule: Did) -> tuple[str, int]:
    if rule.exactly is not None:
        return "exactly", rule.exactly
    return ("at_most", rule.at_most) if rule.at_most is not None else ("at_least", rule.at_least or 1)


def _compile_did(  # noqa: PLR0913  the parts of one condition
    rule: Did | DidNot, event: str, op: str, *, count: int, needs: Needs, reads: Reads, path: str
) -> conditions.Did:
    reads.events.add(event)
    if rule.since:
        reads.since_start.append(f"{path}.since")
    latest = count_kept(op, count, since_start=rule.since is not None)
    tracker = needs.add(Need(event=event, where=compile_where(rule.where), latest=latest))
    return conditions.Did(
        tracker=tracker,
        op=op,
        count=count,
        within_ms=parse_duration(rule.in_last) if rule.in_last else 0,
        since_start=rule.since is not None,
    )


def _compile_total(rule: TotalOf, needs: Needs, reads: Reads) -> conditions.Total:
    reads.events.add(rule.on)
    within_ms = parse_duration(rule.in_last)
    need = Need(event=rule.on, where=compile_where(rule.where), amount=rule.total_of, within_ms=within_ms)
    op = next(name for name in ("more_than", "less_than", "at_least", "at_most") if getattr(rule, name) is not None)
    return conditions.Total(tracker=needs.add(need), op=op, bound=float(getattr(rule, op)), within_ms=within_ms)
