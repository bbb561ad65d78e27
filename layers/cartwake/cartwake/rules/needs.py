"""What compiled rules must remember of a shopper: trackers, named by what they remember and as deep as needed."""

from datetime import datetime, timedelta, tzinfo
from hashlib import blake2b
from typing import Any, Final

import msgspec

from cartwake.rules.value_models import ValueTestObject, ValueTests
from cartwake.rules.words import is_day
from cartwake.trackers import Need
from cartwake.values import AnyItem, Compared, Contains, Exists, Is, Matches, PropertyTest, Test

_AFTER: Final = {"more_than": "at_least", "at_most": "less_than"}
"""How the end of a day is compared with, where the day itself is said."""


class Needs:
    """The union of what all rules need, collected while they are compiled."""

    def __init__(self) -> None:
        self.by_key: dict[str, Need] = {}

    def add(self, need: Need) -> str:
        """Take *need* in and return the key of its tracker: the same for the same event, tests and amount."""
        key = derive_tracker_key(need)
        self.by_key[key] = deepen(self.by_key.get(key, need), need)
        return key


def deepen(need: Need, other: Need) -> Need:
    """Return what both need of the same kind of event."""
    return msgspec.structs.replace(
        need,
        latest=max(need.latest, other.latest),
        within_ms=max(need.within_ms, other.within_ms),
        oldest=max(need.oldest, other.oldest),
    )


def count_kept(op: str, count: int, *, since_start: bool) -> int:
    """Return how many of the latest entries a count needs.

    One more than it counts where more than that make a difference, or where the starting event may be among them.
    """
    return count if op == "at_least" and not since_start else count + 1


def derive_tracker_key(need: Need) -> str:
    """Return a short name that is a function of what a tracker remembers, and not of how much of it.

    But for the oldest: what was cut of them cannot be seen, so three of them are another tracker than one.
    What was added to needs later takes part only where it is said: the names of all older kinds stay what they were.
    """
    kind: tuple[Any, ...] = (need.event, need.where, need.amount)
    more = {
        "distinct": need.distinct,
        "marks": need.marks,
        "key": need.key,
        "from_at": need.from_at,
        "before_at": need.before_at,
        "oldest": need.oldest,
        "summed": need.summed,
        # Of a whole life there is one sum, of a window one for each hour: a tracker is the one or the other.
        "whole": need.whole,
    }
    said = {name: value for name, value in more.items() if value}
    encoded = msgspec.json.encode((*kind, said) if said else kind, order="deterministic")
    return blake2b(encoded, digest_size=6).hexdigest()


def compile_where(where: dict[str, Any] | None, zone: tzinfo) -> tuple[PropertyTest, ...]:
    """Return the tests on an event's properties, in order of their names; the days of dates are those of *zone*."""
    return tuple(
        PropertyTest(path, test) for path in sorted(where or {}) for test in compile_value((where or {})[path], zone)
    )


def compile_tests(rule: ValueTests, zone: tzinfo) -> tuple[Test, ...]:
    """Return the tests that a model spells; the days of dates are those of *zone*."""
    tests: list[Test] = []
    if rule.is_ is not None:
        tests.append(Is(listed(rule.is_)))
    if rule.is_not is not None:
        tests.append(Is(listed(rule.is_not), negated=True))
    if rule.contains is not None:
        tests.append(Contains(rule.contains))
    if rule.matches is not None:
        tests.append(Matches(rule.matches))
    for op in ("more_than", "less_than", "at_least", "at_most"):
        bound = getattr(rule, op)
        if bound is not None:
            tests.append(_compile_date(op, bound, zone) if isinstance(bound, str) else Compared(op, float(bound)))
    if rule.exists is not None:
        tests.append(Exists(rule.exists))
    if rule.any_item is not None:
        tests.append(AnyItem(compile_where(rule.any_item, zone)))
    return tuple(tests)


def compile_value(value: Any, zone: tzinfo) -> tuple[Test, ...]:
    """Return the tests that a value, a list of values or an object of tests says; days are those of *zone*."""
    return compile_tests(value, zone) if isinstance(value, ValueTestObject) else (Is(listed(value)),)


def _compile_date(op: str, text: str, zone: tzinfo) -> Compared:
    """Return what a date is compared with: an exact instant. What is more than a day, or at most, begins after it."""
    moment = datetime.fromisoformat(text)
    if is_day(text) and op in _AFTER:
        op, moment = _AFTER[op], moment + timedelta(days=1)
    return Compared(op, (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat())


def listed(value: Any) -> tuple[Any, ...]:
    """Return several values, or the only one, as a tuple."""
    return tuple(value) if isinstance(value, list) else (value,)
