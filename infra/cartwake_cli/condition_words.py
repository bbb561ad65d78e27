"""Conditions in the words of marketers: one sentence for each kind, and the words of each in this place alone."""

from typing import Final, assert_never
from zoneinfo import ZoneInfo

from cartwake.bundles import Bundle
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
    Points,
    Predicted,
    Score,
    Sequence,
    Share,
    Then,
    Trait,
)
from cartwake.trackers import Need
from cartwake.values import AnyItem, Compared, Is, Test
from cartwake_cli.value_words import (
    say_bound,
    say_count,
    say_dates,
    say_duration,
    say_number,
    say_test,
    say_tests,
    say_times,
)

_GONE: Final = Need(event="an event that no rule names any more")
_KNOWN: Final = {
    "language": "the language",
    "country": "the country",
    "timezone": "the timezone",
    "locale": "the locale",
    "device": "the device",
    "cart.quantity": "the number of pieces in the cart",
    "cart.value": "the value of the cart",
}
_MOMENTS: Final = {
    "first_seen": "was first seen",
    "last_seen": "was last seen",
    "cart.changed": "the cart was last changed",
}
_PREDICTED: Final = {
    "churn_risk": "the risk that there will be no more order, in percent,",
    "rhythm": "the rhythm of the orders, in days,",
    "orders": "the number of orders until now",
    "value": "the value of all orders until now",
    "expected_orders": "the number of orders expected in the next 365 days",
    "expected_value": "the value of the orders expected in the next 365 days",
}
_GROUPS: Final = {
    AllOf: "all of these hold",
    AnyOf: "at least one of these holds",
    NoneOf: "none of these holds",
}
_SAID: Final = {"never_asked": "never asked"}


class Speaker:
    """Says conditions under rules, which know what trackers remember and how segments and scores are called."""

    def __init__(self, rules: Bundle) -> None:
        self._rules = rules
        self._zone = ZoneInfo(rules.settings.timezone)

    def say(self, condition: Condition) -> str:
        """Return a condition as a sentence about the shopper, without its parts."""
        match condition:
            case Did() | Amount() | Sequence() | Edge():
                return self._say_behaviour(condition)
            case Trait(name=name, test=test):
                return f'the trait "{name}" {say_test(test)}'
            case Known(name=name, test=test):
                return _say_known(name, test)
            case Moment() | Age() | Anniversary():
                return _say_date(condition)
            case Score() | Share() | Predicted():
                return self._say_reckoned(condition)
            case InSegment(segment=name) | EverIn(segment=name):
                once = ", or was once" if isinstance(condition, EverIn) else ""
                return f"is in the segment {self.name_segment(name)}{once}"
            case AllOf() | AnyOf() | NoneOf():
                return _GROUPS[type(condition)]
            case _:
                assert_never(condition)

    def say_points(self, points: Points) -> str:
        """Return what brings points."""
        each = f"{say_number(points.points)} point{'' if abs(points.points) == 1 else 's'}"
        if points.condition is not None:
            return f"{each} while this holds: {self.say(points.condition)}"
        most = f", at most {say_number(points.most)}" if points.most is not None else ""
        return f"{each} for each {self.say_event(self.need(points.tracker))}{most}"

    def say_event(self, need: Need) -> str:
        """Return what a tracker remembers."""
        return f'"{need.event}"' + (f" where {say_tests(need.where)}" if need.where else "")

    def name_segment(self, name: str) -> str:
        """Return a segment's title and name."""
        segment = self._rules.segments.get(name)
        return f'"{name}" ({segment.title})' if segment else f'"{name}", which is not defined'

    def name_score(self, name: str) -> str:
        """Return a score's title and name."""
        score = self._rules.scores.get(name)
        return f'"{name}" ({score.title})' if score else f'"{name}", which is not defined'

    def need(self, tracker: str) -> Need:
        """Return what a tracker remembers."""
        return self._rules.needs.get(tracker, _GONE)

    def _say_behaviour(self, condition: Did | Amount | Sequence | Edge) -> str:
        need = self.need(condition.tracker)
        event, window = self.say_event(need), self._say_window(condition, need)
        match condition:
            case Did() if need.distinct:
                counted = f"{condition.op.replace('_', ' ')} {condition.count} different {need.distinct}"
                return f"there {'is' if condition.count == 1 else 'are'} {counted} in {event}{window}"
            case Did():
                return _say_count(condition, event, window)
            case Amount(op=op, bound=bound):
                return f"{_say_amount(condition, need)} {event}{window} is {say_bound(op, bound)}"
            case Sequence(then=then):
                return f"{event} was {self._say_following(condition, then)}{',' if window else ''}{window}"
            case Edge():
                return self._say_edge(condition, need, window)
            case _:
                assert_never(condition)

    def _say_edge(self, condition: Edge, need: Need, window: str) -> str:
        which = f"the {'last' if condition.last else 'first'} {self.say_event(need)}"
        marks = f"is one where {say_tests(need.marks)}"
        if condition.within_ms or condition.before_ms:
            return f"{which} was{window}" + (f", and {marks}" if condition.marked else "")
        return f"{which}{window} {marks}" if condition.marked else f"{self.say_event(need)} happened{window}"

    def _say_following(self, condition: Sequence, then: Then) -> str:
        never = condition.op in ("at_most", "exactly") and condition.count == 0
        if never and not then.did:
            return f"always {self._say_then(then)}"
        counted = "" if (condition.op, condition.count) == ("at_least", 1) else f"{_say_times(condition)} "
        return f"{'never ' if never else counted}{'' if then.did else 'not '}{self._say_then(then)}"

    def _say_then(self, then: Then) -> str:
        said = f"followed by {self.say_event(self.need(then.tracker))} within {say_duration(then.within_ms)}"
        if then.then is None:
            return said
        return f"{said}, and that {'' if then.then.did else 'not '}{self._say_then(then.then)}"

    def _say_window(self, condition: Did | Amount | Sequence | Edge, need: Need) -> str:
        within, before = condition.within_ms, condition.before_ms
        if isinstance(condition, Did | Amount | Sequence) and condition.since_start:
            return " since the start of the journey"
        if within and before:
            return f" between {say_duration(within)} and {say_duration(before)} ago"
        if within:
            return f" in the last {say_duration(within)}"
        if before:
            return f" at least {say_duration(before)} ago"
        dates = say_dates(need.from_at, need.before_at, self._zone)
        return f" {dates}" if dates else ""

    def _say_reckoned(self, condition: Score | Share | Predicted) -> str:
        match condition:
            case Score(name=name, op=op, bound=bound):
                return f"the score {self.name_score(name)} is {say_bound(op, bound)}"
            case Share(micros=micros, salt=salt):
                return f'is among the {say_number(micros / 10_000)} % that "{salt}" draws'
            case Predicted(of="next_order"):
                return f"the next order {_say_from_now(condition, 'is expected', 'was expected')}"
            case Predicted(of=of, op=op, bound=bound):
                return f"{_PREDICTED[of]} is {say_bound(op, bound)}"
            case _:
                assert_never(condition)


def _say_times(condition: Did | Sequence) -> str:
    """Return how often something must be; "" for at least once."""
    if (condition.op, condition.count) == ("at_least", 1):
        return ""
    return f"{condition.op.replace('_', ' ')} {say_times(condition.count)}"


def _say_count(condition: Did, event: str, window: str) -> str:
    if condition.count == 0 and condition.op != "at_least":
        return f"{event} did not happen{window}" if window else f"{event} never happened"
    times = _say_times(condition)
    return f"{event} happened{f' {times}' if times else ''}{window}"


def _say_amount(condition: Amount, need: Need) -> str:
    match condition.of:
        case "total":
            return f"the total of {need.amount} over all"
        case "average":
            return f"the average {need.amount} of"
        case "largest":
            return f"the largest {need.amount} of"
        case _:
            assert_never(condition.of)


def _say_known(name: str, test: Test) -> str:
    group, _, rest = name.partition(".")
    if group == "consent":
        channel, _, part = rest.partition(".")
        if part:
            return f"the way in which consent to {channel} was given or withdrawn {say_test(test)}"
        return f"the consent to {channel} {say_test(_mend(test))}"
    if group == "reachable":
        return f"marketing can reach the shopper by {rest}"
    if group == "tags":
        return f"has a tag, set by hand or by an import, that {say_test(test)}"
    if group in ("first_visit", "last_visit"):
        return f"the {rest} of the {group.partition('_')[0]} visit that had one {say_test(test)}"
    if name == "cart.items" and isinstance(test, AnyItem):
        return f"there is something in the cart whose {say_tests(test.tests)}"
    if name == "cart.quantity" and test == Compared("more_than", 0.0):
        return "there is something in the cart"
    return f"{_KNOWN.get(name, name)} {say_test(test)}"


def _mend(test: Test) -> Test:
    """Return a test on consent with its values as people write them."""
    if isinstance(test, Is):
        return Is(tuple(_SAID.get(value, value) for value in test.values), test.negated)
    return test


def _say_date(condition: Moment | Age | Anniversary) -> str:
    match condition:
        case Moment(name=name, known=True):
            told = (
                f"the consent to {name.split('.')[1]} was last given or withdrawn" if name.startswith("consent") else ""
            )
            return _say_from_now(condition, _MOMENTS.get(name, told or name), _MOMENTS.get(name, told or name))
        case Moment(name=name):
            return f'the date in the trait "{name}" {_say_from_now(condition, "lies", "lies")}'
        case Age(trait=trait, op=op, years=years):
            return f'is {say_bound(op, years)} years old, by the date in the trait "{trait}"'
        case Anniversary(trait=trait, last_days=last, next_days=ahead):
            days = say_count(last or ahead, "day")
            when = f" or was in the last {days}" if last else f" or in the next {days}" if ahead else ""
            return f'the anniversary of the date in the trait "{trait}" is today{when}'
        case _:
            assert_never(condition)


def _say_from_now(condition: Moment | Predicted, verb: str, past: str) -> str:
    if condition.ahead_ms:
        return f"{verb} in the next {say_duration(condition.ahead_ms)}"
    if condition.within_ms:
        return f"{past} in the last {say_duration(condition.within_ms)}"
    return f"{past} at least {say_duration(condition.before_ms)} ago"
