"""Claims: what a condition says of one thing, as a range, so that two of them can be held against each other."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Final, NamedTuple

from cartwake.conditions import kinds
from cartwake.conditions.kinds import Condition
from cartwake.trackers import Need
from cartwake.values import Compared, Exists, Is, PropertyTest, Test

_SINGLE: Final = ("language", "country", "timezone", "locale", "device", "consent.email", "consent.sms", "consent.push")
_ENDLESS: Final = float("inf")


class Reach(NamedTuple):
    """The time in which events are counted; see `compiling.windows.Span`."""

    within_ms: int = 0
    before_ms: int = 0
    from_at: int = 0
    before_at: int = 0
    since_start: bool = False

    def lies_in(self, other: "Reach") -> bool:
        """Say whether whatever happened in this time happened in the other one."""
        if self.since_start != other.since_start:
            return not any(other)
        return (
            (not other.within_ms or 0 < self.within_ms <= other.within_ms)
            and self.before_ms >= other.before_ms
            and self.from_at >= other.from_at
            and (not other.before_at or 0 < self.before_at <= other.before_at)
        )


class Claim(NamedTuple):
    """That something is in a range, or one of some values.

    Attributes:
        subject: What it is said of.
        where: Of a count: the tests that narrow it.
        reach: Of a count: its time.
        low: Not less than this; if `low_open`, more.
        high: Not more than this; if `high_open`, less.
        among: One of these.
        entire: The condition says this and nothing else, bounds it on one side, and there always is a value: when the
            condition does not hold, the value is beyond the bound.
    """

    subject: Hashable
    where: frozenset[PropertyTest] = frozenset()
    reach: Reach = Reach()
    low: float = -_ENDLESS
    high: float = _ENDLESS
    low_open: bool = False
    high_open: bool = False
    among: frozenset[object] | None = None
    entire: bool = False


def exclude_each_other(left: Claim, right: Claim) -> bool:
    """Say whether never both can be true."""
    if left.subject != right.subject:
        return False
    if left.among is not None and right.among is not None:
        return not left.among & right.among
    if is_count(left):
        return _outnumbers(left, right) or _outnumbers(right, left)
    return _lies_beyond(left, right) or _lies_beyond(right, left)


def negate(claim: Claim) -> Claim | None:
    """Return the opposite of a claim; None where there is none that is a range."""
    if not claim.entire or claim.among is not None:
        return None
    if is_count(claim):
        if claim.low == -_ENDLESS:
            return claim._replace(low=claim.high + 1, high=_ENDLESS)
        return claim._replace(low=-_ENDLESS, high=claim.low - 1)
    if claim.low == -_ENDLESS:
        return claim._replace(low=claim.high, high=_ENDLESS, low_open=not claim.high_open, high_open=False)
    return claim._replace(low=-_ENDLESS, high=claim.low, low_open=False, high_open=not claim.low_open)


def is_count(claim: Claim) -> bool:
    """Say whether it is a whole number of events that is claimed."""
    return isinstance(claim.subject, tuple) and claim.subject[0] == "count"


def list_claims(condition: Condition, needs: Mapping[str, Need]) -> list[Claim]:
    """Return what is certain when a condition holds; the last claim is that it does."""
    itself = Claim(("same", condition), low=1, entire=True)
    return [*_list_claims(condition, needs), itself]


def deny(condition: Condition, needs: Mapping[str, Need]) -> list[Claim]:
    """Return what is certain when a condition does not hold."""
    match condition:
        case kinds.AnyOf(of=of):
            return [claim for each in of for claim in deny(each, needs)]
        case kinds.NoneOf(of=(only,)):
            return list_claims(only, needs)
        case _:
            found = (negate(claim) for claim in list_claims(condition, needs))
            return [opposite for opposite in found if opposite is not None]


def _list_claims(condition: Condition, needs: Mapping[str, Need]) -> Iterator[Claim]:
    match condition:
        case kinds.AllOf(of=of):
            for each in of:
                yield from (claim._replace(entire=False) for claim in list_claims(each, needs))
        case kinds.NoneOf(of=of):
            for each in of:
                yield from (claim._replace(entire=False) for claim in deny(each, needs))
        case kinds.Did():
            yield _claim_count(condition, needs[condition.tracker])
        case kinds.Amount():
            need = needs[condition.tracker]
            subject = ("amount", condition.of, condition.tracker, need.event, _reach(condition, need))
            yield _claim_bound(subject, condition.op, condition.bound, entire=condition.of == "total")
        case _:
            yield from _list_personal(condition)


def _list_personal(condition: Condition) -> Iterator[Claim]:
    match condition:
        case kinds.Score(name=name):
            yield _claim_bound(("score", name), condition.op, condition.bound, entire=True)
        case kinds.Age(trait=trait):
            yield _claim_bound(("age", trait), condition.op, condition.years, entire=False)
        case kinds.Predicted() if not (condition.within_ms or condition.ahead_ms or condition.before_ms):
            yield _claim_bound(("predicted", condition.of), condition.op, condition.bound, entire=False)
        case kinds.Trait(name=name, test=test):
            yield from claim_test(("trait", name), test)
        case kinds.Known(name=name, test=test):
            yield from claim_test(("known", name), test, single=name in _SINGLE)
        case _:
            return


def _claim_count(condition: kinds.Did, need: Need) -> Claim:
    low = condition.count if condition.op in ("at_least", "exactly") else -_ENDLESS
    high = condition.count if condition.op in ("at_most", "exactly") else _ENDLESS
    return Claim(
        ("count", need.event, need.distinct),
        where=frozenset(need.where),
        reach=_reach(condition, need),
        low=low,
        high=high,
        entire=condition.op != "exactly",
    )


def _reach(condition: kinds.Did | kinds.Amount, need: Need) -> Reach:
    return Reach(condition.within_ms, condition.before_ms, condition.from_at, need.before_at, condition.since_start)


def _claim_bound(subject: Hashable, op: str, bound: float, *, entire: bool) -> Claim:
    if op in ("more_than", "at_least"):
        return Claim(subject, low=bound, low_open=op == "more_than", entire=entire)
    return Claim(subject, high=bound, high_open=op == "less_than", entire=entire)


def claim_test(subject: Hashable, test: Test, *, single: bool = False) -> Iterator[Claim]:
    """Yield what a test says of a value; *single*: the value is never a list."""
    if not (isinstance(test, Is) and test.negated):
        there = not isinstance(test, Exists) or test.wanted
        yield Claim((subject, "exists"), among=frozenset((there,)))
    match test:
        case Compared(op, bound) if isinstance(bound, (int, float)):
            yield _claim_bound(subject, op, bound, entire=False)
        case Is(values, negated) if single and not negated:
            yield Claim((subject, "is"), among=frozenset(str(value).casefold() for value in values))
        case _:
            return


def _outnumbers(many: Claim, few: Claim) -> bool:
    """Say whether what is counted as many is counted among the few, too."""
    return many.reach.lies_in(few.reach) and few.where <= many.where and _lies_beyond(few, many)


def _lies_beyond(below: Claim, above: Claim) -> bool:
    """Say whether the range of the one ends before that of the other begins."""
    if below.high == above.low:
        return below.high_open or above.low_open
    return below.high < above.low
