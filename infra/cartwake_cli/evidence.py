"""Evidence: what is there of what a condition asks for, in a few words."""

from collections.abc import Callable
from typing import Any, Final, assert_never

from cartwake.conditions.evaluate import draw, reckon_score
from cartwake.conditions.kinds import (
    Age,
    AllOf,
    Amount,
    Anniversary,
    AnyOf,
    Condition,
    Did,
    Edge,
    EverIn,
    InSegment,
    Known,
    Moment,
    NoneOf,
    Predicted,
    Score,
    Sequence,
    Share,
    Trait,
)
from cartwake.knowledge import NEVER_ASKED
from cartwake.marks import Forecast, forecast
from cartwake.segments import ProfileFacts, View
from cartwake.times import Instant, read_instant
from cartwake_cli.happenings import tell_behaviour
from cartwake_cli.value_words import say_day, say_number, say_value

_NO_RHYTHM: Final = "one day with orders makes no rhythm"
_NUMBERS: Final[dict[str, tuple[Callable[[Forecast], float | None], str]]] = {
    "rhythm": (lambda seen: seen.history.rhythm_days if seen.history else None, _NO_RHYTHM),
    "orders": (lambda seen: seen.history.orders if seen.history else None, ""),
    "value": (lambda seen: seen.value, ""),
    "churn_risk": (lambda seen: seen.churn_risk, "one day with orders says nothing of it"),
    "expected_orders": (lambda seen: seen.expected_orders, ""),
    "expected_value": (lambda seen: seen.expected_value, ""),
}


def tell_evidence(condition: Condition, view: View) -> str:
    """Return what is there of what *condition* asks for; "" where its parts tell more, or nothing is known."""
    match condition:
        case Did() | Amount() | Sequence() | Edge():
            return tell_behaviour(condition, view)
        case Trait() | Known() | Moment() | Age() | Anniversary():
            return _tell_fact(condition, view)
        case Score() | Share() | Predicted():
            return _tell_reckoned(condition, view)
        case EverIn(segment=name):
            membership = view.state.memberships.get(name)
            entered_at = membership.entered_at if membership else 0
            return f"last entered {_say_day(entered_at, view)}" if entered_at else ""
        case InSegment() | AllOf() | AnyOf() | NoneOf():
            return ""
        case _:
            assert_never(condition)


def _tell_fact(condition: Trait | Known | Moment | Age | Anniversary, view: View) -> str:
    facts = ProfileFacts(view.state, view.rules)
    match condition:
        case Known(name=name):
            value = facts.known(name)
            if name.startswith("reachable."):
                return ""
            return _tell_value(value.replace("_", " ") if value == NEVER_ASKED else value)
        case Moment(name=name):
            value = facts.known(name) if condition.known else facts.trait(name)
            at = read_instant(value, facts.zone)
            return _tell_value(value) if at is None else _tell_day(at, view)
        case Trait(name=name) | Age(trait=name) | Anniversary(trait=name):
            return _tell_value(facts.trait(name))
        case _:
            assert_never(condition)


def _tell_reckoned(condition: Score | Share | Predicted, view: View) -> str:
    facts = ProfileFacts(view.state, view.rules)
    match condition:
        case Score(name=name):
            reckoning = reckon_score(name, facts, view.now)
            return f"it is {say_number(reckoning.value_at(view.now))}" if reckoning and reckoning.known else ""
        case Share(salt=salt):
            return "" if facts.lot is None else f"drew {say_number(draw(facts.lot, salt) / 10_000)} of 100"
        case Predicted():
            seen = forecast(view.state, view.rules, view.now)
            return _tell_forecast(condition, seen, view) if seen else ""
        case _:
            assert_never(condition)


def _tell_forecast(condition: Predicted, seen: Forecast, view: View) -> str:
    if seen.history is None:
        return "there was no order"
    if condition.of == "next_order":
        at = seen.history.next_order_at
        return _NO_RHYTHM if at is None else _tell_day(at, view)
    find, otherwise = _NUMBERS[condition.of]
    number = find(seen)
    return otherwise if number is None else f"it is {say_number(number)}"


def _tell_day(at: Instant, view: View) -> str:
    return f"it {'is' if at > view.now else 'was'} {_say_day(at, view)}"


def _say_day(at: Instant, view: View) -> str:
    return say_day(at, ProfileFacts(view.state, view.rules).zone)


def _tell_value(value: Any) -> str:
    """Return what a value is; of objects, such as what is in the cart, only how many there are."""
    if value is None or value in ("", []):
        return "there is none"
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return f"there are {len(value)}" if len(value) > 1 else "there is one"
    return f"it is {say_value(value)}"
