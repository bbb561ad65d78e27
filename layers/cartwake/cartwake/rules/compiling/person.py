"""Compiling of conditions on who somebody is, and where they stand."""

from typing import Final, assert_never

from msgspec.structs import replace

from cartwake.conditions import kinds
from cartwake.conditions.kinds import Condition
from cartwake.rules.compiling.behaviour import join, list_bounds
from cartwake.rules.compiling.desk import Desk
from cartwake.rules.needs import compile_tests, compile_value, compile_where, listed
from cartwake.rules.profile_models import (
    MOMENTS,
    AgeOf,
    AnniversaryOf,
    Consent,
    DateTests,
    FutureDateTests,
    Profile,
    ReachableBy,
    Score,
    Share,
    Tag,
    Trait,
)
from cartwake.rules.state_models import FITTED, Cart, Predicted
from cartwake.times import DAY, parse_duration
from cartwake.trackers import Need
from cartwake.values import AnyItem, Compared, Is, Test

type Personal = Trait | AgeOf | AnniversaryOf | Profile | Consent | ReachableBy | Tag | Score | Share | Cart | Predicted
_MICROS_OF_A_PERCENT: Final = 10_000


def compile_personal(rule: Personal, desk: Desk, path: str) -> Condition:
    """Return the condition that a rule on a person says."""
    match rule:
        case Trait():
            return _compile_trait(rule, desk)
        case AgeOf():
            desk.reads.traits |= {rule.age_of, "timezone"}
            return join([kinds.Age(trait=rule.age_of, op=op, years=int(it)) for op, it in list_bounds(rule)])
        case AnniversaryOf():
            return _compile_anniversary(rule, desk)
        case Profile() | Consent() | ReachableBy() | Cart():
            return _compile_known(rule, desk)
        case Tag():
            return _compile_tag(rule, desk, path)
        case Score():
            desk.reads.scores.append((rule.score, f"{path}.score"))
            return join([kinds.Score(name=rule.score, op=op, bound=float(it)) for op, it in list_bounds(rule)])
        case Share():
            return kinds.Share(micros=round(rule.share * _MICROS_OF_A_PERCENT), salt=rule.of)
        case Predicted():
            return _compile_predicted(rule, desk, path)
        case _:
            assert_never(rule)


def _compile_trait(rule: Trait, desk: Desk) -> Condition:
    desk.reads.traits.add(rule.trait)
    if rule.is_dated:
        desk.reads.traits.add("timezone")
    tests = [kinds.Trait(name=rule.trait, test=test) for test in compile_tests(rule, desk.shop.zone)]
    return join([*tests, *_list_moments(rule.trait, rule, known=False)])


def _compile_anniversary(rule: AnniversaryOf, desk: Desk) -> Condition:
    desk.reads.traits |= {rule.anniversary_of, "timezone"}
    return kinds.Anniversary(
        trait=rule.anniversary_of,
        last_days=parse_duration(rule.in_last) // DAY if rule.in_last else 0,
        next_days=parse_duration(rule.in_next) // DAY if rule.in_next else 0,
    )


def _compile_known(rule: Profile | Consent | ReachableBy | Cart, desk: Desk) -> Condition:
    match rule:
        case Profile(profile=name):
            desk.reads.known.add(name.partition(".")[0])
            if name in MOMENTS:
                return join(_list_moments(name, rule, known=True))
            return join([_know(name, test) for test in compile_tests(rule, desk.shop.zone)])
        case Consent(consent=channel):
            desk.reads.known.add("consent")
            method = [] if rule.method is None else list(compile_value(rule.method, desk.shop.zone))
            return join(
                [
                    _know(f"consent.{channel}", Is(listed(rule.is_))),
                    *(_know(f"consent.{channel}.method", test) for test in method),
                    *_list_moments(f"consent.{channel}.at", rule, known=True),
                ]
            )
        case ReachableBy(reachable_by=channel):
            desk.reads.known.add("reachable")
            return _know(f"reachable.{channel}", Is((True,)))
        case Cart():
            desk.reads.known.add("cart")
            return _compile_cart(rule, desk)


def _compile_cart(rule: Cart, desk: Desk) -> Condition:
    filled = _know("cart.quantity", Compared("more_than", 0.0))
    if rule.cart == "empty":
        return kinds.NoneOf(of=(filled,))
    found: list[Condition] = [filled]
    for name, tests in (("cart.value", rule.value), ("cart.quantity", rule.quantity)):
        found += [_know(name, Compared(op, float(bound))) for op, bound in list_bounds(tests)] if tests else []
    if rule.item is not None:
        found.append(_know("cart.items", AnyItem(compile_where(rule.item, desk.shop.zone))))
    if rule.untouched_for is not None:
        found.append(kinds.Moment(name="cart.changed", known=True, before_ms=parse_duration(rule.untouched_for)))
    return join(found)


def _compile_tag(rule: Tag, desk: Desk, path: str) -> Condition:
    """Somebody has a tag by hand, or by a segment that sets it; one that stays, if they ever were in it."""
    desk.reads.known.add("tags")
    found: list[Condition] = [_know("tags", Is((rule.tag,)))]
    for segment, sticky in desk.shop.tags.get(rule.tag.casefold(), ()):
        desk.reads.segments.append((segment, f"{path}.tag"))
        found.append(kinds.EverIn(segment=segment) if sticky else kinds.InSegment(segment=segment))
    return found[0] if len(found) == 1 else kinds.AnyOf(of=tuple(found))


def _compile_predicted(rule: Predicted, desk: Desk, path: str) -> Condition:
    orders = desk.shop.orders
    tracker = desk.track(Need(event=orders.event, amount=orders.amount, whole=True))
    if rule.predicted in FITTED:
        desk.reads.fitted.append((rule.predicted, f"{path}.predicted"))
    frame = kinds.Predicted(of=rule.predicted, tracker=tracker)
    times = [replace(frame, **each) for each in _list_times(rule)]
    return join([*times, *(replace(frame, op=op, bound=float(bound)) for op, bound in list_bounds(rule))])


def _list_moments(name: str, rule: DateTests, *, known: bool) -> list[Condition]:
    frame = kinds.Moment(name=name, known=known)
    return [replace(frame, **each) for each in _list_times(rule)]


def _list_times(rule: DateTests) -> list[dict[str, int]]:
    """Return each time that is said, by what it is called in a condition."""
    ahead = rule.in_next if isinstance(rule, FutureDateTests) else None
    said = {"within_ms": rule.in_last, "before_ms": rule.before, "ahead_ms": ahead}
    return [{name: parse_duration(words)} for name, words in said.items() if words]


def _know(name: str, test: Test) -> Condition:
    return kinds.Known(name=name, test=test)
