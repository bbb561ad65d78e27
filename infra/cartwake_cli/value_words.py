"""Values in plain words: numbers, times, days, and tests on values."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, assert_never

from cartwake.conditions.kinds import BoundOp
from cartwake.times import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime
from cartwake.values import AnyItem, Compared, Contains, Exists, Is, Matches, PropertyTest, Test

_LONGEST: Final = 60
_UNITS: Final = (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", SECOND))
_OPS: Final[dict[BoundOp, str]] = {
    "more_than": "more than",
    "less_than": "less than",
    "at_least": "at least",
    "at_most": "at most",
}
_DATE_OPS: Final[dict[BoundOp, str]] = {
    "more_than": "after {}",
    "less_than": "before {}",
    "at_least": "{} or later",
    "at_most": "{} or earlier",
}


def say_number(number: float) -> str:
    """Return a number with at most two places: `1,299.9`."""
    return f"{number:,.2f}".rstrip("0").rstrip(".") if number % 1 else f"{number:,.0f}"


def say_count(count: int, word: str) -> str:
    """Return how many of something: `1 day`, `3 days`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def say_times(count: int) -> str:
    """Return how often something is: `once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def say_duration(duration_ms: int) -> str:
    """Return a duration in the largest unit that fits: `90 days`, `36 hours`."""
    for word, unit in _UNITS:
        if duration_ms >= unit and duration_ms % unit == 0:
            return say_count(duration_ms // unit, word)
    return f"{duration_ms} milliseconds"


def say_about(duration_ms: int) -> str:
    """Return about how long something is, cut to whole days, hours, minutes or seconds."""
    for word, unit in _UNITS:
        if duration_ms >= unit:
            return say_count(duration_ms // unit, word)
    return "less than a second"


def say_day(instant: Instant, zone: tzinfo) -> str:
    """Return the day of an instant: `3 December 2026`."""
    moment = to_datetime(instant).astimezone(zone)
    return f"{moment.day} {moment:%B} {moment.year}"


def say_bound(op: BoundOp, bound: float | str) -> str:
    """Return a comparison: `more than 200`, `before 2026-01-31`."""
    if isinstance(bound, str):
        return _DATE_OPS[op].format(_say_moment(bound))
    return f"{_OPS[op]} {say_number(bound)}"


def _say_moment(text: str) -> str:
    """Return an instant as its day, with the time where that is not midnight."""
    moment = datetime.fromisoformat(text)
    return f"{moment:%Y-%m-%d}" if moment.time() == moment.time().min else f"{moment:%Y-%m-%d %H:%M}"


def say_value(value: Any) -> str:
    """Return a value as it is shown: text in quotes, shortened where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return say_number(value)
    if isinstance(value, list | tuple):
        return say_shortened(", ".join(say_value(each) for each in value)) or "an empty list"
    text = str(value)
    return f'"{say_shortened(text)}"'


def say_shortened(text: str) -> str:
    """Return a text, cut where it is long."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def say_test(test: Test) -> str:
    """Return what a value must be, with a verb: `is "gold" or "silver"`."""
    match test:
        case Is(values=values, negated=negated):
            if not negated:
                return f"is {_list(values, 'or')}"
            return f"is not {_list(values, 'or')}" if len(values) == 1 else f"is neither {_list(values, 'nor')}"
        case Contains(text=text):
            return f"contains {say_value(text)}"
        case Matches(glob=glob):
            return f"matches {say_value(glob)}"
        case Compared(op=op, bound=bound):
            return f"is {say_bound(op, bound)}"  # type: ignore[arg-type]
        case Exists(wanted=wanted):
            return "has a value" if wanted else "has no value"
        case AnyItem(tests=tests):
            return f"has an entry whose {say_tests(tests)}"
        case _:
            assert_never(test)


def say_tests(tests: Sequence[PropertyTest]) -> str:
    """Return what several properties must be: `category is "shoes" and price is at least 50`."""
    return " and ".join(f"{each.path} {say_test(each.test)}" for each in tests)


def say_dates(from_at: Instant, before_at: Instant, zone: tzinfo) -> str:
    """Return a window between two instants, of which either may be 0: there is none."""
    if from_at and before_at:
        return f"from {_say_instant(from_at, zone)} until {_say_end(before_at, zone)}"
    if from_at:
        return f"from {_say_instant(from_at, zone)} on"
    return f"until {_say_end(before_at, zone)}" if before_at else ""


def _say_instant(instant: Instant, zone: tzinfo) -> str:
    moment = to_datetime(instant).astimezone(zone)
    is_midnight = moment.time() == moment.time().min
    return say_day(instant, zone) if is_midnight else f"{say_day(instant, zone)}, {moment:%H:%M}"


def _say_end(instant: Instant, zone: tzinfo) -> str:
    """Return the last day of a window that ends with a day; else the time."""
    moment = to_datetime(instant).astimezone(zone)
    if moment.time() != moment.time().min:
        return _say_instant(instant, zone)
    before = moment - timedelta(days=1)
    return f"{before.day} {before:%B} {before.year}"


def _list(values: Sequence[Any], word: str) -> str:
    """Return values as a sentence lists them; of many, the first ones."""
    shown = [say_value(value) for value in values[:5]]
    if len(values) > len(shown):
        return f"{', '.join(shown)} {word} one of {len(values) - len(shown)} others"
    return f" {word} ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
