"""Spans: from when to when each remembered event counts; and at which instant a tally of them changes an answer."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

from cartwake.conditions.kinds import Amount, Answer, BoundOp, Verdict
from cartwake.times import NEVER, Instant
from cartwake.values import MICROS


class Span(NamedTuple):
    """An event, or several added up, that counts from `begins` until before `ends`."""

    begins: Instant
    ends: Instant
    times: int = 1
    micros: int = 0
    beyond: int = 0
    """How many of its amounts lie beyond a bound."""


class Tally(NamedTuple):
    """What counts at an instant."""

    times: int = 0
    micros: int = 0
    beyond: int = 0

    def add(self, span: Span, sign: int) -> "Tally":
        """Return the tally with a span more (1), or less (-1)."""
        return Tally(self.times + sign * span.times, self.micros + sign * span.micros, self.beyond + sign * span.beyond)


_NOTHING: Final = Tally()


def follow(spans: Iterable[Span], test: Callable[[Tally], bool], now: Instant) -> Verdict:
    """Return whether what counts at *now* passes *test*, and the first instant at which that is no longer so."""
    lasting = [span for span in spans if span.begins < span.ends and span.ends > now]
    tally = _NOTHING
    for span in lasting:
        if span.begins <= now:
            tally = tally.add(span, 1)
    answer = test(tally)
    for at, changes in groupby(sorted(_list_changes(lasting, now)), key=lambda change: change[0]):
        for _, sign, span in changes:
            tally = tally.add(span, sign)
        if test(tally) != answer:
            return Verdict(Answer.HOLDS if answer else Answer.FAILS, at)
    return Verdict(Answer.HOLDS if answer else Answer.FAILS)


def _list_changes(spans: Iterable[Span], now: Instant) -> Iterator[tuple[Instant, int, Span]]:
    for span in spans:
        if span.begins > now:
            yield span.begins, 1, span
        if span.ends < NEVER:
            yield span.ends, -1, span


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
