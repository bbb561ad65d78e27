"""Spans: from when to when each remembered event counts; and at which instant a tally of them changes an answer."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Final

import msgspec

from cartwake.conditions.kinds import Amount, Answer, BoundOp, Verdict
from cartwake.times import NEVER, Instant
from cartwake.values import MICROS


class Span(msgspec.Struct, frozen=True, gc=False):
    """An event, or several added up, that counts from `begins` until before `ends`.

    Attributes:
        beyond: How many of its amounts lie beyond a bound.
    """

    begins: Instant
    ends: Instant
    times: int = 1
    micros: int = 0
    beyond: int = 0


class Tally(msgspec.Struct, frozen=True, gc=False):
    """What counts at an instant."""

    times: int = 0
    micros: int = 0
    beyond: int = 0


def follow(spans: Iterable[Span], test: Callable[[Tally], bool], now: Instant) -> Verdict:
    """Return whether what counts at *now* passes *test*, and the first instant at which that is no longer so."""
    tally, changes = _count(spans, now)
    answer = test(tally)
    changes.sort(key=_get_time)
    times, micros, beyond = tally.times, tally.micros, tally.beyond
    for position, (at, sign, span) in enumerate(changes, 1):
        times += sign * span.times
        micros += sign * span.micros
        beyond += sign * span.beyond
        last_of_its_time = position == len(changes) or changes[position][0] > at
        if last_of_its_time and test(Tally(times, micros, beyond)) != answer:
            return Verdict(Answer.HOLDS if answer else Answer.FAILS, at)
    return Verdict(Answer.HOLDS if answer else Answer.FAILS)


def _count(spans: Iterable[Span], now: Instant) -> tuple[Tally, list[tuple[Instant, int, Span]]]:
    """Return what counts at *now*, and what comes (1) or goes (-1) when after it."""
    times = micros = beyond = 0
    changes: list[tuple[Instant, int, Span]] = []
    for span in spans:
        begins, ends = span.begins, span.ends
        if begins >= ends or ends <= now:
            continue
        if begins > now:
            changes.append((begins, 1, span))
        else:
            times += span.times
            micros += span.micros
            beyond += span.beyond
        if ends < NEVER:
            changes.append((ends, -1, span))
    return Tally(times, micros, beyond), changes


def make_amount_test(condition: Amount) -> Callable[[Tally], bool]:
    """Return the test of a tally that *condition* asks for; of nothing there is neither average nor largest."""
    bound, op = round(condition.bound * MICROS), condition.op
    match condition.of:
        case "total":
            return lambda tally: compare(tally.micros, op, bound)
        case "average":
            return lambda tally: tally.times > 0 and compare(tally.micros, op, bound * tally.times)
        case "largest":
            wanted = op in ("more_than", "at_least")
            return lambda tally: tally.beyond > 0 if wanted else tally.times > 0 and tally.beyond == 0


def is_beyond(micros: int, condition: Amount) -> bool:
    """Say whether an amount alone makes "the largest is more" true, or "the largest is less" false."""
    bound = round(condition.bound * MICROS)
    return micros > bound if condition.op in ("more_than", "at_most") else micros >= bound


def compare[Number: (int, float)](left: Number, op: BoundOp, right: Number) -> bool:
    """Say whether the comparison that *op* names is true."""
    match op:
        case "more_than":
            return left > right
        case "at_least":
            return left >= right
        case "less_than":
            return left < right
        case "at_most":
            return left <= right


_get_time: Final = itemgetter(0)
