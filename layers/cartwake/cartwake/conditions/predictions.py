"""Predictions: conditions on what a shopper's own orders let expect, each with an exact expiry.

Until the next order, the risk of churn only grows, and what is expected only falls. So there is one instant at which a
comparison with a bound changes; it follows from the orders alone, and an answer is on which side of it the time is.
"""

from collections.abc import Callable
from math import exp, log
from typing import Final

from cartwake.conditions.buying import (
    LATEST,
    Parameters,
    chance_alive,
    estimate_alive_until,
    expect_order_value,
    expect_orders,
    find_first,
    reckon_churn_risk,
)
from cartwake.conditions.histories import History, read_history
from cartwake.conditions.kinds import FAILS, HOLDS, UNKNOWN, Answer, Predicted, Verdict
from cartwake.conditions.spans import compare
from cartwake.times import DAY, NEVER, Instant
from cartwake.trackers import Tracker
from cartwake.values import MICROS

__all__ = ["Parameters", "judge_prediction"]

_MODELLED: Final = ("churn_risk", "expected_orders", "expected_value")
"""What needs fitted parameters; all else is the shopper's own."""
_MOST_SECANTS: Final = 10
_FLATTEST: Final = -0.01
_FARTHEST: Final = 30.0
_LEAST: Final = 1e-300


def judge_prediction(
    condition: Predicted, tracker: Tracker | None, parameters: Parameters | None, now: Instant
) -> Verdict:
    """Return whether *condition* holds at *now*, and the first millisecond at which that is no longer so.

    What is not defined fails, however it is compared: a risk of who bought on one day only, a rhythm of the same, and
    whatever is expected of who never bought.

    Args:
        condition: The prediction and its bound.
        tracker: All orders with their value; unknown if it does not reach back to the first.
        parameters: What was fitted; the model's predictions are unknown without.
        now: The time. Orders after it are not known of yet.
    """
    if tracker is None or tracker.complete_from > 0 or (condition.of in _MODELLED and parameters is None):
        return UNKNOWN
    verdict = _judge_history(condition, read_history(tracker, now), parameters, now)
    coming = next((entry.at for entry in tracker.entries if entry.at > now), NEVER)
    return Verdict(verdict.answer, min(verdict.until, coming))


def _judge_history(
    condition: Predicted, history: History | None, parameters: Parameters | None, now: Instant
) -> Verdict:
    match condition.of:
        case "orders":
            return _say(compare(float(history.orders if history else 0), condition.op, condition.bound))
        case "value":
            return _say(compare(history.total if history else 0, condition.op, round(condition.bound * MICROS)))
        case "rhythm":
            rhythm = history.rhythm_days if history else None
            return _say(rhythm is not None and compare(rhythm, condition.op, condition.bound))
        case "next_order":
            expected_at = history.next_order_at if history else None
            return FAILS if expected_at is None else _judge_moment(condition, expected_at, now)
        case _:
            if history is None or parameters is None or (condition.of == "churn_risk" and not history.repeats):
                return FAILS
            return _judge_course(condition, history, parameters, now)


def _judge_moment(condition: Predicted, expected_at: Instant, now: Instant) -> Verdict:
    """Return whether the next order is expected in the last, in the next, or longer ago than the time that is said."""
    if condition.within_ms:
        begins, ends = expected_at, expected_at + condition.within_ms
    elif condition.ahead_ms:
        begins, ends = expected_at - condition.ahead_ms, expected_at
    else:
        begins, ends = expected_at + condition.before_ms, NEVER
    if now < begins:
        return Verdict(Answer.FAILS, begins)
    return Verdict(Answer.HOLDS, ends) if now < ends else FAILS


def _judge_course(condition: Predicted, history: History, parameters: Parameters, now: Instant) -> Verdict:
    """Compare what only grows, or only falls, with a bound: the answer changes at most once after the last order."""
    value_at = _follow_course(condition, history, parameters)

    def has_changed(at: Instant) -> bool:
        return compare(value_at(at), condition.op, condition.bound) != at_first

    first = value_at(history.last_at)
    at_first = compare(first, condition.op, condition.bound)
    if condition.of == "churn_risk":
        guess = estimate_alive_until(parameters, history, 1.0 - condition.bound / 100.0)
    elif first > condition.bound > 0.0:
        guess = _estimate_fall(lambda at: log(max(value_at(at), _LEAST) / condition.bound), history, parameters)
    else:
        guess = LATEST
    changes_at = find_first(has_changed, guess if guess > history.last_at else LATEST, history.last_at)
    if now < changes_at:
        return Verdict(_say(at_first).answer, changes_at)
    return _say(not at_first)


def _follow_course(condition: Predicted, history: History, parameters: Parameters) -> Callable[[Instant], float]:
    """Return what is predicted at an instant, if nothing is ordered until then."""
    if condition.of == "churn_risk":
        return lambda at: reckon_churn_risk(parameters, history, at) or 0.0
    factor = 1.0 if condition.of == "expected_orders" else expect_order_value(parameters, history)
    return lambda at: expect_orders(parameters, history, at) * factor


def _estimate_fall(excess_at: Callable[[Instant], float], history: History, parameters: Parameters) -> Instant:
    """Return about when the logarithm of a falling value over its bound is down at 0.

    Against the logarithm of time it is nearly a straight line, of slope -1 or steeper: a few secants do. The first one
    leads to where the chance of being alive alone would have brought the value down, if that is earlier.
    """
    zero = history.first_at - parameters.alpha * DAY
    at, excess = history.last_at, excess_at(history.last_at)
    alone = estimate_alive_until(parameters, history, chance_alive(parameters, history, at) * exp(-excess))
    reached = min(zero + (at - zero) * exp(min(excess, _FARTHEST)), alone, LATEST)
    for _ in range(_MOST_SECANTS):
        before, at = at, max(round(reached), history.last_at)
        if abs(at - before) <= 1:
            break
        left = excess_at(at)
        slope = min((left - excess) / log((at - zero) / (before - zero)), _FLATTEST)
        reached, excess = min(zero + (at - zero) * exp(min(-left / slope, _FARTHEST)), LATEST), left
    return at


def _say(holds: bool) -> Verdict:  # noqa: FBT001  it is what is said
    return HOLDS if holds else FAILS
