"""The reference: what conditions mean, read off the list of all events, slowly, in the words of their definitions.

It knows no trackers, no spans and no expiries. What it shares with the code is how a value is read and tested.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from hashlib import blake2b
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from reference_person import Known, read_moment, read_trait, read_zone, write_day

from cartwake.bundles import Bundle
from cartwake.conditions import buying, histories, kinds
from cartwake.conditions.kinds import Start
from cartwake.events import Event, Trust, short_id
from cartwake.times import DAY, HOUR, to_datetime
from cartwake.trackers import Need
from cartwake.values import MICROS, find_value, passes, to_micros

EXACT, SETTLED_MS = 200, 15 * DAY


class Past(NamedTuple):
    """All that was received of a shopper, as it is seen at an instant.

    Attributes:
        keys: Of the shopper.
        start: Of a run.
        entered: Segments that were entered before.
        summed_at: When old events were last added up by the hour.
        exact: So many of the latest never are.
        hour_ms: How long such an hour is.
        settled_ms: So long after its receipt an event may be.
    """

    events: tuple[Event, ...]
    rules: Bundle
    now: int
    keys: tuple[str, ...] = ("u#1",)
    start: Start | None = None
    entered: frozenset[str] = frozenset()
    summed_at: int = 0
    exact: int = EXACT
    hour_ms: int = HOUR
    settled_ms: int = SETTLED_MS


class Item(NamedTuple):
    """An event as one tracker sees it: when, which one, what amount it has, and which values."""

    at: int
    id: int
    amount: int | None
    values: tuple[str, ...]
    event: Event


def holds(condition: kinds.Condition, past: Past) -> bool:  # noqa: PLR0911  a line for each kind
    """Say whether *condition* holds."""
    match condition:
        case kinds.AllOf(of=of):
            return all(holds(each, past) for each in of)
        case kinds.AnyOf(of=of):
            return any(holds(each, past) for each in of)
        case kinds.NoneOf(of=of):
            return not any(holds(each, past) for each in of)
        case kinds.InSegment(segment=name):
            return holds(past.rules.segments[name].where, past)
        case kinds.EverIn(segment=name):
            return name in past.entered or holds(past.rules.segments[name].where, past)
        case kinds.Did() | kinds.Amount() | kinds.Sequence() | kinds.Edge():
            return _did(condition, past)
        case kinds.Predicted():
            return _predict(condition, past)
        case kinds.Score():
            return _is(reckon(past.rules.scores[condition.name], past), condition.op, condition.bound)
        case kinds.Share():
            return _is_drawn(condition, past)
        case _:
            return _is_person(condition, past)


def reckon(rule: kinds.ScoreRule, past: Past) -> float:
    """Return a score, reckoned with more digits than anything cancels to."""
    with localcontext(prec=40):
        return float(round(_reckon(rule, past), 25))


def _reckon(rule: kinds.ScoreRule, past: Past) -> Decimal:
    total = Decimal(0)
    for points in rule.points:
        if points.condition is not None:
            total += Decimal(points.points) if holds(points.condition, past) else 0
            continue
        weight = Decimal(0)
        for item in list_items(points.tracker, past):
            if not rule.reach_ms or item.at > past.now - rule.reach_ms:
                weight += 2 ** (Decimal(item.at - past.now) / rule.half_life_ms) if rule.half_life_ms else 1
        part, most = Decimal(points.points) * weight, points.most
        total += part if most is None else max(-Decimal(most), min(Decimal(most), part))
    total = max(Decimal(rule.floor), total)
    return total if rule.cap is None else min(Decimal(rule.cap), total)


def list_items(tracker: str, past: Past) -> list[Item]:
    """Return the events that a tracker is for, up to now, in order of time."""
    need = past.rules.needs[tracker]
    events = [it for it in past.events if _is_wanted(need, it) and it.occurred_at <= past.now]
    items = [_read(need, it) for it in sorted(events, key=lambda it: (it.occurred_at, it.short_id))]
    if need.amount:
        items = [it for it in items if it.amount is not None]
    return _sum_up(items, need, past) if need.amount or need.summed else items


def _is_wanted(need: Need, event: Event) -> bool:
    if event.name != need.event or event.bot:
        return False
    if event.trust is Trust.BROWSER and event.name in ("Subscribed", "Unsubscribed"):
        return False
    if event.occurred_at < need.from_at or (need.before_at and event.occurred_at >= need.before_at):
        return False
    return _passes(event, need.where)


def _passes(event: Event, tests: tuple[Any, ...]) -> bool:
    return all(passes(find_value(event.properties, each.path), each.test) for each in tests)


def _read(need: Need, event: Event) -> Item:
    amount, values = None, tuple[str, ...]()
    if need.amount:
        told = find_value(event.properties, need.amount)
        numbers = [it for it in map(to_micros, told if isinstance(told, list) else [told]) if it is not None]
        amount = sum(numbers) if numbers else None
    if need.distinct:
        told = find_value(event.properties, need.distinct)
        texts = [it for it in (told if isinstance(told, list) else [told]) if _is_text(it)]
        values = tuple(str(it).casefold() for it in texts)
    return Item(event.occurred_at, event.short_id, amount, values, event)


def _is_text(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""


def _sum_up(items: list[Item], need: Need, past: Past) -> list[Item]:
    """Old events count as if they had happened when their hour began; of a whole life, as the first of them did."""
    latest = items[-past.exact :]
    done = [it for it in items if it not in latest and it.event.received_at <= past.summed_at - past.settled_ms]
    first = min((it.at for it in done), default=0)
    moved = [it._replace(at=first if need.whole else it.at // past.hour_ms * past.hour_ms, id=-1) for it in done]
    return sorted(moved + [it for it in items if it not in done], key=lambda it: (it.at, it.id))


def _counts(item: Item, condition: Any, past: Past) -> bool:
    if condition.since_start and (past.start is None or item.at < past.start.at or item.id == past.start.id):
        return False
    return _is_in_window(item, condition, past)


def _is_in_window(item: Item, condition: Any, past: Past) -> bool:
    if condition.within_ms and item.at <= past.now - condition.within_ms:
        return False
    return item.at <= past.now - condition.before_ms and item.at >= condition.from_at


def _did(condition: kinds.Did | kinds.Amount | kinds.Sequence | kinds.Edge, past: Past) -> bool:
    items = list_items(condition.tracker, past)
    if isinstance(condition, kinds.Edge):
        edge = items[-1 if condition.last else 0] if items else None
        marks = past.rules.needs[condition.tracker].marks
        if edge is None or (condition.marked and not _passes(edge.event, marks)):
            return False
        return _is_in_window(edge, condition, past)
    items = [it for it in items if _counts(it, condition, past)]
    if isinstance(condition, kinds.Amount):
        return _compare_amounts([it.amount or 0 for it in items], condition)
    if isinstance(condition, kinds.Sequence):
        count = sum(_is_followed(it, condition.then, past) for it in items)
    elif past.rules.needs[condition.tracker].distinct:
        count = len({value for it in items for value in it.values})
    else:
        count = len(items)
    return {"at_least": count >= condition.count, "at_most": count <= condition.count}.get(
        condition.op, count == condition.count
    )


def _compare_amounts(amounts: list[int], condition: kinds.Amount) -> bool:
    bound = Fraction(Decimal(str(condition.bound))) * MICROS
    if condition.of == "total":
        return _is(Fraction(sum(amounts)), condition.op, bound)
    if not amounts:
        return False
    found = Fraction(sum(amounts), len(amounts)) if condition.of == "average" else Fraction(max(amounts))
    return _is(found, condition.op, bound)


def _is_followed(item: Item, then: kinds.Then, past: Past) -> bool:
    ends = item.at + then.within_ms
    following = [it for it in list_items(then.tracker, past) if item.at < it.at < ends]
    if not then.did:
        return past.now >= ends and not following
    return any(then.then is None or _is_followed(it, then.then, past) for it in following)


def _is(left: Any, op: str, right: Any) -> bool:
    return bool(
        {"more_than": left > right, "less_than": left < right, "at_least": left >= right, "at_most": left <= right}[op]
    )


def _is_drawn(condition: kinds.Share, past: Past) -> bool:
    lot = min(short_id(who) for who in past.keys)
    drawn = blake2b(f"{condition.salt}\x1f{lot}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) % MICROS < condition.micros


def _is_person(condition: kinds.Condition, past: Past) -> bool:
    known = Known(past.events)
    zone = read_zone(past.events, past.rules.settings.timezone)
    match condition:
        case kinds.Trait(name=name, test=test):
            return passes(read_trait(past.events, name), test)
        case kinds.Known(name=name, test=test):
            return passes(known.read(name), test)
        case kinds.Moment(name=name):
            value = known.read(name) if condition.known else read_trait(past.events, name)
            at = read_moment(value, zone)
            return at is not None and _is_moment(at, condition, past.now)
        case kinds.Age(trait=trait):
            born = write_day(read_trait(past.events, trait), zone)
            if born is None or born[0] is None:
                return False
            today = to_datetime(past.now).astimezone(zone).date()
            age = today.year - born[0] - ((today.month, today.day) < (born[1], born[2]))
            return age >= 0 and _is(age, condition.op, condition.years)
        case kinds.Anniversary(trait=trait):
            return _is_anniversary(write_day(read_trait(past.events, trait), zone), condition, past.now, zone)
        case _:
            raise AssertionError(condition)


def _is_moment(at: int, condition: kinds.Moment, now: int) -> bool:
    if condition.within_ms:
        return now - condition.within_ms < at <= now
    if condition.ahead_ms:
        return now < at <= now + condition.ahead_ms
    return at <= now - condition.before_ms


def _is_anniversary(day: Any, condition: kinds.Anniversary, now: int, zone: Any) -> bool:
    if day is None:
        return False
    today = to_datetime(now).astimezone(zone).date()
    days = [today + timedelta(days=shift) for shift in range(-condition.last_days, condition.next_days + 1)]
    return any((day[0] is None or it.year > day[0]) and (it.month, it.day) in _list_days(day, it) for it in days)


def _list_days(day: Any, on: date) -> Iterator[tuple[int, int]]:
    """Of a leap day the anniversary is a day earlier in any other year."""
    leap = on.year % 4 == 0 and (on.year % 100 != 0 or on.year % 400 == 0)
    yield (2, 28) if (day[1], day[2]) == (2, 29) and not leap else (day[1], day[2])


def _predict(condition: kinds.Predicted, past: Past) -> bool:
    items = list_items(condition.tracker, past)
    parameters = past.rules.predictions
    if condition.of == "orders":
        return _is(len(items), condition.op, condition.bound)
    if condition.of == "value":
        return _is(Fraction(sum(it.amount or 0 for it in items), MICROS), condition.op, Fraction(condition.bound))
    if not items or (condition.of in ("churn_risk", "expected_orders", "expected_value") and parameters is None):
        return False
    days: dict[int, int] = {}
    for it in items:
        days[it.at // DAY] = days.get(it.at // DAY, 0) + (it.amount or 0)
    rhythm = median(b - a for a, b in pairwise(sorted(days))) if len(days) > 1 else None
    if condition.of == "rhythm":
        return rhythm is not None and _is(rhythm, condition.op, condition.bound)
    if condition.of == "next_order":
        asked = kinds.Moment(
            name="", within_ms=condition.within_ms, ahead_ms=condition.ahead_ms, before_ms=condition.before_ms
        )
        return rhythm is not None and _is_moment(items[-1].at + round(rhythm * DAY), asked, past.now)
    if condition.of == "churn_risk" and len(days) == 1:
        return False
    return _is(_expect(condition.of, items, list(days.values()), past), condition.op, condition.bound)


def _expect(of: str, items: list[Item], days: list[int], past: Past) -> float:
    history = histories.History(
        first_at=items[0].at,
        last_at=items[-1].at,
        orders=len(items),
        total=sum(days),
        repeats=len(days) - 1,
        repeat_mean=sum(days[1:]) / (len(days) - 1) / MICROS if len(days) > 1 else 0.0,
    )
    parameters = past.rules.predictions
    assert parameters is not None
    if of == "churn_risk":
        return buying.reckon_churn_risk(parameters, history, past.now) or 0.0
    worth = 1.0 if of == "expected_orders" else buying.expect_order_value(parameters, history)
    return buying.expect_orders(parameters, history, past.now) * worth
