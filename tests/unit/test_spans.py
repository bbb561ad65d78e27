"""Spans: what counts at an instant, and the first one at which an answer changes."""

import pytest

from cartwake.conditions.kinds import Amount, Answer, Verdict
from cartwake.conditions.spans import Span, Tally, follow, is_beyond
from cartwake.values import MICROS


def _two(tally: Tally) -> bool:
    return tally.times >= 2


@pytest.mark.parametrize(
    ("spans", "verdict"),
    [
        ([Span(0, 20), Span(0, 30)], Verdict(Answer.HOLDS, 20)),
        ([Span(0, 40), Span(12, 40)], Verdict(Answer.FAILS, 12)),
        ([Span(12, 40), Span(15, 40)], Verdict(Answer.FAILS, 15)),
        ([Span(0, 12), Span(12, 40), Span(0, 40)], Verdict(Answer.HOLDS, 40)),
        ([Span(12, 40), Span(0, 12), Span(0, 40)], Verdict(Answer.HOLDS, 40)),
        ([Span(0, 12), Span(12, 40)], Verdict(Answer.FAILS)),
        ([Span(12, 40), Span(0, 12)], Verdict(Answer.FAILS)),
        ([Span(0, 10), Span(0, 40), Span(50, 50)], Verdict(Answer.FAILS)),
        ([Span(0, 40, times=2)], Verdict(Answer.HOLDS, 40)),
    ],
)
def test_when_an_answer_changes(spans: list[Span], verdict: Verdict) -> None:
    """What comes and what goes at the same instant is one change, in whatever order it is listed."""
    assert follow(spans, _two, 10) == verdict


@pytest.mark.parametrize(
    ("op", "at", "above"),
    [("more_than", False, True), ("at_most", False, True), ("at_least", True, True), ("less_than", True, True)],
)
def test_which_amounts_lie_beyond_a_bound(op: str, at: bool, above: bool) -> None:
    """The bound itself does where it decides."""
    condition = Amount(tracker="t", of="largest", op=op, bound=2.5)  # type: ignore[arg-type]
    bound = round(2.5 * MICROS)
    assert [is_beyond(it, condition) for it in (bound - 1, bound, bound + 1)] == [False, at, above]
