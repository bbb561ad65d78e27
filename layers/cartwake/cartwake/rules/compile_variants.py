"""Tests of variants as marketers write them become tests as they are measured and decided."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from cartwake.bundles import Bundle
from cartwake.journeys import HOLD_OUT, Journey
from cartwake.rules.faults import Fault
from cartwake.rules.files import walk
from cartwake.rules.step_models import AnyStep, SplitStep, name_way
from cartwake.rules.winner_models import WinnerRule
from cartwake.rules.words import begin_date, is_duration
from cartwake.times import Instant, parse_duration
from cartwake.variants import WITHIN_MS, VariantTest

_MICROS_OF_PERCENT: Final = 10_000

type Tests = Mapping[str, VariantTest]


def compile_tests(steps: list[AnyStep], zone: ZoneInfo) -> dict[str, VariantTest]:
    """Return the tests of a journey's steps; splits of one name are one test.

    Args:
        steps: All of the journey's own.
        zone: Where days begin.
    """
    found: dict[str, list[SplitStep]] = {}
    for _, step in walk(steps):
        if isinstance(step, SplitStep) and step.test:
            found.setdefault(step.test, []).append(step)
    return {name: _compile_test(splits, zone) for name, splits in found.items()}


def find_unlike(file: str, steps: list[AnyStep]) -> list[Fault]:
    """Return where splits of one test are not alike: a shopper has one place in it, and it has one winner."""
    first: dict[str, SplitStep] = {}
    ruled: set[str] = set()
    faults = []
    for path, step in walk(steps):
        if not isinstance(step, SplitStep) or not step.test:
            continue
        if _list_micros(first.setdefault(step.test, step)) != _list_micros(step):
            message = f'The test "{step.test}" stands in the journey twice, with other variants or percents.'
            faults.append(Fault(file=file, path=f"{path}.split", message=message, example='"test": "second-mail"'))
        if step.winner is not None and step.test in ruled:
            message = f'How the test "{step.test}" is decided is said twice; once is enough.'
            faults.append(Fault(file=file, path=f"{path}.winner", message=message))
        ruled |= {step.test} if step.winner is not None else set()
    return faults


def date_tests(
    tests: Mapping[str, Tests], journeys: Mapping[str, Journey], previous: Bundle, now: Instant
) -> dict[str, dict[str, VariantTest]]:
    """Return the tests with when each began: what is defined as before goes on."""
    return {
        journey: {
            name: _date(it, journeys[journey], previous.find_test(journey, name), now) for name, it in own.items()
        }
        for journey, own in sorted(tests.items())
        if own and journey in journeys
    }


def _date(test: VariantTest, journey: Journey, before: VariantTest | None, now: Instant) -> VariantTest:
    if before is not None and before.since and before.digest == test.digest:
        return replace(test, since=before.since)
    return replace(test, since=now if journey.status == "live" else 0)


def _compile_test(splits: list[SplitStep], zone: ZoneInfo) -> VariantTest:
    rule = next((step.winner for step in splits if step.winner is not None), None)
    within_ms = parse_duration(rule.within) if isinstance(rule, WinnerRule) else WITHIN_MS
    test = VariantTest(
        digest=_digest([within_ms, [_define(step) for step in splits]]),
        micros=_list_micros(splits[0]),
        within_ms=within_ms,
    )
    match rule:
        case None:
            return test
        case str():
            return replace(test, winner=rule, how="hand")
        case _:
            until = rule.until or ""
            lasts = bool(until) and is_duration(until)
            return replace(
                test,
                by=rule.by,
                sure=rule.sure / 100,
                at_least=rule.at_least,
                until_ms=parse_duration(until) if lasts else 0,
                until=0 if lasts or not until else begin_date(until, zone),
                until_date="" if lasts else until,
            )


def _list_micros(step: SplitStep) -> dict[str, int]:
    held_out = {HOLD_OUT: round(step.hold_out * _MICROS_OF_PERCENT)} if step.hold_out else {}
    ways = {name_way(way, place): round(way.percent * _MICROS_OF_PERCENT) for place, way in enumerate(step.split)}
    return held_out | ways


def _define(step: SplitStep) -> Any:
    """Return what a test is a test of: its variants with their steps, and not how a winner is found."""
    return _strip(step.model_dump(mode="json", by_alias=True, exclude_none=True))


def _strip(value: Any) -> Any:
    match value:
        case dict():
            return {key: _strip(it) for key, it in value.items() if key != "winner"}
        case list():
            return [_strip(it) for it in value]
        case _:
            return value


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:12]
